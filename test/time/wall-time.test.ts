import { describe, expect, test } from "vitest";
import { isTimezone, momentOf } from "../../src/time/wall-time.ts";

const moment = (text: string, timezone = "UTC"): string | undefined => {
  const found = momentOf(text, timezone);
  return found === undefined ? undefined : new Date(found).toISOString();
};

describe("momentOf", () => {
  test.each([
    ["a day", "2026-11-22", "UTC", "2026-11-22T00:00:00.000Z"],
    ["a day in a zone", "2026-11-22", "Asia/Shanghai", "2026-11-21T16:00:00.000Z"],
    ["an offset beats the zone", "2026-11-22T10:00-05:00", "Asia/Shanghai", "2026-11-22T15:00:00.000Z"],
    ["milliseconds", "2026-11-22T10:00:00.250", "UTC", "2026-11-22T10:00:00.250Z"],
    ["winter in New York", "2026-01-15T12:00", "America/New_York", "2026-01-15T17:00:00.000Z"],
    ["summer in New York", "2026-07-15T12:00", "America/New_York", "2026-07-15T16:00:00.000Z"],
    ["a time that is skipped", "2026-03-08T02:30", "America/New_York", "2026-03-08T07:30:00.000Z"],
    ["a time that comes twice", "2026-11-01T01:30", "America/New_York", "2026-11-01T05:30:00.000Z"],
    ["half an hour of saving", "2026-10-04T02:15", "Australia/Lord_Howe", "2026-10-03T15:45:00.000Z"],
  ])("%s", (_, text, timezone, expected) => {
    expect(moment(text, timezone)).toBe(expected);
  });

  test.each([
    "",
    "tomorrow",
    "2026-13-01",
    "2026-02-30",
    "2026-11-22T25:00",
    "22.11.2026",
    "2026-11-22T10:00+99:00",
  ])("%j names none", (text) => {
    expect(moment(text)).toBeUndefined();
  });
});

test("isTimezone knows the zones of the runtime", () => {
  expect(["UTC", "Asia/Shanghai", "Africa/Cairo", "Asia/Shanghai"].map(isTimezone)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(["", "Asia/Atlantis", "5"].map(isTimezone)).toEqual([false, false, false]);
});
