import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import {
  HOUR,
  MINUTE,
  START,
  infoOf,
  moments,
  one,
  setup,
  standalone,
  startReplica,
  task,
} from "./replica.ts";

describe("a cluster task", () => {
  test("publishes each tick to its own subscription, at its moment", async () => {
    const { clock, replica } = await one({ every: "10s", priority: 3 });
    await clock.advance("9s");
    expect(await replica.drain("task")).toEqual([]);
    await clock.advance("1s");
    const [claim] = (await replica.engine.queue.claim([{ handler: "task", limit: 9 }])).claims;
    expect(claim).toMatchObject({
      event: "task",
      handler: "task",
      priority: 3,
      due: START + 10_000,
      key: undefined,
    });
    expect(JSON.parse(claim?.payload ?? "")).toEqual({
      task: "task",
      scheduled: START + 10_000,
      firedAt: START + 10_000,
      count: 1,
      last: false,
    });
    await replica.stop();
  });

  test("says in its ticks when one last ended well", async () => {
    const { clock, replica } = await one({ every: "10s" });
    await clock.advance("10s");
    expect((await replica.drain("task")).map(({ previousSuccess }) => previousSuccess)).toEqual([undefined]);
    await replica.engine.schedules.record("task", {
      tick: START + 10_000,
      startedAt: START + 10_000,
      duration: 1,
      outcome: "ok",
      instance: "here",
      attempt: 1,
    });
    await clock.advance("10s");
    expect(await replica.drain("task")).toMatchObject([
      { scheduled: START + 20_000, previousSuccess: START + 10_000, count: 2 },
    ]);
    await replica.stop();
  });

  test("is described in lists", async () => {
    const { clock, replica } = await one({
      cron: "0 3 * * *",
      timezone: "Asia/Shanghai",
      description: "cleans up",
    });
    const next = START + 19 * HOUR;
    expect(await replica.scheduler.tasks()).toEqual([
      {
        name: "task",
        description: "cleans up",
        site: "task.ts:1:1",
        scope: "cluster",
        definition: { cron: "0 3 * * *", timezone: "Asia/Shanghai", misfire: "skip" },
        next,
        paused: false,
        lastTick: undefined,
        lastSuccess: undefined,
        fired: 0,
        orphaned: false,
        disagrees: false,
      },
    ]);
    expect(await replica.scheduler.nextTicks("task", 2)).toEqual([next, next + 24 * HOUR]);
    expect(replica.scheduler.next).toBe(next);
    await clock.advance("20h");
    expect(await infoOf(replica)).toMatchObject({ next: next + 24 * HOUR, lastTick: next });
    await replica.stop();
  });

  test("with `at` ticks once, and not again after a restart", async () => {
    const { clock, store, replica } = await one({ at: new Date(START + HOUR) });
    await clock.advance("2h");
    expect(await moments(replica)).toEqual([HOUR]);
    await replica.stop();
    const later = await startReplica(clock, store, [task("task", { at: new Date(START + HOUR) })]);
    await clock.advance("1d");
    expect(await moments(later)).toEqual([]);
    expect((await infoOf(later)).next).toBeUndefined();
    await later.stop();
  });

  test("with an `at` that is past when it is first seen never ticks, and says so", async () => {
    const { clock, replica } = await one({ at: START - 1 });
    await clock.advance("1h");
    expect(await moments(replica)).toEqual([]);
    expect(replica.log.lines).toEqual(["warn the task's last moment is past: it will not run"]);
    await replica.stop();
  });
});

describe("pause, resume and run now", () => {
  test("a pause holds for all replicas and through a restart, and its ticks are not caught up with", async () => {
    const { clock, store } = setup();
    const tasks = [task("task", { every: "1m", misfire: "all", overlap: "allow" })];
    const a = await startReplica(clock, store, tasks);
    const b = await startReplica(clock, store, tasks);
    await a.scheduler.pause("task");
    await clock.advance("10m");
    expect((await infoOf(b)).paused).toBe(true);
    await a.stop();
    const c = await startReplica(clock, store, tasks);
    await clock.advance("10m");
    expect(await moments(b)).toEqual([]);
    await c.scheduler.resume("task");
    await c.stop();
    await clock.advance("2m");
    expect(await moments(b)).toEqual([21 * MINUTE, 22 * MINUTE]);
    await b.stop();
  });

  test("a resume of what is not paused changes nothing", async () => {
    const { clock, replica } = await one({ every: "1m" });
    await replica.scheduler.resume("task");
    await clock.advance("1m");
    expect(await moments(replica)).toEqual([MINUTE]);
    await replica.stop();
  });

  test("a replica that did not hear of a resume notices it all the same", async () => {
    const { clock, replica } = await one({ every: "1m" });
    await replica.scheduler.pause("task");
    await replica.engine.schedules.pause("task", false, START + 10 * MINUTE);
    await clock.advance("10m");
    expect(await moments(replica)).toEqual([10 * MINUTE]);
    await replica.stop();
  });

  test("run now publishes a tick outside the schedule, also of a paused task", async () => {
    const { clock, replica } = await one({ every: "1m" });
    await replica.scheduler.pause("task");
    await clock.advance("5s");
    const id = await replica.scheduler.runNow("task");
    expect((await replica.engine.queue.find(id)).map(({ handler }) => handler)).toEqual(["task"]);
    expect(await moments(replica)).toEqual([5_000]);
    await replica.stop();
  });

  test("a task that nobody knows is an error that names the likely one", async () => {
    const { replica } = await one({ every: "1m" });
    for (const call of ["pause", "resume", "runNow", "nextTicks"] as const) {
      await expect(replica.scheduler[call]("tusk")).rejects.toMatchObject({
        code: "TASK_UNKNOWN",
        message: expect.stringContaining('Did you mean "task"?') as string,
      });
    }
    await replica.stop();
  });
});

describe("tasks that come and go", () => {
  test("one that is declared while the scheduler runs ticks; one that is removed does not, and shows as orphaned", async () => {
    const { clock, replica } = await one({ every: "1m" });
    const remove = replica.registry.add(task("late", { every: "1m" }));
    await clock.advance("1m");
    expect(await moments(replica, "late")).toEqual([MINUTE]);
    remove();
    await clock.advance("5m");
    expect(await moments(replica, "late")).toEqual([]);
    expect(await infoOf(replica, "late")).toMatchObject({ orphaned: true, lastTick: START + MINUTE });
    expect(await moments(replica)).toEqual([MINUTE]);
    await replica.stop();
  });

  test("one that was removed and declared again at once neither doubles nor misses a tick", async () => {
    const { clock, replica } = await one({ every: "1m", overlap: "allow" });
    await clock.advance("1m");
    replica.registry.remove("task");
    replica.registry.add(task("task", { every: "1m", overlap: "allow" }));
    await clock.advance("1m");
    expect(await moments(replica)).toEqual([MINUTE, 2 * MINUTE]);
    await replica.stop();
  });

  test("a wrong schedule is refused where it is added, and nothing stays of it", async () => {
    const { replica } = await one({ every: "1m" });
    expect(() => replica.registry.add(task("bad", {}))).toThrow(/has none of every, cron and at/);
    expect(replica.registry.get("bad")).toBeUndefined();
    await replica.stop();
  });

  test("a task whose stored row was removed is stored again", async () => {
    const { clock, replica } = await one({ every: "1m" });
    await replica.engine.schedules.remove("task");
    await clock.advance("2m");
    expect(await moments(replica)).toEqual([2 * MINUTE]);
    await replica.stop();
  });
});

describe("start and stop", () => {
  test("stop is legal before start and twice, start twice, and start after stop ticks again", async () => {
    const { clock, store } = setup();
    const replica = await startReplica(clock, store, [task("task", { every: "1m", overlap: "allow" })], {
      start: false,
    });
    const { scheduler } = replica;
    await scheduler.stop();
    await Promise.all([scheduler.start(), scheduler.start()]);
    await clock.advance("1m");
    await Promise.all([scheduler.stop(), scheduler.stop()]);
    await clock.advance("10m");
    expect(await moments(replica)).toEqual([MINUTE]);
    await scheduler.start();
    await clock.advance("1m");
    expect(await moments(replica)).toEqual([11 * MINUTE, 12 * MINUTE]);
    await replica.stop();
    expect(clock.pending).toBe(0);
  });

  test("a stop during a start wins", async () => {
    const { clock, store } = setup();
    const replica = await startReplica(clock, store, [task("task", { every: "1m" })], { start: false });
    const starting = replica.scheduler.start();
    await replica.scheduler.stop();
    await starting;
    expect(replica.scheduler.running).toBe(false);
    expect(clock.pending).toBe(0);
    await clock.advance("5m");
    expect(await moments(replica)).toEqual([]);
  });

  test("disabled it fires nothing and still lists", async () => {
    const { clock, store } = setup();
    const tasks = [task("task", { every: "1m" })];
    const replica = await startReplica(clock, store, tasks, { enabled: false });
    await clock.advance("5m");
    expect(await replica.drain("task")).toEqual([]);
    expect(clock.pending).toBe(0);
    expect(await infoOf(replica)).toMatchObject({ next: undefined, definition: { every: MINUTE } });
    expect(replica.log.lines).toEqual(["info the scheduler is disabled: no task ticks in this process"]);
    const other = await startReplica(clock, store, tasks);
    expect(await infoOf(replica)).toMatchObject({ next: START + 6 * MINUTE });
    await other.stop();
    await replica.stop();
  });
});

test("without an engine every task runs in this process", async () => {
  const clock = new VirtualClock(START);
  const seen: number[] = [];
  const { scheduler } = standalone(clock, [
    task(
      "task",
      { every: "1m" },
      (tick) => void seen.push((tick as { scheduled: number }).scheduled - START),
    ),
  ]);
  await scheduler.start();
  await clock.advance("3m");
  await scheduler.stop();
  await clock.advance("3m");
  expect(seen).toEqual([MINUTE, 2 * MINUTE, 3 * MINUTE]);
});
