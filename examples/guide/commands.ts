/*
 * The guide, 核心功能 3: 命令处理 (@command_on), `health_check`.
 *
 *   node examples/guide/commands.ts
 *
 * The same on a method (see decorators.ts):
 *
 *   class Operations { @commandOn("health_check", "/health") async health() { … } }
 */

import { CommandDispatcher, commandOn } from "decorator-framework";

/** 健康检查命令 */
export const healthCheck = commandOn("health_check", "/health", { description: "健康检查" }).execute(
  async () => "健康检查: 状态正常",
);

if (import.meta.main) {
  const dispatcher = new CommandDispatcher();
  for (const text of ["/health", "/helth", "good morning", "/help"]) {
    const reply = await dispatcher.handle(text, { locale: "zh" });
    console.log(`${text} -> ${reply.status}: ${reply.text}`);
  }
}
