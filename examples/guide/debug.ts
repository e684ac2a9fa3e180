/*
 * The guide, 故障排除: 调试命令, the three `python -c` one-liners.
 *
 *   node examples/guide/debug.ts
 *
 * From the shell, without a program: see the command lines in README.md.
 */

import { type App, createApp } from "decorator-framework";
import "./health.ts";
import "./quick-start.ts";

/** 查看注册的任务: what `ClassNucleus.get_registry().keys()` gives, with each one's kind and place. */
export function registered(app: App): { name: string; kind: string; site: string }[] {
  return app.registry.list().map(({ name, kind, site }) => ({ name, kind, site }));
}

if (import.meta.main) {
  await using app = createApp({ engine: "memory:", log: "warn", scheduler: false });
  console.log("已注册的任务:", registered(app));

  await app.start();
  // 测试单个命令
  console.log("命令结果:", await app.handle("/health"));
  // 测试事件
  console.log("事件结果:", await app.trigger("user_login", { username: "test" }));
}
