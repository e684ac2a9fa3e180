import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatMs, toMs } from "../src/duration.ts";

describe("toMs", () => {
  test.each([
    ["500ms", 500],
    ["3s", 3_000],
    ["1.5s", 1_500],
    ["5m", 300_000],
    ["1h30m", 5_400_000],
    ["2d", 172_800_000],
    [250, 250],
    [" 3s ", 3_000],
  ])("reads %s as %d ms", (text, ms) => {
    expect(toMs(text)).toBe(ms);
  });

  test.each(["", "soon", "3", "3 s", "-3s", "3x", "s", "1h-3m", Number.NaN, -1, Number.POSITIVE_INFINITY])(
    "refuses %s and says what to write",
    (text) => {
      expect(() => toMs(text, "timeout")).toThrow(/timeout: .* is not a duration\. Write .*"3s"/);
    },
  );

  // As JavaScript may have it: `threshold: { count: 5 }` without `within`.
  test.each([undefined, null, {}, true])("refuses %s in the same way", (value) => {
    expect(() => toMs(value as never, "within")).toThrow(/within: .* is not a duration\. Write .*"3s"/);
  });

  test("reads back what formatMs writes, to the second", () => {
    fc.assert(
      fc.property(fc.integer({ min: 60, max: 10_000_000 }), (seconds) => {
        expect(toMs(formatMs(seconds * 1_000))).toBe(seconds * 1_000);
      }),
    );
  });
});
