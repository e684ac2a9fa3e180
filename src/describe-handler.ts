import { formatMs } from "./duration.ts";
import type { Handler } from "./handler.ts";
import { definitionOf, type ScheduleDefinition } from "./time/schedule.ts";
import { listOf } from "./time/timetable.ts";

/** A handler as lists show it; everything survives JSON. */
export interface HandlerDescription {
  readonly name: string;
  readonly kind: Handler["kind"];
  /** What makes it run, for people: the topic, the schedule, the usage, the field and pattern. */
  readonly trigger: string;
  readonly description?: string;
  /** Of an event's handler. */
  readonly topic?: string;
  readonly priority: number;
  /** What was asked for beside that; functions are `"(function)"`, and `schema` is `true` where payloads are checked. */
  readonly options: Readonly<Record<string, unknown>>;
  /** `file:line:column` of the declaration. */
  readonly site: string;
}

/** Describes a handler for lists. */
export function describeHandler(handler: Handler): HandlerDescription {
  const { name, kind, options, site } = handler;
  return {
    name,
    kind,
    trigger: triggerOf(handler),
    ...(options.description === undefined ? {} : { description: options.description }),
    ...(handler.kind === "event" ? { topic: handler.topic } : {}),
    priority: options.priority ?? 0,
    options: optionsOf(handler),
    site,
  };
}

/** What a description says elsewhere. */
const SAID = new Set(["name", "description", "priority", "every", "cron", "at", "timezone"]);

function optionsOf(handler: Handler): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  if (handler.kind === "event" && handler.schema) options["schema"] = true;
  for (const [key, value] of Object.entries(handler.options)) {
    if (!SAID.has(key) && value !== undefined) options[key] = key === "schema" ? true : plain(value);
  }
  return options;
}

/** A value that JSON can hold. */
function plain(value: unknown): unknown {
  if (typeof value === "function") return "(function)";
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

function triggerOf(handler: Handler): string {
  switch (handler.kind) {
    case "event":
      return handler.topic;
    case "time":
      return scheduleText(definitionOf(handler.name, handler.options));
    case "command":
      return handler.usage;
    case "pattern":
      return `${handler.field} ${String(handler.pattern)}`;
  }
}

/** When a task ticks, for people: `every 15m`, `cron 0 3 * * * (Asia/Shanghai)`, and what bounds it. */
export function scheduleText({ every, cron, at, timezone, start, end, maxRuns }: ScheduleDefinition): string {
  const zone = timezone === undefined ? "" : ` (${timezone})`;
  return [
    ...listOf(every).map((ms) => `every ${formatMs(ms)}`),
    ...listOf(cron).map((line) => `cron ${line}${zone}`),
    ...listOf(at).map((moment) => `at ${isoOf(moment)}`),
    ...(start === undefined ? [] : [`from ${isoOf(start)}`]),
    ...(end === undefined ? [] : [`until ${isoOf(end)}`]),
    ...(maxRuns === undefined ? [] : [`${maxRuns} ${maxRuns === 1 ? "run" : "runs"} at most`]),
  ].join(", ");
}

function isoOf(moment: number): string {
  return new Date(moment).toISOString();
}
