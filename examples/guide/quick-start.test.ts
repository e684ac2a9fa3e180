import { CommandDispatcher, EventDispatcher } from "decorator-framework";
import { createTestApp } from "decorator-framework/testing";
import { expect, test } from "vitest";
import "./quick-start.ts";

test("a login is welcomed", async () => {
  const results = await new EventDispatcher().trigger("user_login", { username: "alice", userId: "U123" });
  expect(results).toEqual(["欢迎 alice"]);
});

test("the database is backed up at each full hour", async () => {
  const runs: [time: string, result: unknown][] = [];
  await using t = await createTestApp({
    now: Date.UTC(2026, 0, 1, 8, 30),
    use: [
      async (ctx, next) => {
        const result = await next();
        runs.push([new Date(ctx.now()).toISOString().slice(11, 16), result]);
        return result;
      },
    ],
  });
  await t.advance("2h");
  expect(runs).toEqual([
    ["09:00", "数据库备份完成"],
    ["10:00", "数据库备份完成"],
  ]);
});

test.each([
  ["/backup full", "执行全量备份"],
  ["/backup", "执行增量备份"],
  ["/backup other", "执行增量备份"],
])("%s", async (text, answer) => {
  expect(await new CommandDispatcher().handle(text)).toMatchObject({ status: "ok", text: answer });
});
