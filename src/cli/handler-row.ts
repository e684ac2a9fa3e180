import { formatMs } from "../duration.ts";
import type { Handler } from "../handler.ts";

/** A handler as lists show it, and as JSON can hold it. */
export interface HandlerRow {
  readonly kind: Handler["kind"];
  readonly name: string;
  /** What it fires on: a topic, a schedule, a usage string, a field and its pattern. */
  readonly on: string;
  readonly description?: string;
  /** What was asked for beside that; functions are `"(function)"`. */
  readonly options: Readonly<Record<string, unknown>>;
  /** `file:line:column` of the declaration. */
  readonly site: string;
}

/** What is shown elsewhere in the row. */
const ELSEWHERE = new Set(["name", "description", "every", "cron", "at", "timezone"]);

/** Describes a handler. */
export function handlerRow(handler: Handler): HandlerRow {
  const { kind, name, site } = handler;
  const { description } = handler.options;
  const checked = handler.kind === "event" && handler.schema !== undefined;
  const options = Object.entries(handler.options)
    .filter(([key, value]) => !ELSEWHERE.has(key) && value !== undefined)
    .map(([key, value]) => [key, key === "schema" ? true : plain(value)] as const);
  return {
    kind,
    name,
    on: firesOn(handler),
    ...(description !== undefined && { description }),
    options: { ...(checked && { schema: true }), ...Object.fromEntries(options) },
    site,
  };
}

/** A row's options on one line: `retry=3 cooldown=60s`. */
export function showOptions(options: HandlerRow["options"]): string {
  return Object.entries(options)
    .map(([key, value]) => (value === true ? key : `${key}=${showOption(value)}`))
    .join(" ");
}

function firesOn(handler: Handler): string {
  switch (handler.kind) {
    case "event":
      return handler.topic;
    case "command":
      return handler.usage;
    case "pattern":
      return `${handler.field} ${String(handler.pattern)}`;
    case "time":
      return scheduleOf(handler.options);
  }
}

function scheduleOf({ every, cron, at, timezone }: Extract<Handler, { kind: "time" }>["options"]): string {
  if (every !== undefined) return `every ${typeof every === "number" ? formatMs(every) : every}`;
  if (cron !== undefined) return `cron ${cron}${timezone === undefined ? "" : ` (${timezone})`}`;
  const moment = new Date(at ?? Number.NaN);
  return `at ${Number.isNaN(moment.getTime()) ? String(at) : moment.toISOString()}`;
}

/** A value that JSON can hold. */
function plain(value: unknown): unknown {
  if (typeof value === "function") return "(function)";
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

function showOption(value: unknown): string {
  if (Array.isArray(value)) return value.map(showOption).join(",");
  if (typeof value !== "object" || value === null) return String(value);
  const parts = Object.entries(value).map(([key, inner]) => `${key}:${showOption(inner)}`);
  return `{${parts.join(",")}}`;
}
