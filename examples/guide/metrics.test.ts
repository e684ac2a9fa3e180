import { createTestApp } from "decorator-framework/testing";
import { expect, test } from "vitest";
import { samples } from "./metrics.ts";

test("events, commands and tasks are counted by how they ended, under the name that the guide's alert rule asks for", async () => {
  await using t = await createTestApp();
  await t.trigger("user_login", { username: "alice" });
  await t.trigger("user_login", { username: "" }).catch(() => {});
  await t.handle("/health");
  await t.advance("2h");

  const events = await samples(t.app, "事件处理延迟");
  expect(events).toContain('framework_events_total{event="user_login",handler="handleLogin",status="ok"} 1');
  expect(events).toContain(
    'framework_events_total{event="user_login",handler="handleLogin",status="error"} 1',
  );
  expect(await samples(t.app, "命令响应时间")).toContain(
    'framework_commands_total{command="/health",handler="health_check",status="ok"} 1',
  );
  const tasks = await samples(t.app, "定时任务成功率");
  expect(tasks).toContain('framework_time_tasks_total{task="backup_task",status="ok"} 2');
  expect(tasks).toContain('framework_time_task_drift_seconds_count{task="backup_task"} 2');
});

test("of the process its time on the processor and its memory are shown", async () => {
  await using t = await createTestApp();
  const [cpu, memory] = await samples(t.app, "系统资源使用率");
  expect(cpu).toMatch(/^process_cpu_seconds_total \d/);
  expect(Number(memory?.split(" ")[1])).toBeGreaterThan(1_000_000);
});
