import { execFileSync, spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { CancelledError } from "../../src/errors.ts";
import { createMetrics, type MetricSources } from "../../src/observe/metrics.ts";
import type { HandlerStats } from "../../src/pipeline/stats.ts";
import { setting } from "./setting.ts";

/** Metrics of a registry with a handler of each kind, one of which has run. */
async function measured(change: Partial<MetricSources> = {}) {
  const { registry, pipeline, engine, tasks, snapshot } = await setting();
  registry.on("order.*").execute(function bill() {});
  registry.commandOn("backup", "/db backup [mode]").execute(() => "done");
  registry.reOn("errors", "content", /ERROR/).execute(() => "seen");
  registry.timeOn("cleanup", { every: "1m" }).execute(() => {});
  for (const handler of registry.list()) pipeline.runner(handler);
  const metrics = createMetrics({
    version: "1.2.3",
    engine: engine.name,
    runners: () => pipeline.runners(),
    snapshot,
    ...change,
  });
  const stats = (name: string): HandlerStats => {
    const handler = registry.get(name);
    if (!handler) throw new Error(`no handler ${name}`);
    return pipeline.runner(handler).stats;
  };
  return { metrics, engine, tasks, registry, pipeline, stats };
}

test("counts the runs of each kind by how they ended, from zero", async () => {
  const { metrics, stats } = await measured({ unhandled: () => 4 });
  Object.assign(stats("bill"), { ok: 2, error: 1, timeout: 3 });
  const text = await metrics.render();
  for (const line of [
    'framework_events_total{event="order.*",handler="bill",status="ok"} 2',
    'framework_events_total{event="order.*",handler="bill",status="error"} 1',
    'framework_events_total{event="order.*",handler="bill",status="timeout"} 3',
    'framework_events_total{event="",handler="",status="unhandled"} 4',
    'framework_commands_total{command="/db backup",handler="backup",status="ok"} 0',
    'framework_commands_total{command="/db backup",handler="backup",status="error"} 0',
    'framework_patterns_total{handler="errors",status="ok"} 0',
    'framework_time_tasks_total{task="cleanup",status="ok"} 0',
    'framework_build_info{version="1.2.3",engine="memory",node="' + process.version + '"} 1',
    "framework_engine_up 1",
    "framework_instances 1",
  ]) {
    expect(text.split("\n")).toContain(line);
  }
  expect(text).not.toContain('handler="bill",status="cancelled"');
});

test("what really ran is counted and timed in seconds", async () => {
  const { metrics, registry, pipeline } = await measured();
  const bill = registry.get("bill");
  if (!bill) throw new Error("not declared");
  await pipeline.runner(bill).call({});
  const failing = registry.on("odd", { name: "failing" });
  failing.execute(() => {
    throw new CancelledError("no");
  });
  const odd = registry.get("failing");
  if (!odd) throw new Error("not declared");
  await expect(pipeline.runner(odd).call({})).rejects.toThrow("no");
  const text = await metrics.render();
  expect(text).toContain('framework_events_total{event="order.*",handler="bill",status="ok"} 1\n');
  expect(text).toContain('framework_events_total{event="odd",handler="failing",status="cancelled"} 1\n');
  expect(text).toContain('framework_event_duration_seconds_count{handler="bill"} 1\n');
  expect(text).toContain('framework_event_duration_seconds_bucket{handler="bill",le="60"} 1\n');
  expect(text).not.toContain("framework_pattern_duration_seconds_bucket");
});

test("lateness is latency for events and drift for tasks", async () => {
  const { metrics, stats } = await measured();
  stats("bill").lateness.observe(30);
  stats("cleanup").lateness.observe(1_500);
  stats("cleanup").duration.observe(2_000);
  const text = await metrics.render();
  expect(text).toContain('framework_delivery_latency_seconds_bucket{handler="bill",le="0.025"} 0\n');
  expect(text).toContain('framework_delivery_latency_seconds_bucket{handler="bill",le="0.05"} 1\n');
  expect(text).toContain('framework_time_task_drift_seconds_sum{task="cleanup"} 1.5\n');
  expect(text).toContain('framework_time_task_duration_seconds_sum{task="cleanup"} 2\n');
});

test("queues, dead letters and tasks come from the engine", async () => {
  const { metrics, engine, tasks } = await measured();
  await engine.queue.subscribe([{ handler: "bill", topic: "order.paid" }]);
  const due = engine.now();
  await engine.queue.publish([
    { event: "order.paid", payload: "1", priority: 0, due },
    { event: "order.paid", payload: "2", priority: 0, due: due + 60_000 },
    { event: "nobody.cares", payload: "3", priority: 0, due },
  ]);
  tasks.push(
    { name: "cleanup", next: 90_000, paused: false, lastSuccess: 30_000 },
    { name: "report", next: undefined, paused: true, lastSuccess: undefined },
  );
  const lines = (await metrics.render()).split("\n");
  expect(lines).toEqual(
    expect.arrayContaining([
      'framework_queue_ready{handler="bill"} 1',
      'framework_queue_waiting{handler="bill"} 1',
      'framework_queue_running{handler="bill"} 0',
      'framework_dead_letters{handler="bill"} 0',
      'framework_dead_letters{handler=""} 1',
      'framework_task_last_success_timestamp_seconds{task="cleanup"} 30',
      'framework_task_next_timestamp_seconds{task="cleanup"} 90',
      'framework_task_paused{task="cleanup"} 0',
      'framework_task_paused{task="report"} 1',
    ]),
  );
  expect(lines.filter((line) => line.includes('task="report"'))).toHaveLength(1);
});

test("an engine that is away leaves the numbers of this process", async () => {
  const { metrics } = await measured({ snapshot: () => Promise.reject(new Error("away")) });
  const text = await metrics.render();
  expect(text).toContain("framework_engine_up 0\n");
  expect(text).toContain("framework_retries_total");
  expect(text).toContain("process_cpu_seconds_total");
  expect(text).not.toContain("framework_queue_ready");
});

test("what observes the process is shared by all apps of it", async () => {
  const [one, other] = [await measured(), await measured()];
  const count = (text: string): number => text.split("# TYPE process_cpu_seconds_total").length - 1;
  expect([count(await one.metrics.render()), count(await other.metrics.render())]).toEqual([1, 1]);
});

const found = spawnSync("promtool", ["--version"]).error === undefined;
const mustHave = process.env["REQUIRE_SERVERS"] === "1";

test("promtool has nothing to say against them", async ({ skip }) => {
  if (!found && !mustHave) skip("promtool is not on this machine");
  const { metrics, stats, tasks } = await measured({ unhandled: () => 1 });
  stats("bill").duration.observe(3);
  stats("bill").lateness.observe(3);
  stats("cleanup").lateness.observe(3);
  tasks.push({ name: "cleanup", next: 90_000, paused: false, lastSuccess: 30_000 });
  const input = await metrics.render();
  expect(execFileSync("promtool", ["check", "metrics"], { input, encoding: "utf8" })).toBe("");
});
