import { describe, expect, test } from "vitest";
import { MemoryStore } from "../../src/engines/memory/store.ts";
import type { Context } from "../../src/context.ts";
import type { Tick, TimeOptions } from "../../src/handler.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { standalone, startReplica, task } from "./replica.ts";

const START = Date.UTC(2026, 0, 1);
const SECOND = 1_000;

/** Started, with one task that ends when `finish` is called. */
async function held(options: TimeOptions) {
  const clock = new VirtualClock(START);
  const begun: Tick[] = [];
  const signals: AbortSignal[] = [];
  const waiting: (() => void)[] = [];
  const { scheduler, log, registry } = standalone(clock, [
    task("task", options, (tick, ctx: Context) => {
      begun.push(tick as Tick); // what the scheduler gives
      signals.push(ctx.signal);
      return new Promise<void>((resolve) => waiting.push(resolve));
    }),
  ]);
  await scheduler.start();
  const finish = async () => {
    waiting.shift()?.();
    await clock.advance(0);
  };
  const seconds = () => begun.map(({ scheduled }) => (scheduled - START) / SECOND);
  return { clock, begun, seconds, signals, finish, scheduler, log, registry };
}

describe("overlap", () => {
  test("skip leaves out what falls due while a run is under way", async () => {
    const { clock, seconds, finish, scheduler } = await held({ every: "10s" });
    await clock.advance("35s");
    expect(seconds()).toEqual([10]);
    await finish();
    await clock.advance("10s");
    expect(seconds()).toEqual([10, 40]);
    await finish();
    await scheduler.stop();
  });

  test("queue runs them one after the other", async () => {
    const { clock, seconds, finish, scheduler } = await held({ every: "10s", overlap: "queue" });
    await clock.advance("25s");
    expect(seconds()).toEqual([10]);
    await finish();
    expect(seconds()).toEqual([10, 20]);
    await finish();
    await scheduler.stop();
  });

  test("queue does not grow without end", async () => {
    const { clock, scheduler, log } = await held({ every: "1s", overlap: "queue" });
    await clock.advance("110s");
    expect(log.lines.filter((line) => line.startsWith("warn tick dropped"))).toHaveLength(10);
    await Promise.all([scheduler.stop("1s"), clock.advance("1s")]);
  });

  test("allow runs them at once", async () => {
    const { clock, seconds, scheduler } = await held({ every: "10s", overlap: "allow" });
    await clock.advance("25s");
    expect(seconds()).toEqual([10, 20]);
    await Promise.all([scheduler.stop("1s"), clock.advance("1s")]);
  });
});

describe("a run", () => {
  test("gets the tick, an id of its own and the last success", async () => {
    const { clock, begun, finish, scheduler } = await held({ every: "10s" });
    await clock.advance("10s");
    await finish();
    await clock.advance("10s");
    await finish();
    const [first, second] = [START + 10_000, START + 20_000];
    const common = { task: "task", last: false };
    expect(begun).toEqual([
      { ...common, scheduled: first, firedAt: first, previousSuccess: undefined, count: 1 },
      { ...common, scheduled: second, firedAt: second, previousSuccess: first, count: 2 },
    ]);
    expect((await scheduler.tasks())[0]).toMatchObject({
      scope: "instance",
      lastTick: START + 20_000,
      lastSuccess: START + 20_000,
      next: START + 30_000,
    });
    await scheduler.stop();
  });

  test("that fails is retried in place, then logged, and the next tick comes", async () => {
    const clock = new VirtualClock(START);
    const ids: string[] = [];
    const fail = (_: unknown, ctx: Context) => {
      ids.push(`${ctx.id} #${ctx.attempt}`);
      throw new Error("no");
    };
    const retry = { attempts: 2, delay: "1s", jitter: false } as const;
    const { scheduler, log } = standalone(clock, [task("task", { every: "10s", retry }, fail)]);
    await scheduler.start();
    await clock.advance("25s");
    expect(ids).toEqual([10, 10, 20, 20].map((s, i) => `task@${START + s * SECOND} #${(i % 2) + 1}`));
    expect(log.lines).toEqual(["error tick failed", "error tick failed"]);
    expect((await scheduler.tasks())[0]).toMatchObject({ lastTick: START + 20_000, lastSuccess: undefined });
    await scheduler.stop();
  });

  test("is waited for by stop, and called off when that takes too long", async () => {
    const { clock, signals, finish, scheduler } = await held({ every: "10s" });
    await clock.advance("10s");
    let stopped = false;
    const stopping = scheduler.stop("5s").then(() => (stopped = true));
    await clock.advance("4s");
    expect([stopped, signals[0]?.aborted]).toEqual([false, false]);
    await clock.advance("1s");
    await stopping;
    expect(signals[0]?.reason).toMatchObject({ code: "CANCELLED" });
    await finish();
    expect(clock.pending).toBe(0);
  });
});

describe("operations", () => {
  test("pause, resume and run now act on this process", async () => {
    const { clock, seconds, finish, scheduler } = await held({ every: "10s", misfire: "all" });
    await scheduler.pause("task");
    await clock.advance("30s");
    expect(seconds()).toEqual([]);
    await scheduler.runNow("task");
    await finish();
    await scheduler.resume("task");
    await clock.advance("10s");
    await finish();
    expect(seconds()).toEqual([30, 40]);
    await scheduler.stop();
    await expect(scheduler.pause("task")).rejects.toMatchObject({ code: "SCHEDULER_NOT_RUNNING" });
  });
});

test("with an engine, scope instance runs once in each process and stores nothing", async () => {
  const clock = new VirtualClock(START);
  const store = new MemoryStore();
  let runs = 0;
  const tasks = [task("task", { every: "10s", scope: "instance" }, () => void runs++)];
  const replicas = await Promise.all([1, 2, 3].map(() => startReplica(clock, store, tasks)));
  await clock.advance("20s");
  expect(runs).toBe(6);
  expect(await replicas[0]?.engine.schedules.list()).toEqual([]);
  for (const replica of replicas) await replica.stop();
});

test("an event loop that was blocked for ten seconds: the latest tick comes at once, or each under misfire all", async () => {
  const clock = new VirtualClock(START);
  const ran: Record<string, number[]> = { skip: [], all: [] };
  const note = (tick: unknown) => {
    const { task: name, scheduled } = tick as Tick; // what the scheduler gives
    ran[name]?.push((scheduled - START) / SECOND);
  };
  const { scheduler } = standalone(clock, [
    task("skip", { every: "1s" }, note),
    task("all", { every: "1s", misfire: "all" }, note),
  ]);
  await scheduler.start();
  clock.jump(10_500);
  await clock.advance("1s");
  expect(ran["skip"]).toEqual([11]);
  expect(ran["all"]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  await scheduler.stop();
});
