import type { Middleware } from "decorator-framework";
import { createTestApp } from "decorator-framework/testing";
import { beforeEach, expect, test } from "vitest";
import { disk } from "./dead-letter.ts";

beforeEach(() => void (disk.full = true));

function recorder() {
  const ended: unknown[] = [];
  const use: Middleware[] = [
    async (ctx, next) => {
      const result = await next();
      ended.push([ctx.handler, ctx.id, result]);
      return result;
    },
  ];
  return { ended, use };
}

test("a task that fails for good is kept, and whoever listens hears of it", async () => {
  const { ended, use } = recorder();
  await using t = await createTestApp({ use });
  const id = await t.publish("task_requested", { task: "backup" });
  expect(t.deadLetters).toEqual([]);
  await t.advance("3s"); // 1 s, then 2 s: the third attempt is the last
  expect(t.deadLetters).toEqual([
    {
      id,
      handler: "runTask",
      event: "task_requested",
      payload: { task: "backup" },
      attempt: 3,
      reason: "exhausted",
      error: "磁盘已满",
    },
  ]);
  expect(ended).toEqual([["handleFailedTask", expect.any(String), "已记录到失败队列"]]);
});

test("Fatal spends no further attempt", async () => {
  await using t = await createTestApp();
  await t.publish("task_requested", { task: "" });
  expect(t.deadLetters).toMatchObject([{ attempt: 1, reason: "fatal", error: "任务没有名字" }]);
});

test("every attempt's error is kept; a replay keeps the id and runs the task once the cause is gone", async () => {
  const { ended, use } = recorder();
  await using t = await createTestApp({ use });
  const id = await t.publish("task_requested", { task: "backup" });
  await t.advance("3s");
  const { deadLetters } = t.app.engine;
  const [dead] = await deadLetters.list({ event: "task_requested" });
  const errors = JSON.parse(dead?.errors ?? "[]") as { attempt: number; message: string }[]; // as the engine contract says
  expect(errors.map(({ attempt, message }) => [attempt, message])).toEqual([
    [1, "磁盘已满"],
    [2, "磁盘已满"],
    [3, "磁盘已满"],
  ]);

  disk.full = false;
  expect(await deadLetters.replay({ id })).toBe(1);
  await t.advance(0);
  expect(ended).toContainEqual(["runTask", id, "任务完成: backup"]);
  expect(await deadLetters.count({})).toBe(0);
});

test("what nobody wants is discarded", async () => {
  await using t = await createTestApp();
  await t.publish("task_requested", { task: "" });
  expect(await t.app.engine.deadLetters.discard({ event: "task_requested" })).toBe(1);
  expect(await t.app.engine.deadLetters.count({})).toBe(0);
});
