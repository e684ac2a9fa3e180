import { describe, expect, test } from "vitest";
import type { TimeOptions } from "../../src/handler.ts";
import { HOUR, MINUTE, SECOND, START, infoOf, moments, one, setup, startReplica, task } from "./replica.ts";

describe("overlap", () => {
  async function unfinishedTick(overlap: NonNullable<TimeOptions["overlap"]>) {
    const { clock, replica } = await one({ every: "10s", overlap });
    await clock.advance("10s");
    const { claims } = await replica.engine.queue.claim([{ handler: "task", limit: 9 }]);
    await clock.advance("20s");
    const claimable = await replica.engine.queue.claim([{ handler: "task", limit: 9 }]);
    await replica.engine.queue.settle(
      [...claims, ...claimable.claims].map((claim) => ({ claim, kind: "done" })),
    );
    return { clock, replica, meanwhile: claimable.claims.length };
  }

  test("skip leaves out what falls due while a tick is not finished, and goes on afterwards", async () => {
    const { clock, replica, meanwhile } = await unfinishedTick("skip");
    expect(meanwhile).toBe(0);
    await clock.advance("10s");
    expect(await moments(replica)).toEqual([40_000]);
    await replica.stop();
  });

  test("queue keeps them, one at a time", async () => {
    const { replica, meanwhile } = await unfinishedTick("queue");
    expect(meanwhile).toBe(0);
    expect(await moments(replica)).toEqual([20_000, 30_000]);
    await replica.stop();
  });

  test("allow runs them at once", async () => {
    const { replica, meanwhile } = await unfinishedTick("allow");
    expect(meanwhile).toBe(2);
    await replica.stop();
  });
});

describe("misfire: a restart after an hour and 40 seconds", () => {
  async function restart(options: TimeOptions, away = HOUR + 40 * SECOND) {
    const { clock, store, replica } = await one(options);
    await clock.advance("1m");
    expect(await moments(replica)).toEqual([MINUTE]);
    await replica.stop();
    await clock.advance(away);
    const again = await startReplica(clock, store, [task("task", options)]);
    await clock.advance(0);
    return { clock, again };
  }

  test("skip drops what was missed", async () => {
    const { clock, again } = await restart({ every: "1m" });
    expect(await moments(again)).toEqual([]);
    expect(again.log.lines).toEqual(["warn ticks were missed"]);
    await clock.advance("20s");
    expect(await moments(again)).toEqual([HOUR + 2 * MINUTE]);
    await again.stop();
  });

  test("skip does not drop a tick that is still on time: a deploy across it", async () => {
    const { again } = await restart({ every: "1m" }, MINUTE + 20 * SECOND);
    expect(await moments(again)).toEqual([2 * MINUTE]);
    await again.stop();
  });

  test("once fires the latest", async () => {
    const { again } = await restart({ every: "1m", misfire: "once" });
    expect(await moments(again)).toEqual([HOUR + MINUTE]);
    await again.stop();
  });

  test("all fires each, one after the other", async () => {
    const { again } = await restart({ every: "1m", misfire: "all" });
    const { claims } = await again.engine.queue.claim([{ handler: "task", limit: 100 }]);
    expect(claims.map(({ key }) => key)).toEqual(["task:task"]);
    await again.engine.queue.settle(claims.map((claim) => ({ claim, kind: "done" })));
    expect(await moments(again)).toEqual(Array.from({ length: 59 }, (_, number) => (number + 3) * MINUTE));
    await again.stop();
  });
});

describe("many replicas", () => {
  test("fire each of a thousand ticks once", async () => {
    const { clock, store } = setup();
    const tasks = [task("task", { every: "1s", overlap: "allow" })];
    const replicas = await Promise.all([1, 2, 3].map(() => startReplica(clock, store, tasks)));
    await clock.advance("1000s");
    const ticks = await moments(replicas[0]);
    expect(ticks).toEqual(Array.from({ length: 1_000 }, (_, number) => (number + 1) * SECOND));
    for (const replica of replicas) {
      expect(replica.log.lines).toEqual([]);
      await replica.stop();
    }
  });

  test("go on when others stop before, at and after a tick", async () => {
    const { clock, store } = setup();
    const tasks = [task("task", { every: "1s", overlap: "allow" })];
    const [a, b, c, d] = await Promise.all([1, 2, 3, 4].map(() => startReplica(clock, store, tasks)));
    await clock.advance(9_999);
    await a?.stop();
    await clock.advance(1);
    await b?.stop();
    await clock.advance(1);
    await c?.stop();
    await clock.advance("10s");
    expect(await moments(d)).toEqual(Array.from({ length: 20 }, (_, number) => (number + 1) * SECOND));
    await d?.stop();
  });

  test("twenty that start at once define a task once", async () => {
    const { clock, store } = setup();
    const tasks = [task("task", { every: "1m" })];
    const replicas = await Promise.all(Array.from({ length: 20 }, () => startReplica(clock, store, tasks)));
    await clock.advance("1m");
    expect(await moments(replicas[0])).toEqual([MINUTE]);
    for (const replica of replicas) {
      expect(replica.log.lines).toEqual([]);
      await replica.stop();
    }
  });

  test("a changed definition takes effect everywhere, without a double or a missing tick, and is reported", async () => {
    const { clock, store } = setup();
    const old = await startReplica(clock, store, [task("task", { every: "10s", overlap: "allow" })]);
    await clock.advance("25s");
    const fresh = await startReplica(clock, store, [task("task", { every: "4s", overlap: "allow" })]);
    await clock.advance("12s");
    expect(await moments(old)).toEqual([10_000, 20_000, 28_000, 32_000, 36_000]);
    expect(old.log.lines.filter((line) => line.startsWith("warn replicas disagree"))).toHaveLength(1);
    expect(fresh.log.lines).toEqual([]);
    expect(await infoOf(old)).toMatchObject({ disagrees: true, definition: { every: 4_000 } });
    expect(await infoOf(fresh)).toMatchObject({ disagrees: false });
    // The new version is rolled back: the old replica still ticks, by what is stored.
    await fresh.stop();
    await clock.advance("4s");
    expect(await moments(old)).toEqual([40_000]);
    const rolledBack = await startReplica(clock, store, [task("task", { every: "10s", overlap: "allow" })]);
    await clock.advance("20s");
    expect(await moments(old)).toEqual([50_000, 60_000]);
    expect(await infoOf(old)).toMatchObject({ disagrees: false });
    await rolledBack.stop();
    await old.stop();
  });

  test("a definition that changed while nobody ran begins where the old one was left", async () => {
    const { clock, store, replica } = await one({ every: "1m" });
    await clock.advance("1m");
    await replica.stop();
    expect(await (await startReplica(clock, store, [], { start: false })).drain("task")).toHaveLength(1);
    await clock.advance("1m");
    await clock.advance("5s");
    const again = await startReplica(clock, store, [task("task", { every: "2m" })]);
    await clock.advance(0);
    expect(await moments(again)).toEqual([2 * MINUTE]);
    await again.stop();
  });

  test("a definition that cannot be read here is left to the others", async () => {
    const { clock, store, replica } = await one({ every: "10s" });
    const definition = JSON.stringify({ moon: "full" });
    await replica.engine.schedules.define({ task: "task", hash: "newer", definition, next: START + 5_000 });
    await clock.advance("1m");
    expect(await moments(replica)).toEqual([]);
    expect(replica.log.lines).toHaveLength(1);
    expect(replica.log.lines[0]).toMatch(/^error the stored definition of a task cannot be read here/);
    await replica.stop();
    expect(store).toBeDefined();
  });
});

describe("clocks", () => {
  test("set back an hour, no tick is fired twice", async () => {
    const { clock, replica } = await one({ every: "1m", overlap: "allow" });
    await clock.advance("10m");
    clock.jump(-HOUR);
    await clock.advance("1h");
    await clock.advance("1m");
    const ticks = await moments(replica);
    expect(ticks).toEqual(Array.from({ length: 11 }, (_, number) => (number + 1) * MINUTE));
    await replica.stop();
  });

  test("set back while the definition changes, no tick is fired twice", async () => {
    const { clock, store, replica } = await one({ every: "1m" });
    await clock.advance("10m");
    await replica.drain("task");
    await replica.stop();
    clock.jump(-5 * MINUTE);
    const again = await startReplica(clock, store, [task("task", { every: "30s", overlap: "allow" })]);
    await clock.advance("6m");
    expect(await moments(again)).toEqual([10.5 * MINUTE, 11 * MINUTE]);
    await again.stop();
  });

  test("set forward a day, nothing storms", async () => {
    const { clock, replica } = await one({ every: "1s", overlap: "allow" });
    await clock.advance("10s");
    clock.jump(24 * HOUR);
    await clock.advance("10s");
    const ticks = await moments(replica);
    expect(ticks).toHaveLength(20);
    expect(new Set(ticks).size).toBe(20);
    await replica.stop();
  });
});
