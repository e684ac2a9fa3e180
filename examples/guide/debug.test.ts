import { createTestApp } from "decorator-framework/testing";
import { expect, test } from "vitest";
import { registered } from "./debug.ts";

test("what is registered is listed, in order of declaration, each with its kind and its place", async () => {
  await using t = await createTestApp();
  expect(registered(t.app)).toEqual([
    { name: "health_check", kind: "command", site: expect.stringMatching(/health\.ts:\d+/) },
    { name: "handleLogin", kind: "event", site: expect.stringMatching(/quick-start\.ts:\d+/) },
    { name: "backup_task", kind: "time", site: expect.stringMatching(/quick-start\.ts:\d+/) },
    { name: "backup", kind: "command", site: expect.stringMatching(/quick-start\.ts:\d+/) },
  ]);
});

test("one command and one event can be tried", async () => {
  await using t = await createTestApp();
  expect((await t.handle("/health")).text).toBe("健康检查: 状态正常 - 框架运行中");
  expect(await t.trigger("user_login", { username: "test" })).toEqual(["欢迎 test"]);
});
