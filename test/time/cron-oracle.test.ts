import { Cron } from "croner";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CronTimetable } from "../../src/time/cron-timetable.ts";
import { CRONER } from "../../src/time/parse-cron.ts";
import { zoneOf } from "../../src/time/zone.ts";

/*
 * Our cron lines are read and walked by code of our own; croner, which is slower and was there before, says what is right.
 */

const ZONES = [
  "UTC",
  "America/New_York",
  "Australia/Melbourne",
  "Australia/Lord_Howe", // half an hour
  "Africa/Cairo", // at midnight
  "Pacific/Apia", // a day that does not exist
  "Africa/Casablanca", // four changes a year
  "America/Nuuk", // the gap ends on another day
  "Asia/Kathmandu",
];

const item = (min: number, max: number) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min, max }).map(String) },
    range(min, max).map(([from, to]) => `${from}-${to}`),
    fc.tuple(range(min, max), fc.integer({ min: 1, max: max - min })).map(([[a, b], n]) => `${a}-${b}/${n}`),
    fc.integer({ min: 1, max: Math.min(max, 7) }).map((step) => `*/${step}`),
  );
const range = (min: number, max: number) =>
  fc
    .tuple(fc.integer({ min, max }), fc.integer({ min, max }))
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
const part = (min: number, max: number) =>
  fc.oneof(
    fc.constant("*"),
    fc.array(item(min, max), { minLength: 1, maxLength: 3 }).map((all) => all.join(",")),
  );
const number = (min: number, max: number) => fc.integer({ min, max });
const days = fc.oneof(
  { weight: 3, arbitrary: fc.constant("*") },
  part(1, 31),
  fc.constantFrom("L", "LW", "1W", "15W", "31W", "L,15", "?"),
);
const weekdays = fc.oneof(
  { weight: 4, arbitrary: fc.constant("*") },
  part(0, 7),
  fc.tuple(number(0, 7), number(1, 5)).map(([day, nth]) => `${day}#${nth}`),
  fc.constantFrom("5L", "sunL", "MON-FRI", "fri-sun", "sun,Wed", "+1-5", "?", "0,7"),
);
const months = fc.oneof(
  { weight: 4, arbitrary: fc.constant("*") },
  part(1, 12),
  fc.constantFrom("jan-mar", "Feb,DEC"),
);
const line = fc
  .tuple(fc.option(part(0, 59)), part(0, 59), part(0, 23), days, months, weekdays)
  .map((parts) => parts.filter((one) => one !== null).join(" "));

/** Any moment, or one about a change of the zone's clocks. */
function startIn(zone: string, from: number, about: number, nudge: number): number {
  const period = zone === "UTC" ? undefined : zoneOf(zone)?.periodAt(from);
  return about > 0 && period ? period.until + nudge : from;
}

test("a line ticks when croner says, through every change of the clocks", () => {
  fc.assert(
    fc.property(
      line,
      fc.constantFrom(...ZONES),
      fc.integer({ min: Date.UTC(2010, 0, 1), max: Date.UTC(2037, 0, 1) }),
      fc.integer({ min: 0, max: 2 }),
      fc.integer({ min: -10_800_000, max: 3_600_000 }),
      (text, timezone, from, about, nudge) => {
        const croner = new Cron(text, { ...CRONER, timezone, paused: true });
        const ours = new CronTimetable(text, timezone, 0);
        let moment = startIn(timezone, from, about, nudge);
        for (let tick = 0; tick < 6; tick++) {
          const expected = croner.nextRun(new Date(moment))?.getTime();
          expect([moment, ours.next(moment)]).toEqual([moment, expected]);
          if (expected === undefined) return;
          moment = expected;
        }
      },
    ),
    { numRuns: 400 },
  );
}, 60_000);

const WORDS = [
  "*",
  "0",
  "5",
  "59",
  "60",
  "1-5",
  "5-1",
  "*/15",
  "*/0",
  "*/61",
  "3/2",
  "1-9/3",
  "mon",
  "jan",
  "L",
  "",
  "-",
  "1,",
  "x",
];

test("a line that croner refuses is refused for its reason, and no other is", () => {
  const wild = fc
    .array(fc.constantFrom(...WORDS), { minLength: 4, maxLength: 7 })
    .map((all) => all.join(" "));
  const reasonOf = (make: () => unknown): string => {
    try {
      make();
      return "";
    } catch (error) {
      return String(error);
    }
  };
  fc.assert(
    fc.property(wild, (text) => {
      expect(reasonOf(() => new CronTimetable(text, "UTC", 0))).toBe(
        reasonOf(() => new Cron(text, { ...CRONER, paused: true })),
      );
    }),
    { numRuns: 3_000 },
  );
});

test("times in a list keep their day when the clocks skip one of them", () => {
  const twice = new CronTimetable("30 2,14 * * *", "America/New_York", 0);
  const first = twice.next(Date.UTC(2026, 2, 8, 5)) ?? 0;
  expect(new Date(first).toISOString()).toBe("2026-03-08T07:00:00.000Z");
  expect(new Date(twice.next(first) ?? 0).toISOString()).toBe("2026-03-08T18:30:00.000Z");
});

test.each(["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@Midnight", "@hourly"])("%s", (word) => {
  const from = Date.UTC(2026, 4, 5, 6, 7, 8);
  const expected = new Cron(word, { ...CRONER, timezone: "UTC", paused: true }).nextRun(new Date(from));
  expect(new CronTimetable(word, "UTC", 0).next(from)).toBe(expected?.getTime());
});
