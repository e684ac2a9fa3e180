import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createRegistry } from "../../src/declare/create-registry.ts";
import type { TimeOptions } from "../../src/handler.ts";
import { createTestApp } from "../../src/testing/create-test-app.ts";

const START = Date.UTC(2026, 0, 1);
const DAY = 24 * 60;

/**
 * A hundred schedules: how many of each, and how often it ticks from the start of 2026 (a Thursday, no leap year) to its
 * end, counted by hand and not by the code under test.
 */
const SCHEDULES: readonly (readonly [tasks: number, schedule: TimeOptions, ticks: number])[] = [
  [2, { every: "15m" }, 365 * (DAY / 15)],
  [3, { every: "30m" }, 365 * (DAY / 30)],
  [5, { every: "1h" }, 365 * 24],
  [8, { every: "3h" }, 365 * 8],
  [10, { every: "6h", jitter: "1h" }, 365 * 4],
  [14, { every: "12h" }, 365 * 2],
  [20, { every: "1d", jitter: "12h" }, 365],
  // Zones whose clocks change: a day has one 02:30, also those on which the clock shows none or two.
  [1, { cron: "30 2 * * *", timezone: "America/New_York" }, 365],
  [1, { cron: "30 2 * * *", timezone: "Europe/Berlin" }, 365],
  [1, { cron: "30 2 * * *", timezone: "Australia/Sydney" }, 365],
  [1, { cron: "0 45 1 * * *", timezone: "Australia/Lord_Howe" }, 365],
  // Each hour that passes, though one day has 23 of them and another 25.
  [1, { cron: "0 * * * *", timezone: "Europe/Berlin" }, 365 * 24],
  // 52 weeks and a Thursday.
  [10, { cron: "0 9 * * 1-5", timezone: "America/New_York" }, 52 * 5 + 1],
  [5, { cron: "@weekly" }, 52],
  // January's first had begun in Shanghai when the year began in UTC, but next January's comes within it.
  [5, { cron: "0 0 1 * *", timezone: "Asia/Shanghai" }, 12],
  [3, { cron: "0 */6 * * *" }, 365 * 4],
  [5, { cron: "0 12 * * *", timezone: "Asia/Kolkata" }, 365],
  [3, { at: "2026-07-01T12:00:00Z" }, 1],
  [1, { at: "2026-10-25T02:30:00", timezone: "Europe/Berlin" }, 1],
  [1, { at: "2028-01-01T00:00:00Z" }, 0],
];

interface Year {
  /** Of all lines `time task attempt outcome`, in order. */
  readonly hash: string;
  readonly lines: number;
  /** First attempts of each task. */
  readonly ticks: Readonly<Record<string, number>>;
  /** The moments of all other attempts. */
  readonly retries: readonly string[];
  readonly lost: number;
  readonly dead: number;
  readonly followed: readonly number[];
}

/** Lives through a part of the year. Which attempts fail does not depend on the seed; when they are tried again does. */
async function live(days: number, seed: number): Promise<Year> {
  const registry = createRegistry();
  const hash = createHash("sha256");
  const year = {
    lines: 0,
    ticks: {} as Record<string, number>,
    retries: [] as string[],
    lost: 0,
    followed: [] as number[],
  };
  const attempt = (now: number, task: string, tick: number, count: number): void => {
    const fails = isUnlucky(`${task} ${tick} ${count}`);
    hash.update(`${now} ${task} ${count} ${fails ? "failed" : "done"}\n`);
    year.lines++;
    if (count === 1) year.ticks[task] = (year.ticks[task] ?? 0) + 1;
    else year.retries.push(`${now} ${task} ${count}`);
    if (fails && count === 3) year.lost++;
    if (fails) throw new Error("unlucky");
  };
  const retry = { attempts: 3, delay: "20s" } as const;
  for (const [name, schedule] of tasks()) {
    registry
      .timeOn(name, { ...schedule, retry })
      .execute(({ scheduled }, ctx) => attempt(ctx.now(), name, scheduled, ctx.attempt));
  }
  registry.timeOn("weekly", { cron: "0 0 * * 1" }).execute(async ({ scheduled }, ctx) => {
    await ctx.publish("report", scheduled, { delay: "36h" });
  });
  registry.on("report", { retry }).execute(function report(scheduled: number, ctx) {
    year.followed.push(ctx.now() - scheduled);
    attempt(ctx.now(), "report", scheduled, ctx.attempt);
  });
  await using t = await createTestApp({ registry, seed, now: START });
  await t.advance(`${days}d`);
  return { ...year, hash: hash.digest("hex"), dead: t.deadLetters.length };
}

/** The schedules by the names of their tasks. */
function tasks(): [name: string, schedule: TimeOptions, ticks: number][] {
  return SCHEDULES.flatMap(([count, schedule, ticks]) =>
    Array.from({ length: count }, (_, at): [string, TimeOptions, number] => {
      const { every, cron, at: moment, timezone = "UTC" } = schedule;
      return [`${String(every ?? cron ?? moment)} ${timezone} ${at}`, schedule, ticks];
    }),
  );
}

/** One attempt in twenty, always the same ones (FNV-1a, mixed once more). */
function isUnlucky(attempt: string): boolean {
  let hash = 0x811c9dc5;
  for (let at = 0; at < attempt.length; at++) hash = Math.imul(hash ^ attempt.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return ((hash ^ (hash >>> 13)) >>> 0) % 20 === 0;
}

// Some ten seconds a year on two slow cores; ten times that when they are busy.
describe("a year of a hundred schedules", { timeout: 120_000 }, () => {
  let year: Year;

  test("passes in seconds, and each task ticks exactly as often as it should", async () => {
    year = await live(365, 1);
    const expected = Object.fromEntries(tasks().map(([name, , ticks]) => [name, ticks]));
    expect(Object.keys(expected)).toHaveLength(100);
    const { report, ...ticks } = year.ticks;
    expect(ticks).toEqual(Object.fromEntries(Object.entries(expected).filter(([, count]) => count > 0)));
    expect(report).toBe(52);
  });

  test("what failed was tried again, and what failed three times is among the dead letters", () => {
    expect(year.retries.length).toBeGreaterThan(10_000);
    expect(year.lost).toBeGreaterThan(5);
    expect(year.dead).toBe(year.lost);
  });

  test("what was published with a delay came when it was due", () => {
    const onTime = year.followed.filter((wait) => wait === 36 * 3_600_000);
    expect(onTime).toHaveLength(52);
    expect(year.followed.length - onTime.length).toBe(
      year.retries.filter((line) => line.includes(" report ")).length,
    );
  });

  test("the same seed gives the same year", async () => {
    const again = await live(365, 1);
    expect([again.lines, again.hash]).toEqual([year.lines, year.hash]);
  });

  test("another seed tries again at other moments, and nothing else differs", async () => {
    const one = await live(30, 1);
    const other = await live(30, 2);
    expect(other.ticks).toEqual(one.ticks);
    expect(other.lines).toBe(one.lines);
    expect(one.retries.length).toBeGreaterThan(500);
    const same = new Set(one.retries);
    expect(other.retries.filter((line) => same.has(line)).length).toBeLessThan(other.retries.length / 20);
  });
});
