import { type Family, gauge, type Sample } from "./exposition.ts";
import type { Snapshot } from "./snapshot.ts";

/** What all replicas share: queues, dead letters, who is alive, and how the tasks stand. */
export function clusterMetrics({ at, subscriptions, instances, tasks, unrouted }: Snapshot): Family[] {
  const queue = (of: (subscription: (typeof subscriptions)[number]) => number): Sample[] =>
    subscriptions.map((one) => ({ labels: { handler: one.handler }, value: of(one) }));
  const timers = (of: (task: (typeof tasks)[number]) => number | undefined): Sample[] =>
    tasks.flatMap((task) => {
      const value = of(task);
      return value === undefined ? [] : [{ labels: { task: task.name }, value }];
    });
  const dead = [...queue((one) => one.dead), { labels: { handler: "" }, value: unrouted }];
  return [
    gauge(
      "framework_queue_ready",
      "Messages that could be taken now.",
      queue((one) => one.ready),
    ),
    gauge(
      "framework_queue_waiting",
      "Messages that are not due, or behind one of their key.",
      queue((one) => one.waiting),
    ),
    gauge(
      "framework_queue_running",
      "Messages that some replica runs.",
      queue((one) => one.running),
    ),
    gauge(
      "framework_queue_oldest_seconds",
      "The age of the oldest message that could be taken.",
      queue(({ oldest }) => secondsSince(oldest, at)),
    ),
    gauge(
      "framework_dead_letters",
      "Messages that failed for good; without a handler, those nobody subscribed to.",
      dead,
    ),
    gauge("framework_instances", "Replicas that are alive.", [{ labels: {}, value: instances.length }]),
    gauge(
      "framework_task_last_success_timestamp_seconds",
      "The tick of the task that last ended well.",
      timers(({ lastSuccess }) => seconds(lastSuccess)),
    ),
    gauge(
      "framework_task_next_timestamp_seconds",
      "When the task is due; in the past while it is late.",
      timers(({ next, paused }) => (paused ? undefined : seconds(next))),
    ),
    gauge(
      "framework_task_paused",
      "Whether somebody paused the task.",
      timers(({ paused }) => (paused ? 1 : 0)),
    ),
  ];
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1_000;
}

function secondsSince(then: number | undefined, now: number): number {
  return then === undefined ? 0 : Math.max(0, now - then) / 1_000;
}
