/*
 * The guide, 支持与维护: 监控指标, its four figures under the names that /metrics has for them.
 *
 *   node examples/guide/metrics.ts       and of an app with a port: curl http://127.0.0.1:8080/metrics
 *
 * To be asked in Prometheus, for instance the success rate:
 *   sum(rate(framework_time_tasks_total{status="ok"}[5m])) / sum(rate(framework_time_tasks_total[5m]))
 */

import { type App, commandOn, createApp, on, timeOn } from "decorator-framework";

/** What measures each of the guide's figures. */
export const FIGURES = {
  事件处理延迟: [
    "framework_events_total",
    "framework_event_duration_seconds",
    "framework_delivery_latency_seconds",
  ],
  命令响应时间: ["framework_commands_total", "framework_command_duration_seconds"],
  定时任务成功率: ["framework_time_tasks_total", "framework_time_task_drift_seconds"],
  系统资源使用率: ["process_cpu_seconds_total", "process_resident_memory_bytes"],
} as const;

on("user_login").execute(async function handleLogin({ username }: { username: string }) {
  if (username === "") throw new Error("没有用户名");
  return `欢迎 ${username}`;
});
commandOn("health_check", "/health").execute(async () => "健康检查: 状态正常");
timeOn("backup_task", { every: "1h" }).execute(async () => "数据库备份完成");

/** The samples of one figure, buckets of histograms left out. */
export async function samples(app: App, figure: keyof typeof FIGURES): Promise<string[]> {
  const { text } = await app.metrics();
  return text
    .split("\n")
    .filter((line) => FIGURES[figure].some((name) => line.startsWith(name)) && !line.includes("_bucket{"));
}

if (import.meta.main) {
  await using app = createApp({ engine: "memory:", log: "silent" });
  await app.start();
  await app.trigger("user_login", { username: "alice" });
  await app.trigger("user_login", { username: "" }).catch(String); // counted as an error
  await app.handle("/health");
  for (const figure of Object.keys(FIGURES) as (keyof typeof FIGURES)[]) {
    // its own keys
    console.log(figure, await samples(app, figure));
  }
}
