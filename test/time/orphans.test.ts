import { expect, onTestFinished, test } from "vitest";
import { createApp } from "../../src/app.ts";
import { createRegistry } from "../../src/declare/create-registry.ts";
import { memoryEngine } from "../../src/engines/memory/engine.ts";
import { MemoryStore } from "../../src/engines/memory/store.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

test("a task whose code is gone does not tick, is listed as orphaned until it is removed, and worries nobody", async () => {
  const [clock, store] = [new VirtualClock(), new MemoryStore()];
  const start = async (...tasks: string[]) => {
    const registry = createRegistry();
    for (const task of tasks) registry.timeOn(task, { every: "1m" }).execute(() => {});
    const app = createApp({ registry, engine: memoryEngine({ store }), clock, log: "silent", env: {} });
    await app.start();
    onTestFinished(() => app.stop());
    return app;
  };
  const before = await start("kept", "gone");
  await before.stop();
  const app = await start("kept");
  await clock.advance("1h");
  const tasks = await app.scheduler.tasks();
  expect(tasks.map(({ name, orphaned }) => [name, orphaned])).toEqual([
    ["kept", false],
    ["gone", true],
  ]);
  const { schedule, runs } = await app.scheduler.task("gone");
  expect(schedule).toMatchObject({ orphaned: true, fired: 0, definition: { every: 60_000 } });
  expect(runs).toEqual([]);
  expect(await app.operations.unsubscribe("gone")).toBe(true);
  expect((await app.scheduler.tasks()).map(({ name }) => name)).toEqual(["kept"]);
  expect(await app.operations.unsubscribe("gone")).toBe(false);
  expect(await app.health()).toMatchObject({ status: "ok", scheduler: { tasks: 1, late: [] } });
});
