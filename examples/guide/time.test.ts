import { timeOn } from "decorator-framework";
import { createTestApp } from "decorator-framework/testing";
import { expect, test } from "vitest";
import "./time.ts";

test("the monitor runs every three seconds, aligned to the clock", async () => {
  const runs: [seconds: number, result: unknown][] = [];
  const start = Date.UTC(2026, 0, 1, 12, 0, 1);
  await using t = await createTestApp({
    now: start,
    use: [
      async (ctx, next) => {
        const result = await next();
        runs.push([(ctx.now() - start) / 1_000, result]);
        return result;
      },
    ],
  });
  await t.advance("9s");
  expect(runs).toEqual([
    [2, "系统监控: 正常运行"],
    [5, "系统监控: 正常运行"],
    [8, "系统监控: 正常运行"],
  ]);
});

test("of two tasks that fall due together, the one with the smaller priority begins first", async () => {
  const begun: string[] = [];
  timeOn("report", { every: "3s", priority: 2 }).execute(() => {});
  await using t = await createTestApp({
    use: [
      (ctx, next) => {
        begun.push(ctx.handler);
        return next();
      },
    ],
  });
  await t.advance("3s");
  t.app.registry.remove("report");
  expect(begun).toEqual(["system_monitor", "report"]);
});

test("with the scheduler off, nothing runs (SCHEDULER_ENABLED=false)", async () => {
  await using t = await createTestApp({ scheduler: false });
  await t.advance("1h");
  expect(t.app.scheduler.running).toBe(false);
  expect(await t.app.scheduler.tasks()).toMatchObject([{ name: "system_monitor", lastTick: undefined }]);
});
