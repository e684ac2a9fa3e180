import type { Middleware } from "decorator-framework";
import { createTestApp } from "decorator-framework/testing";
import { expect, test } from "vitest";
import { app, Guide, UserRegistration } from "./decorators.ts";

test("decorated methods are handlers of all four kinds, called on an object of their class", async () => {
  const ticks: unknown[] = [];
  const use: Middleware[] = [
    async (ctx, next) => {
      const result = await next();
      if (ctx.kind === "time") ticks.push(result);
      return result;
    },
  ];
  await using t = await createTestApp({ handlers: [Guide], use });
  expect(await t.trigger(UserRegistration, { email: "alice@example.com" })).toEqual([
    "用户注册成功: alice@example.com",
  ]);
  expect((await t.handle("/health")).text).toBe("健康检查: 状态正常");
  expect(await t.match("ERROR disk full")).toMatchObject([{ value: "检测到错误: ERROR disk full" }]);
  await t.advance("3s");
  expect(ticks).toEqual(["系统监控: 正常运行"]);
});

test("a class that is given to one app is not seen by another", async () => {
  expect(app.registry.list().map(({ name }) => name)).toEqual([
    "Guide.handleUserRegistration",
    "system_monitor",
    "health_check",
    "error_detector",
  ]);
  await using other = await createTestApp();
  expect(await other.handle("/health")).toMatchObject({ status: "unknown" });
});
