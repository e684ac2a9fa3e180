/*
 * The guide, 快速开始 2: 基础使用示例, `handle_login`, `backup_database` and `backup_command` in one program.
 *
 *   node examples/guide/quick-start.ts
 *
 * The dispatchers stand on their own here, as in the guide: no app, no engine, nothing stored. examples/quick-start.ts
 * is the same size with an app around it.
 */

import {
  CommandDispatcher,
  commandOn,
  EventDispatcher,
  on,
  TimeTaskScheduler,
  timeOn,
} from "decorator-framework";

// --- 创建事件处理器 -------------------------------------------------------------------------------------------

/** 处理用户登录 */
on("user_login").execute(async function handleLogin(userData: { username: string; userId?: string }) {
  return `欢迎 ${userData.username}`;
});

// --- 创建定时任务 ---------------------------------------------------------------------------------------------

/** 每小时备份数据库 */
timeOn("backup_task", { every: "1h", priority: 1 }).execute(async function backupDatabase() {
  return "数据库备份完成";
});

// --- 创建命令处理器 -------------------------------------------------------------------------------------------

/** 手动备份命令. Without arguments in the usage, the handler gets the words that follow, as in the guide. */
commandOn("backup", "/backup").execute(async ({ args }) => {
  if (args[0] === "full") return "执行全量备份";
  return "执行增量备份";
});

if (import.meta.main) {
  const [welcome] = await new EventDispatcher().trigger("user_login", { username: "alice", userId: "U123" });
  console.log(welcome);

  const reply = await new CommandDispatcher().handle("/backup full");
  console.log(reply.text);

  const scheduler = new TimeTaskScheduler();
  await scheduler.start();
  for (const { name, next } of await scheduler.tasks()) {
    console.log(name, "->", next === undefined ? "never" : new Date(next).toISOString());
  }
  await scheduler.stop(); // without this line the program would go on, and back up at every full hour
}
