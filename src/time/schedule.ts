import { type Duration, toMs } from "../duration.ts";
import { DeclarationError } from "../errors.ts";
import type { TimeOptions, Timetable } from "../handler.ts";
import { CronTimetable } from "./cron-timetable.ts";
import { listOf, timetableOf } from "./timetable.ts";
import { isTimezone, momentOf } from "./wall-time.ts";

/** What becomes of ticks that fell due while nobody ran; see `TimeOptions.misfire`. */
export type Misfire = "skip" | "once" | "all";

/**
 * What decides when a task ticks, checked and in one spelling: alone what is alone, lists in order and without doubles. It
 * is stored with the task, and its hash tells whether replicas agree.
 */
export interface ScheduleDefinition {
  /** Milliseconds. */
  readonly every?: number | readonly number[];
  readonly cron?: string | readonly string[];
  /** Milliseconds since 1970. */
  readonly at?: number | readonly number[];
  readonly timezone?: string;
  /** Milliseconds. */
  readonly jitter?: number;
  /** Milliseconds since 1970; both belong to it. */
  readonly start?: number;
  readonly end?: number;
  readonly maxRuns?: number;
  readonly misfire: Misfire;
}

/** A schedule that was read and found right. */
export interface CompiledSchedule {
  readonly definition: ScheduleDefinition;
  readonly timetable: Timetable;
}

const SHORTEST = 10;
const LONGEST = 36_500 * 86_400_000;
/** Each rule is asked for each tick. */
const MOST_RULES = 100;

/**
 * Reads the part of a timer's options that says when it ticks; `timeOn` calls it so that a mistake fails where it stands.
 *
 * @param task The task's name; it decides the task's share of the jitter.
 * @throws {DeclarationError} `SCHEDULE_INVALID` or `DURATION_INVALID`, and what to write instead.
 */
export function compileSchedule(task: string, options: TimeOptions): CompiledSchedule {
  const definition = definitionOf(task, options);
  const { timezone, start, end } = definition;
  for (const line of listOf(definition.cron)) checkCron(task, line, timezone);
  const timetable = timetableOf(task, definition);
  if (start !== undefined && end !== undefined && timetable.next(start - 1) === undefined) {
    throw fault(task, "has no tick between its start and its end", "Both belong to the time between them");
  }
  return { definition, timetable };
}

/** Of two definitions that differ in anything the hashes differ. */
export function hashOf(definition: string): string {
  return process.getBuiltinModule("node:crypto").hash("sha256", definition, "hex").slice(0, 16);
}

/** What the options say about when a task ticks; a cron line is not read yet. @throws {DeclarationError} */
export function definitionOf(task: string, options: TimeOptions): ScheduleDefinition {
  const { every, cron, at, timezone, jitter, start, end, maxRuns } = options;
  checkRules(task, options);
  if (timezone !== undefined) checkTimezone(task, timezone, cron ?? at ?? start ?? end);
  if (maxRuns !== undefined) checkMaxRuns(task, maxRuns);
  checkWords(task, options);
  // The order is fixed, because the hash is taken of this object's JSON.
  const definition: Writable<Omit<ScheduleDefinition, "misfire">> = {};
  if (every !== undefined) definition.every = normal(every, (one) => readEvery(task, one));
  if (cron !== undefined) definition.cron = normal(cron, (one) => readCron(task, one));
  if (at !== undefined) definition.at = normal(at, (one) => readMoment(task, "at", one, timezone));
  if (cron !== undefined && timezone !== undefined && timezone !== "UTC") definition.timezone = timezone;
  if (jitter !== undefined) definition.jitter = toMs(jitter, `timeOn("${task}"): jitter`);
  if (start !== undefined) definition.start = readMoment(task, "start", start, timezone);
  if (end !== undefined) definition.end = readMoment(task, "end", end, timezone);
  if (maxRuns !== undefined) definition.maxRuns = maxRuns;
  return Object.assign(definition, { misfire: misfireOf(options) });
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A moment that comes once would be lost for good by a restart at the wrong time. */
export function misfireOf({ misfire, at }: TimeOptions): Misfire {
  return misfire ?? (at === undefined ? "skip" : "once");
}

/** In one spelling, whichever way it was written. */
function normal<In, Out extends number | string>(
  given: In | readonly In[],
  read: (one: In) => Out,
): Out | readonly Out[] {
  if (!Array.isArray(given)) return read(given as In); // Array.isArray does not know readonly arrays
  const values = [...new Set((given as readonly In[]).map(read))];
  const [only] = values;
  return only !== undefined && values.length === 1 ? only : values.sort((a, b) => (a < b ? -1 : 1));
}

function checkRules(task: string, { every, cron, at }: TimeOptions): void {
  const count = listOf(every).length + listOf(cron).length + listOf(at).length;
  if (count === 0) throw fault(task, "has none of every, cron and at", RULES);
  if (count > MOST_RULES) throw fault(task, `has ${count} rules`, `Write ${MOST_RULES} at the most`);
}

const RULES = `Write at least one: { every: "15m" }, { cron: "0 3 * * *" } or { at: "2026-12-31T23:59:00Z" }; of each a list, too`;

function checkMaxRuns(task: string, maxRuns: number): void {
  if (Number.isSafeInteger(maxRuns) && maxRuns >= 1) return;
  throw fault(task, `maxRuns is ${String(maxRuns)}`, "Write a whole number of at least 1");
}
function readEvery(task: string, every: Duration): number {
  const ms = toMs(every, `timeOn("${task}"): every`);
  if (Number.isInteger(ms) && ms >= SHORTEST && ms <= LONGEST) return ms;
  throw fault(
    task,
    `every is ${JSON.stringify(every)}`,
    `Write whole milliseconds, at least ${SHORTEST} and at most 100 years, such as "3s" or 500`,
  );
}

function readMoment(task: string, what: string, at: Date | string | number, timezone = "UTC"): number {
  const moment = typeof at === "string" ? momentOf(at, timezone) : Math.floor(Number(at));
  // A Date holds nothing beyond this, and whatever shows the moment makes a Date of it.
  if (moment !== undefined && Math.abs(moment) <= 8.64e15) return moment;
  const shown = typeof at === "string" ? JSON.stringify(at) : String(at);
  throw fault(
    task,
    `${what} is ${shown}, which names no moment`,
    `Write a Date, milliseconds since 1970, or text such as "2026-12-31T23:59:00+08:00"`,
  );
}

const ODD_SPACE = /^\s|\s$|\s\s|[^\S ]/;
const CRON_FORM = `Write 5 fields (minute hour day month weekday), 6 with seconds first, or a word such as @daily: "0 3 * * *" is every day at 3`;

function readCron(task: string, line: unknown): string {
  if (typeof line === "string") return ODD_SPACE.test(line) ? line.trim().replace(/\s+/g, " ") : line;
  throw fault(task, `cron is ${typeof line}, not text`, CRON_FORM);
}

function checkCron(task: string, line: string, timezone = "UTC"): void {
  let first: number | undefined;
  try {
    first = new CronTimetable(line, timezone, 0).next(A_LEAP_YEAR);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, "") : String(error);
    throw fault(task, `cron "${line}" is not a cron line: ${why.replace(/\.$/, "")}`, CRON_FORM, error);
  }
  if (first !== undefined) return;
  throw fault(task, `cron "${line}" names a day that never comes`, "Write days that the months have");
}

/** Asked from a fixed moment, so that the answer does not depend on today. */
const A_LEAP_YEAR = Date.UTC(2024, 0, 1);

function checkTimezone(task: string, timezone: string, read: unknown): void {
  if (read === undefined) {
    throw fault(
      task,
      "has a timezone with every",
      "Intervals are aligned to UTC; use cron for the hours of a zone",
    );
  }
  if (typeof timezone === "string" && isTimezone(timezone)) return;
  throw fault(
    task,
    `timezone ${JSON.stringify(timezone)} is not known`,
    'Write an IANA name such as "Asia/Shanghai" or "America/New_York"',
  );
}

const WORDS = {
  misfire: ["skip", "once", "all"],
  overlap: ["skip", "queue", "allow"],
  scope: ["cluster", "instance"],
} as const;

function checkWords(task: string, options: TimeOptions): void {
  for (const option of ["misfire", "overlap", "scope"] as const) {
    const value: string | undefined = options[option];
    const words: readonly string[] = WORDS[option];
    if (value === undefined || words.includes(value)) continue;
    throw fault(
      task,
      `${option} is ${JSON.stringify(value)}`,
      `Write ${words.map((word) => `"${word}"`).join(" or ")}`,
    );
  }
}

function fault(task: string, why: string, remedy: string, cause?: unknown): DeclarationError {
  return new DeclarationError("SCHEDULE_INVALID", `timeOn("${task}") ${why}. ${remedy}.`, { cause });
}
