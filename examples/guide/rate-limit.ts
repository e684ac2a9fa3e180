/*
 * The guide, 安全最佳实践 2: 内置速率限制, `rate_limited_api`.
 *
 *   node examples/guide/rate-limit.ts
 */

import { CommandDispatcher, commandOn } from "decorator-framework";

/** 带60秒冷却的命令. The guide's one cooldown for everybody; `{ per: "60s", scope: "user" }` has one for each user. */
commandOn("api_call", "/api", { cooldown: "60s" }).execute(async () => "API调用成功");

/** The same, counted for each user. */
commandOn("my_api_call", "/my-api", { cooldown: { per: "60s", scope: "user" } }).execute(
  async () => "API调用成功",
);

if (import.meta.main) {
  const dispatcher = new CommandDispatcher();
  for (const [text, user] of [
    ["/api", "ann"],
    ["/api", "bob"],
    ["/my-api", "ann"],
    ["/my-api", "bob"],
  ] as const) {
    const { status, text: answer } = await dispatcher.handle(text, { user, locale: "zh" });
    console.log(`${user}: ${text} -> ${status}: ${answer}`);
  }
}
