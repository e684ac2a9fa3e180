import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { createHealth, type HealthSources } from "../../src/observe/health.ts";
import { cutOff, setting } from "./setting.ts";

async function healthOf(
  change: (parts: Awaited<ReturnType<typeof setting>>) => Partial<HealthSources> = () => ({}),
) {
  const parts = await setting();
  const health = createHealth({
    version: "1.2.3",
    clock: systemClock,
    engine: parts.engine,
    instance: "i-1",
    startedAt: systemClock.elapsed(),
    state: () => "running",
    schedulerEnabled: true,
    snapshot: parts.snapshot,
    ...change(parts),
  });
  return { ...parts, health };
}

test("a running app with an engine that answers is live, ready and healthy", async () => {
  const { health, engine, tasks } = await healthOf();
  await engine.queue.subscribe([{ handler: "bill", topic: "order" }]);
  await engine.queue.publish([{ event: "order", payload: "1", priority: 0, due: engine.now() }]);
  tasks.push({ name: "cleanup", next: engine.now() + 5_000, paused: false, lastSuccess: undefined });
  tasks.push({ name: "report", next: 0, paused: true, lastSuccess: undefined });
  expect(health.live()).toEqual({ status: "ok", problems: [] });
  expect(await health.ready()).toEqual({ status: "ok", problems: [] });
  expect(await health.health()).toEqual({
    status: "ok",
    problems: [],
    version: "1.2.3",
    state: "running",
    uptime: expect.any(Number),
    instance: "i-1",
    engine: { name: "memory", location: "memory:", status: "ok" },
    scheduler: { enabled: true, tasks: 2, paused: 1, late: [] },
    lag: { ready: 1, waiting: 0, running: 0, dead: 0, oldest: expect.any(Number) },
    instances: [expect.objectContaining({ id: "i-1", host: "here" })],
  });
});

test.each(["starting", "stopping"])("an app that is %s is live, but not ready", async (state) => {
  const { health } = await healthOf(() => ({ state: () => state }));
  expect(health.live().status).toBe("ok");
  expect(await health.ready()).toEqual({ status: "down", problems: [`The app is ${state}, not running.`] });
  expect((await health.health()).status).toBe("down");
});

test("an engine that is away makes the app not ready, and asks for no restart", async () => {
  const { health } = await healthOf(({ engine }) => ({
    engine: cutOff(engine),
    snapshot: () => Promise.reject(new Error("no route")),
  }));
  expect(health.live().status).toBe("ok");
  expect(await health.ready()).toEqual({
    status: "down",
    problems: ["The engine does not answer: no route to the server"],
  });
  const report = await health.health();
  expect(report).toMatchObject({ status: "down", engine: { status: "down" }, scheduler: { enabled: true } });
  expect(report).not.toHaveProperty("lag");
  expect(report).not.toHaveProperty("instances");
});

test("an engine that never answers does not keep a probe waiting", async () => {
  const { health } = await healthOf(({ engine }) => ({
    engine: new Proxy(engine, {
      get: (target, key) =>
        key === "check" ? () => new Promise(() => {}) : (Reflect.get(target, key) as unknown),
    }),
  }));
  expect(await health.ready()).toEqual({
    status: "down",
    problems: [expect.stringContaining("timeout of 2s")],
  });
});

test("a process that stalled is not live any more", async () => {
  const { health } = await healthOf(() => ({
    stalled: () => "Nothing was claimed for 60 s with a backlog.",
  }));
  expect(health.live()).toEqual({
    status: "down",
    problems: ["Nothing was claimed for 60 s with a backlog."],
  });
  expect((await health.ready()).status).toBe("down");
});

describe("degraded, but not down", () => {
  test("a late task", async () => {
    const { health, tasks, engine } = await healthOf();
    tasks.push({ name: "cleanup", next: engine.now() - 60_000, paused: false, lastSuccess: undefined });
    expect(await health.health()).toMatchObject({
      status: "degraded",
      problems: ['The task "cleanup" is late.'],
      scheduler: { late: ["cleanup"] },
    });
    expect((await health.ready()).status).toBe("ok");
  });

  test("a part that gets over a failure", async () => {
    const { health } = await healthOf(() => ({ faults: () => [undefined, new Error("the disk was full")] }));
    expect(await health.health()).toMatchObject({ status: "degraded", problems: ["the disk was full"] });
  });
});
