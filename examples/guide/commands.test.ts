import { CommandDispatcher } from "decorator-framework";
import { createTestApp } from "decorator-framework/testing";
import { expect, test } from "vitest";
import { healthCheck } from "./commands.ts";

test("the command answers with a reply: a status for programs, a text for people", async () => {
  await using t = await createTestApp();
  expect(await t.handle("/health")).toMatchObject({
    status: "ok",
    text: "健康检查: 状态正常",
    data: "健康检查: 状态正常",
    command: "health_check",
  });
  expect(t.replies).toHaveLength(1);
  expect(await healthCheck()).toBe("健康检查: 状态正常");
});

test("a slip of the pen is answered with the command that was meant, in Chinese when asked", async () => {
  const dispatcher = new CommandDispatcher();
  const english = await dispatcher.handle("/helth");
  expect(english).toMatchObject({ status: "unknown" });
  expect(english.text).toContain("/health");
  expect((await dispatcher.handle("/helth", { locale: "zh-CN" })).text).toBe(
    '没有命令 "/helth"。您是不是要找 /health？',
  );
});

test("text without a command in it is none of our business", async () => {
  expect(await new CommandDispatcher().handle("good morning")).toMatchObject({
    status: "not_a_command",
    text: "",
  });
});

test("/help lists the command with its description", async () => {
  const { status, text } = await new CommandDispatcher().handle("/help", { locale: "zh" });
  expect(status).toBe("ok");
  expect(text).toContain("/health");
  expect(text).toContain("健康检查");
});
