import type { Handler } from "../handler.ts";
import { BUCKETS_MS, type HandlerStats, type Histogram } from "../pipeline/stats.ts";
import { counter, type Family, gauge, histogramSamples, type Labels, type Sample } from "./exposition.ts";

/** A handler and what was counted of it. */
export interface Counted {
  readonly handler: Handler;
  readonly stats: HandlerStats;
}

/**
 * What this process counted of its handlers: runs of each kind by how they ended, how long they took and how late they
 * began, retries and losses.
 *
 * @param unhandled How many triggered events found no handler.
 */
export function runMetrics(counted: readonly Counted[], unhandled: number): Family[] {
  return [...KINDS.flatMap((kind) => aboutRuns(kind, counted, unhandled)), ...aboutHandlers(counted)];
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

const STATUSES = ["ok", "error", "timeout", "cancelled", "limited", "snoozed"] as const;
const BOUNDS = BUCKETS_MS.map((ms) => ms / 1_000);

function aboutRuns(kind: KindMetrics, all: readonly Counted[], unhandled: number): Family[] {
  const counted = all.filter(({ handler }) => handler.kind === kind.kind);
  const nameOf = ({ handler }: Counted): Labels => ({ [kind.label]: handler.name });
  const totals = counted.flatMap((one) =>
    statusSamples({ ...kind.more(one.handler), ...nameOf(one) }, one.stats),
  );
  if (kind.kind === "event") {
    totals.push({ labels: { event: "", handler: "", status: "unhandled" }, value: unhandled });
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

/** The words of a command before its first argument: `/db migrate` of `/db migrate <name>`. */
function wordsOf(usage: string): string {
  const words = usage.trim().split(/\s+/);
  const end = words.findIndex((word) => /^[[<-]/.test(word));
  return words.slice(0, end < 0 ? words.length : end).join(" ");
}
