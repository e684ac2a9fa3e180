/*
 * The guide, 测试策略: its unit tests and its integration test, in TypeScript.
 *
 *   npx vitest run examples/guide/testing.test.ts
 *
 * The guide's unit tests declare into the one global registry, so each test sees what the ones before it declared. Here each
 * has its own. Its integration test only checks that three objects are not None; ours sends work through all four.
 */

import { CommandDispatcher, createRegistry, EventDispatcher, PatternDispatcher } from "decorator-framework";
import { TimeTaskScheduler } from "decorator-framework";
import { createTestApp, VirtualClock } from "decorator-framework/testing";
import { expect, test } from "vitest";

// --- 单元测试 -------------------------------------------------------------------------------------------------

test("test_user_registration", async () => {
  const registry = createRegistry();
  registry.on("test_registration").execute(async (data: { email: string }) => `注册成功: ${data.email}`);

  const [result] = await new EventDispatcher({ registry }).trigger("test_registration", {
    email: "test@example.com",
  });
  expect(result).toBe("注册成功: test@example.com");
});

test("test_command_handler", async () => {
  const registry = createRegistry();
  registry.commandOn("test_cmd", "/test").execute(async ({ args }) => `测试命令: ${args.join(" ")}`);

  const { text } = await new CommandDispatcher({ registry }).handle("/test hello");
  expect(text).toBe("测试命令: hello");
});

// --- 集成测试 -------------------------------------------------------------------------------------------------

test("test_full_workflow: each dispatcher on its own", async () => {
  const registry = createRegistry();
  const ticks: number[] = [];
  registry.on("user_login").execute((user: { username: string }) => `欢迎 ${user.username}`);
  registry.commandOn("health_check", "/health").execute(() => "健康检查: 状态正常");
  registry.reOn("error_detector", "content", /ERROR.*/).execute((match) => `检测到错误: ${match.text}`);
  registry.timeOn("system_monitor", { every: "3s" }).execute((tick) => void ticks.push(tick.scheduled));

  expect(await new EventDispatcher({ registry }).trigger("user_login", { username: "alice" })).toEqual([
    "欢迎 alice",
  ]);
  expect((await new CommandDispatcher({ registry }).handle("/health")).text).toBe("健康检查: 状态正常");
  expect(await new PatternDispatcher({ registry }).match("ERROR 1")).toMatchObject([
    { value: "检测到错误: ERROR 1" },
  ]);

  const clock = new VirtualClock(0);
  const scheduler = new TimeTaskScheduler({ registry, clock });
  await scheduler.start();
  await clock.advance("6s");
  await scheduler.stop();
  expect(ticks).toEqual([3_000, 6_000]);
});

test("test_full_workflow: all of them in one app, from a log line to a stored alert", async () => {
  const registry = createRegistry();
  const sent: string[] = [];
  registry
    .reOn("error_detector", "content", /ERROR (?<what>.*)/)
    .execute((match, ctx) => ctx.publish("alert", { what: match.groups.what }, { delay: "10s" }));
  registry.on("alert").execute((alert: { what: string }) => void sent.push(alert.what));
  registry.commandOn("sent", "/sent").execute(() => sent.join(", "));

  await using t = await createTestApp({ registry });
  await t.match("2025-01-15 ERROR disk full");
  expect(t.published("alert")).toEqual([{ what: "disk full" }]);
  await t.advance("9s");
  expect((await t.handle("/sent")).text).toBe("");
  await t.advance("1s");
  expect((await t.handle("/sent")).text).toBe("disk full");
  expect(t.deadLetters).toEqual([]);
});
