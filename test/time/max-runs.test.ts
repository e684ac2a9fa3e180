import { expect, test } from "vitest";
import { SECOND, START, infoOf, moments, one, setup, standalone, startReplica, task } from "./replica.ts";

const seconds = (...values: number[]) => values.map((value) => value * SECOND);

test("maxRuns ends a task after so many ticks, and the last says that it is", async () => {
  const { clock, replica } = await one({ every: "10s", overlap: "allow", maxRuns: 3 });
  await clock.advance("1h");
  const ticks = await replica.drain("task");
  expect(ticks.map(({ scheduled }) => scheduled - START)).toEqual(seconds(10, 20, 30));
  expect(ticks.map(({ count, last }) => [count, last])).toEqual([
    [1, false],
    [2, false],
    [3, true],
  ]);
  expect(await infoOf(replica)).toMatchObject({ fired: 3, next: undefined });
  expect(await replica.scheduler.nextTicks("task")).toEqual([]);
  await replica.stop();
});

test("many replicas that come and go fire as many as one", async () => {
  const { clock, store } = setup();
  const tasks = [task("task", { every: "1s", overlap: "allow", maxRuns: 25 })];
  const replicas = await Promise.all([1, 2, 3, 4, 5].map(() => startReplica(clock, store, tasks)));
  await clock.advance("10s");
  await replicas[0]?.stop();
  await clock.advance("5s");
  const late = await startReplica(clock, store, tasks);
  await clock.advance("1h");
  expect(await moments(late)).toEqual(Array.from({ length: 25 }, (_, at) => (at + 1) * SECOND));
  for (const replica of [...replicas.slice(1), late]) await replica.stop();
});

test("a tick that is skipped is not one of them, nor is one of runNow", async () => {
  const { clock, replica } = await one({ every: "10s", maxRuns: 2 });
  await clock.advance("10s");
  const { claims } = await replica.engine.queue.claim([{ handler: "task", limit: 9 }]);
  await clock.advance("30s");
  await replica.engine.queue.settle(claims.map((claim) => ({ claim, kind: "done" })));
  await replica.scheduler.runNow("task");
  expect(await moments(replica)).toEqual(seconds(40));
  await clock.advance("10m");
  expect(await moments(replica)).toEqual(seconds(50));
  await replica.stop();
});

test("what is caught up with counts, the oldest first", async () => {
  const options = { every: "10s", misfire: "all", overlap: "allow", maxRuns: 3 } as const;
  const { clock, store, replica } = await one(options);
  await replica.stop();
  await clock.advance("10m");
  const again = await startReplica(clock, store, [task("task", options)]);
  await clock.advance("10m");
  expect(await moments(again)).toEqual(seconds(10, 20, 30));
  await again.stop();
});

test("neither a pause, a restart nor another definition gives a task more; a higher maxRuns does", async () => {
  const { clock, store, replica } = await one({ every: "10s", overlap: "allow", maxRuns: 2 });
  await clock.advance("1m");
  await replica.scheduler.pause("task");
  await replica.scheduler.resume("task");
  await clock.advance("1m");
  expect(await moments(replica)).toEqual(seconds(10, 20));
  await replica.stop();
  const same = await startReplica(clock, store, [
    task("task", { every: "5s", overlap: "allow", maxRuns: 2 }),
  ]);
  await clock.advance("1m");
  expect(await moments(same)).toEqual([]);
  await same.stop();
  const more = await startReplica(clock, store, [
    task("task", { every: "5s", overlap: "allow", maxRuns: 4 }),
  ]);
  await clock.advance("1m");
  expect(await moments(more)).toHaveLength(2);
  await more.stop();
});

test("in one process it counts the ticks of that process", async () => {
  const { clock } = setup();
  const counts: unknown[] = [];
  const { scheduler } = standalone(clock, [
    task("task", { every: "10s", maxRuns: 2 }, (tick) => void counts.push(tick)),
  ]);
  await scheduler.start();
  await clock.advance("1m");
  expect(counts).toMatchObject([
    { count: 1, last: false },
    { count: 2, last: true },
  ]);
  await scheduler.stop();
});
