/*
 * The guide's four core snippets in the words in which it writes them: decorators, here on the methods of a class.
 *
 *   node dist/cli/main.js list examples/guide/decorators.ts
 *
 * Node runs TypeScript by stripping the types, and refuses decorators; so this file needs our command line, tsx or tsc.
 * With the original's `.execute()` TypeScript wants parentheses: @(on("x").execute()).
 */

import { commandOn, createApp, defineEvent, on, reOn, timeOn } from "decorator-framework";
import type { PatternMatch, PayloadOf } from "decorator-framework";
import { z } from "zod";

export const UserRegistration = defineEvent("user_registration", z.object({ email: z.email() }));

export class Guide {
  readonly #greeting = "用户注册成功";

  /** 处理用户注册事件 */
  @on(UserRegistration)
  async handleUserRegistration(userData: PayloadOf<typeof UserRegistration>) {
    return `${this.#greeting}: ${userData.email}`;
  }

  /** 每3秒执行的系统监控 */
  @timeOn("system_monitor", { every: "3s", priority: 1 })
  async monitorSystem() {
    return "系统监控: 正常运行";
  }

  /** 健康检查命令 */
  @commandOn("health_check", "/health")
  async healthCheck() {
    return "健康检查: 状态正常";
  }

  /** 错误检测, in the original's two steps. */
  @(reOn("error_detector", "content", /ERROR.*/).execute())
  async detectErrors(match: PatternMatch) {
    return `检测到错误: ${match.text}`;
  }
}

export const app = createApp({ handlers: [Guide] });
