import { CommandDispatcher } from "decorator-framework";
import { expect, test } from "vitest";
import "./input-validation.ts";

const dispatcher = new CommandDispatcher();
const inChinese = (text: string) => dispatcher.handle(text, { locale: "zh" });

test.each([
  ["/user", "错误: 参数不足"],
  ["/user alice", "错误: 参数不足"],
  ["/user al show", "错误: 用户ID太短"],
  ["/user %%%% show", "错误: 用户ID太短"],
  ["/user alice show", "执行 show 成功"],
])("by hand, as in the guide: %s", async (text, answer) => {
  expect((await dispatcher.handle(text)).text).toBe(answer);
});

test("declared: what is missing is asked for, with the usage", async () => {
  const reply = await inChinese("/account");
  expect(reply.status).toBe("invalid");
  expect(reply.text).toContain("缺少参数 id");
  expect(reply.text).toContain("用法：/account <id> <action:show|ban|unban>");
});

test("declared: a word that is no action is answered with those there are", async () => {
  const reply = await inChinese("/account alice delete");
  expect(reply).toMatchObject({
    status: "invalid",
    data: { problems: [{ code: "misfit", argument: "action" }] },
  });
  expect(reply.text).toContain("show 或 ban 或 unban");
});

test("declared: the schema's own words reach the caller, and the handler never sees what does not fit", async () => {
  expect((await inChinese("/account al show")).text).toContain("id：用户ID太短");
  expect((await inChinese("/account 'ali ce' show")).text).toContain("id：只能包含字母、数字、_ 和 -");
  expect(await inChinese("/account alice ban")).toMatchObject({ status: "ok", text: "执行 ban 成功: alice" });
});
