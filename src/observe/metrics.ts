import type { Handler } from "../handler.ts";
import { BUCKETS_MS, type HandlerStats, type Histogram } from "../pipeline/stats.ts";
import {
  EXPOSITION_TYPE,
  type Family,
  histogramSamples,
  type Labels,
  type Sample,
  writeFamilies,
} from "./exposition.ts";
import { processMetrics } from "./process-metrics.ts";
import type { Snapshot } from "./snapshot.ts";

/** Where the numbers come from. Everything is asked when somebody scrapes, so that counting costs runs nothing more. */
export interface MetricSources {
  /** Of the framework. */
  readonly version: string;
  /** The engine's name, `"sqlite"`. */
  readonly engine: string;
  /** Each handler with what was counted of it. */
  readonly runners: () => Iterable<Counted>;
  /** How many triggered events found no handler. */
  readonly unhandled?: () => number;
  /** What the engine knows; rejects when it cannot be asked. See `takeSnapshot`. */
  readonly snapshot: () => Promise<Snapshot>;
}

/** A handler and what was counted of it. */
export interface Counted {
  readonly handler: Handler;
  readonly stats: HandlerStats;
}

/** Metrics for Prometheus. */
export interface Metrics {
  readonly contentType: string;
  /** All metrics as text. Never rejects for the engine's sake: `framework_engine_up` says whether it answered. */
  readonly render: () => Promise<string>;
}

/**
 * Makes the metrics of an app.
 * @example
 * const metrics = createMetrics({ version, engine: "memory", runners: () => pipeline.runners(), snapshot });
 * const text = await metrics.render();
 */
export function createMetrics(sources: MetricSources): Metrics {
  return {
    contentType: EXPOSITION_TYPE,
    async render() {
      const [process, snapshot] = await Promise.all([
        processMetrics(),
        sources.snapshot().catch(() => undefined),
      ]);
      const counted = [...sources.runners()];
      const families = [
        ...aboutBuild(sources, snapshot !== undefined),
        ...KINDS.flatMap((kind) => aboutRuns(kind, counted, sources)),
        ...aboutHandlers(counted),
        ...(snapshot ? aboutCluster(snapshot) : []),
      ];
      return `${writeFamilies(families)}${process}`;
    },
  };
}

/** What the metrics of one kind are called. */
interface KindMetrics {
  readonly kind: Handler["kind"];
  readonly total: string;
  readonly what: string;
  readonly duration: string;
  readonly lateness?: readonly [name: string, help: string];
  /** The label that names the handler. */
  readonly label: "handler" | "task";
  /** What is told of the handler beside its name. */
  readonly more: (handler: Handler) => Labels;
}

const KINDS: readonly KindMetrics[] = [
  {
    kind: "event",
    total: "framework_events_total",
    what: "event handlers",
    duration: "framework_event_duration_seconds",
    lateness: [
      "framework_delivery_latency_seconds",
      "From when a message was due to when its handler began.",
    ],
    label: "handler",
    // The topic and not the event's own name: with wildcards there is no end to those.
    more: (handler) => ({ event: handler.kind === "event" ? handler.topic : "" }),
  },
  {
    kind: "command",
    total: "framework_commands_total",
    what: "command handlers",
    duration: "framework_command_duration_seconds",
    label: "handler",
    more: (handler) => ({ command: handler.kind === "command" ? wordsOf(handler.usage) : "" }),
  },
  {
    kind: "pattern",
    total: "framework_patterns_total",
    what: "pattern handlers",
    duration: "framework_pattern_duration_seconds",
    label: "handler",
    more: () => ({}),
  },
  {
    kind: "time",
    total: "framework_time_tasks_total",
    what: "timed tasks",
    duration: "framework_time_task_duration_seconds",
    lateness: ["framework_time_task_drift_seconds", "From when a tick was due to when its task began."],
    label: "task",
    more: () => ({}),
  },
];

const STATUSES = ["ok", "error", "timeout", "cancelled", "limited"] as const;
const BOUNDS = BUCKETS_MS.map((ms) => ms / 1_000);

function aboutBuild({ version, engine }: MetricSources, up: boolean): Family[] {
  const labels = { version, engine, node: process.version };
  return [
    gauge("framework_build_info", "Always 1; says in its labels what runs.", [{ labels, value: 1 }]),
    gauge("framework_engine_up", "Whether the engine answered this scrape.", [
      { labels: {}, value: up ? 1 : 0 },
    ]),
  ];
}

function aboutRuns(kind: KindMetrics, all: readonly Counted[], { unhandled }: MetricSources): Family[] {
  const counted = all.filter(({ handler }) => handler.kind === kind.kind);
  const nameOf = ({ handler }: Counted): Labels => ({ [kind.label]: handler.name });
  const totals = counted.flatMap((one) =>
    statusSamples({ ...kind.more(one.handler), ...nameOf(one) }, one.stats),
  );
  if (kind.kind === "event" && unhandled) {
    totals.push({ labels: { event: "", handler: "", status: "unhandled" }, value: unhandled() });
  }
  const histogram = (name: string, help: string, of: (stats: HandlerStats) => Histogram): Family => ({
    name,
    type: "histogram",
    help,
    samples: counted.flatMap((one) => secondsSamples(nameOf(one), of(one.stats))),
  });
  const families = [
    counter(kind.total, `Runs of ${kind.what}, by how they ended.`, totals),
    histogram(kind.duration, `How long ${kind.what} ran.`, ({ duration }) => duration),
  ];
  if (kind.lateness) families.push(histogram(...kind.lateness, ({ lateness }) => lateness));
  return families;
}

/** `ok` and `error` from the start: an alert on a rate sees nothing of a series that begins with its first error. */
function statusSamples(labels: Labels, stats: HandlerStats): Sample[] {
  return STATUSES.filter((status) => status === "ok" || status === "error" || stats[status] > 0).map(
    (status) => ({ labels: { ...labels, status }, value: stats[status] }),
  );
}

/** None for a handler that never ran: a histogram is long, and most patterns never match. */
function secondsSamples(labels: Labels, { counts, sum }: Histogram): Sample[] {
  return counts.some((count) => count > 0) ? histogramSamples(labels, BOUNDS, counts, sum / 1_000) : [];
}

function aboutHandlers(counted: readonly Counted[]): Family[] {
  const each = (numbers: readonly Counted[], of: (stats: HandlerStats) => number): Sample[] =>
    numbers.map(({ handler, stats }) => ({ labels: { handler: handler.name }, value: of(stats) }));
  const delivered = counted.filter(({ handler }) => handler.kind === "event" || handler.kind === "time");
  return [
    counter(
      "framework_retries_total",
      "Attempts after the first.",
      each(counted, ({ retries }) => retries),
    ),
    counter(
      "framework_dead_total",
      "Messages that this process gave up.",
      each(delivered, ({ dead }) => dead),
    ),
    counter(
      "framework_lost_leases_total",
      "Messages that others took over while this process still ran them.",
      each(delivered, ({ lost }) => lost),
    ),
    gauge(
      "framework_handlers_running",
      "Runs under way.",
      each(counted, ({ running }) => running),
    ),
    gauge(
      "framework_handlers_abandoned",
      "Runs that were given up and have not returned: their function ignores its signal.",
      each(counted, ({ abandoned }) => abandoned),
    ),
  ];
}

function aboutCluster({ at, subscriptions, instances, tasks, unrouted }: Snapshot): Family[] {
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

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: "gauge", help, samples };
}

function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: "counter", help, samples };
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1_000;
}

function secondsSince(then: number | undefined, now: number): number {
  return then === undefined ? 0 : Math.max(0, now - then) / 1_000;
}

/** The words of a command before its first argument: `/db migrate` of `/db migrate <name>`. */
function wordsOf(usage: string): string {
  const words = usage.trim().split(/\s+/);
  const end = words.findIndex((word) => /^[[<-]/.test(word));
  return words.slice(0, end < 0 ? words.length : end).join(" ");
}
