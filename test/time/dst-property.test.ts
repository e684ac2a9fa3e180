import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileSchedule } from "../../src/time/schedule.ts";
import { dayOf, daysOf, type Line, runsOf, WallClock } from "./dst-oracle.ts";

/*
 * Random cron lines in zones whose clocks change, over whole years, against the slow oracle. A failure is shrunk and
 * printed with its seed. To look at one again, or for longer:
 *
 *   DST_SEED=<seed> npx vitest run test/time/dst-property.test.ts
 *   DST_TIMES=100 npx vitest run test/time/dst-property.test.ts
 */
const SEED = Number(process.env["DST_SEED"] ?? 20_260_308);
const TIMES = Number(process.env["DST_TIMES"] ?? 1);

const ZONES = [
  ["America/New_York", 2026],
  ["Australia/Melbourne", 2026],
  ["Australia/Lord_Howe", 2026],
  ["Africa/Cairo", 2026],
  ["Pacific/Apia", 2011],
  ["Asia/Shanghai", 2026],
] as const;
const DAY = 86_400_000;

describe.each(ZONES)("cron lines in %s, %i", (zone, year) => {
  const whole = new WallClock(zone, Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1));
  /** Three days about each change. */
  const changes = whole.segments
    .slice(1)
    .map(({ start }) => new WallClock(zone, start - 1.5 * DAY, start + 1.5 * DAY));

  test("that run now and then: each run of the year, in order, none twice", () => {
    check(line(rarely), 30, ({ line: drawn }) => {
      expect(ticksOf(drawn, zone, whole)).toEqual(runsOf(drawn, whole));
    });
  });

  test("of every kind: each run about the changes", () => {
    check(line(anyhow), 200, ({ line: drawn }) => {
      for (const clock of changes) expect(ticksOf(drawn, zone, clock)).toEqual(runsOf(drawn, clock));
    });
  });

  test("that name one time of the day: one run on every day there is, at that time unless it is in a gap", () => {
    check(line({ ...rarely, minute: one(0, 59), hour: one(0, 23), daily: true }), 30, ({ line: drawn }) => {
      const ticks = ticksOf(drawn, zone, whole);
      expect(ticks.every((tick, at) => at === 0 || tick > (ticks[at - 1] ?? 0))).toBe(true);
      const days = ticks.map((tick) => dayOf(whole.wallAt(tick)));
      const existing = [...daysOf(whole)];
      // The first and the last day of the UTC year are cut off in the zone.
      expect(days.slice(1, -1)).toEqual(existing.filter((day) => day > days[0]! && day < days.at(-1)!));
      expect(existing.length - days.length).toBeLessThanOrEqual(2);
      const elsewhere = ticks.filter((tick) => {
        const wall = new Date(whole.wallAt(tick));
        return !drawn.hours.has(wall.getUTCHours()) || !drawn.minutes.has(wall.getUTCMinutes());
      });
      const gapEnds = whole.segments.map(({ start }) => start);
      expect(elsewhere.filter((tick) => !gapEnds.includes(tick))).toEqual([]);
    });
  });
});

test("the sequence does not depend on where one asks: a question at any moment finds the same next run", () => {
  const clock = new WallClock("Australia/Lord_Howe", Date.UTC(2026, 3, 4), Date.UTC(2026, 3, 6));
  fc.assert(
    fc.property(
      line(anyhow),
      fc.integer({ min: Date.UTC(2026, 3, 4), max: Date.UTC(2026, 3, 6) - 1 }),
      ({ line: drawn }, moment) => {
        const { timetable } = compileSchedule("task", { cron: drawn.text, timezone: "Australia/Lord_Howe" });
        const expected = runsOf(drawn, clock).find((run) => run > moment);
        const found = timetable.next(moment);
        expect(found !== undefined && found < Date.UTC(2026, 3, 6) ? found : undefined).toBe(expected);
      },
    ),
    { numRuns: 500 * TIMES, seed: SEED },
  );
});

function check(lines: fc.Arbitrary<Drawn>, runs: number, holds: (drawn: Drawn) => void): void {
  fc.assert(fc.property(lines, holds), { numRuns: runs * TIMES, seed: SEED });
}

function ticksOf({ text }: Line, timezone: string, { segments }: WallClock): number[] {
  const from = segments[0]?.start ?? 0;
  const to = segments.at(-1)?.end ?? 0;
  const { timetable } = compileSchedule("task", { cron: text, timezone });
  const ticks: number[] = [];
  for (let tick = timetable.next(from - 1); tick !== undefined && tick < to; tick = timetable.next(tick)) {
    if (tick <= (ticks.at(-1) ?? 0)) throw new Error(`after ${ticks.at(-1)} comes ${tick}: "${text}"`);
    ticks.push(tick);
  }
  return ticks;
}

interface Field {
  readonly text: string;
  readonly values: readonly number[];
}

/** Prints as its text in a counter-example. */
interface Drawn {
  readonly line: Line;
  readonly toString: () => string;
}

interface Kinds {
  readonly minute: fc.Arbitrary<Field>;
  readonly hour: fc.Arbitrary<Field>;
  readonly daily?: boolean;
}

const rarely: Kinds = {
  minute: fc.oneof(one(0, 59), some(0, 59), all(30, 60)),
  // The hours in which clocks change come more often.
  hour: fc.oneof(one(0, 3), one(0, 23), some(0, 23), span(0, 23), all(2, 24), all(6, 24), all(1, 24)),
};
const anyhow: Kinds = {
  minute: fc.oneof(rarely.minute, span(0, 59), all(1, 60), all(7, 60), all(15, 60)),
  hour: rarely.hour,
};

function line({ minute, hour, daily = false }: Kinds): fc.Arbitrary<Drawn> {
  const day = daily ? fc.constant(every(31)) : fc.oneof({ weight: 3, arbitrary: all(1, 31, 1) }, one(1, 31));
  const month = daily
    ? fc.constant(every(12))
    : fc.oneof({ weight: 3, arbitrary: all(1, 12, 1) }, span(1, 12));
  const weekday = daily ? fc.constant(every(7)) : fc.oneof({ weight: 3, arbitrary: all(1, 7) }, span(0, 6));
  const second = fc.option(fc.integer({ min: 0, max: 59 }), { freq: 5 });
  return fc.tuple(second, minute, hour, day, month, weekday).map(([seconds, ...fields]) => {
    const [minutes, hours, days, months, weekdays] = fields;
    const text = [...(seconds === null ? [] : [String(seconds)]), ...fields.map((field) => field.text)].join(
      " ",
    );
    const drawn: Line = {
      text,
      fixed: !/[*/]/.test(minutes.text + hours.text),
      second: seconds ?? 0,
      minutes: new Set(minutes.values),
      hours: new Set(hours.values),
      day: (wall) => {
        const inMonth = days.values.includes(wall.getUTCDate());
        const inWeek = weekdays.values.includes(wall.getUTCDay());
        // Both given: either will do, as in every cron.
        const both = days.text !== "*" && weekdays.text !== "*";
        const fits = both ? inMonth || inWeek : inMonth && inWeek;
        return fits && months.values.includes(wall.getUTCMonth() + 1);
      },
    };
    return { line: drawn, toString: () => text };
  });
}

function one(min: number, max: number): fc.Arbitrary<Field> {
  return fc.integer({ min, max }).map((value) => ({ text: String(value), values: [value] }));
}

function some(min: number, max: number): fc.Arbitrary<Field> {
  return fc
    .uniqueArray(fc.integer({ min, max }), { minLength: 2, maxLength: 4 })
    .map((values) => ({ text: values.join(","), values }));
}

function span(min: number, max: number): fc.Arbitrary<Field> {
  return fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map((ends) => {
    const [from, to] = [Math.min(...ends), Math.max(...ends)];
    const values = Array.from({ length: to - from + 1 }, (_, at) => from + at);
    return { text: `${from}-${to}`, values };
  });
}

/** Every one, or every so many. */
function all(step: number, length: number, first = 0): fc.Arbitrary<Field> {
  const values = Array.from({ length: Math.ceil(length / step) }, (_, at) => first + at * step);
  return fc.constant({ text: step === 1 ? "*" : `*/${step}`, values });
}

function every(length: number): Field {
  return { text: "*", values: Array.from({ length: length + 1 }, (_, at) => at) };
}
