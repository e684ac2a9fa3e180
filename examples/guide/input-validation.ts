/*
 * The guide, 安全最佳实践 1: 输入验证, `handle_user_command`.
 *
 *   node examples/guide/input-validation.ts
 *
 * Twice: by hand as in the guide, and declared, which is what we would write.
 */

import { CommandDispatcher, commandOn } from "decorator-framework";
import { z } from "zod";

/** 安全的用户命令处理. The guide's own checks, line by line. */
commandOn("user_command", "/user").execute(async ({ args }) => {
  const [id, action] = args;
  if (id === undefined || action === undefined) return "错误: 参数不足";

  const userId = id.replace(/[^a-zA-Z0-9_-]/g, "");
  if (userId.length < 3) return "错误: 用户ID太短";

  return `执行 ${action} 成功`;
});

/**
 * Declared: the usage says what is missing, the schema what does not fit; the handler sees only what passed. An id with odd
 * characters is refused here. The guide strips them, and so acts on a user whom nobody named.
 */
commandOn("account_command", "/account <id> <action:show|ban|unban>", {
  schema: z.object({
    id: z
      .string()
      .min(3, "用户ID太短")
      .regex(/^[\w-]*$/, "只能包含字母、数字、_ 和 -"),
    action: z.enum(["show", "ban", "unban"]),
  }),
}).execute(async ({ id, action }) => `执行 ${action} 成功: ${id}`);

if (import.meta.main) {
  const dispatcher = new CommandDispatcher();
  for (const text of [
    "/user",
    "/user al show",
    "/user alice show",
    "/account al",
    "/account a%b ban",
    "/account alice ban",
  ]) {
    const { status, text: answer } = await dispatcher.handle(text, { locale: "zh" });
    console.log(`${text} -> ${status}: ${answer}\n`);
  }
}
