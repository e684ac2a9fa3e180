import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CATCH_UP_AGE, CATCH_UP_COUNT, GRACE, planTicks } from "../../src/time/misfire.ts";
import { compileSchedule, type Misfire } from "../../src/time/schedule.ts";
import type { Timetable } from "../../src/handler.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const minutely = compileSchedule("task", { every: "1m" }).timetable;

describe("a tick noticed in time", () => {
  test.each<Misfire>(["skip", "once", "all"])("is fired under %s", (misfire) => {
    const tick = 100 * MINUTE;
    expect(planTicks(minutely, tick, tick, misfire)).toEqual({
      fire: [tick],
      next: tick + MINUTE,
      missed: false,
    });
    expect(planTicks(minutely, tick, tick + GRACE, misfire).fire).toEqual([tick]);
  });
});

describe("after a gap of ten minutes and 40 seconds", () => {
  const first = 100 * MINUTE;
  const now = first + 10 * MINUTE + 40_000;

  test("skip drops them all", () => {
    expect(planTicks(minutely, first, now, "skip")).toEqual({
      fire: [],
      next: first + 11 * MINUTE,
      missed: true,
    });
  });

  test("skip still fires the latest when that is not late", () => {
    expect(planTicks(minutely, first, now - 20_000, "skip").fire).toEqual([first + 10 * MINUTE]);
  });

  test("once fires the latest", () => {
    expect(planTicks(minutely, first, now, "once").fire).toEqual([first + 10 * MINUTE]);
  });

  test("all fires each, in order, and nothing counts as missed", () => {
    const { fire, missed } = planTicks(minutely, first, now, "all");
    expect(fire).toEqual(Array.from({ length: 11 }, (_, number) => first + number * MINUTE));
    expect(missed).toBe(false);
  });
});

describe("all is bounded", () => {
  test("by count", () => {
    const { fire, missed } = planTicks(minutely, MINUTE, 1_000 * MINUTE, "all");
    expect(fire).toHaveLength(CATCH_UP_COUNT);
    expect([fire[0], fire.at(-1)]).toEqual([901 * MINUTE, 1_000 * MINUTE]);
    expect(missed).toBe(true);
  });

  test("by age, but never below the latest", () => {
    const sixHourly = compileSchedule("task", { every: "6h" }).timetable;
    const { fire } = planTicks(sixHourly, 6 * HOUR, 1_000 * HOUR, "all");
    expect(fire).toEqual([978 * HOUR, 984 * HOUR, 990 * HOUR, 996 * HOUR]);
    expect(1_000 * HOUR - (fire[0] ?? 0)).toBeLessThanOrEqual(CATCH_UP_AGE);
    const monthly = compileSchedule("task", { cron: "0 0 1 * *" }).timetable;
    const plan = planTicks(monthly, Date.UTC(2026, 0, 1), Date.UTC(2026, 4, 20), "all");
    expect(plan.fire).toEqual([Date.UTC(2026, 4, 1)]);
  });
});

test("a gap of ten years costs a handful of questions to the timetable", () => {
  let asked = 0;
  const secondly = compileSchedule("task", { every: "1s" }).timetable;
  const counted: Timetable = { next: (after) => (asked++, secondly.next(after)) };
  const first = Date.UTC(2016, 0, 1);
  const now = Date.UTC(2026, 0, 1) + 400;
  expect(planTicks(counted, first, now, "once").fire).toEqual([now - 400]);
  expect(asked).toBeLessThan(50);
});

test("agrees with a search through all ticks", () => {
  const moments = fc.array(fc.integer({ min: 0, max: 500_000 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(
      moments,
      fc.integer({ min: 0, max: 500_000 }),
      fc.integer({ min: 0, max: 39 }),
      (drawn, now, pick) => {
        const ticks = [...new Set(drawn)].sort((a, b) => a - b);
        const first = ticks[pick % ticks.length] as number; // an index within the array
        fc.pre(first <= now);
        const due = ticks.filter((tick) => tick >= first && tick <= now);
        const timetable: Timetable = { next: (after) => ticks.find((tick) => tick > after) };
        const latest = due.slice(-1);
        expect(planTicks(timetable, first, now, "all").fire).toEqual(due.slice(-CATCH_UP_COUNT));
        expect(planTicks(timetable, first, now, "once").fire).toEqual(latest);
        expect(planTicks(timetable, first, now, "skip").fire).toEqual(
          latest.filter((tick) => now - tick <= GRACE),
        );
        expect(planTicks(timetable, first, now, "skip").next).toBe(ticks.find((tick) => tick > now));
      },
    ),
  );
});
