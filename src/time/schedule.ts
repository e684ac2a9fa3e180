import { toMs } from "../duration.ts";
import { DeclarationError } from "../errors.ts";
import type { TimeOptions } from "../handler.ts";
import { CronTimetable } from "./cron-timetable.ts";
import { isTimezone, momentOf } from "./wall-time.ts";

/** When a task ticks. */
export interface Timetable {
  /** The first tick strictly after a moment; undefined when there is none any more. Milliseconds since 1970. */
  next(after: number): number | undefined;
}

/** What becomes of ticks that fell due while nobody ran; see `TimeOptions.misfire`. */
export type Misfire = "skip" | "once" | "all";

/** What decides when a task ticks, checked and in one spelling. It is stored with the task, and its hash tells whether replicas agree. */
export interface ScheduleDefinition {
  /** Milliseconds. */
  readonly every?: number;
  readonly cron?: string;
  /** Milliseconds since 1970. */
  readonly at?: number;
  readonly timezone?: string;
  /** Milliseconds. */
  readonly jitter?: number;
  readonly misfire: Misfire;
}

/** A schedule that was read and found right. */
export interface CompiledSchedule {
  readonly definition: ScheduleDefinition;
  readonly timetable: Timetable;
}

const SHORTEST = 10;
const LONGEST = 36_500 * 86_400_000;

/**
 * Reads the part of a timer's options that says when it ticks; `timeOn` calls it so that a mistake fails where it stands.
 *
 * @param task The task's name; it decides the task's share of the jitter.
 * @throws {DeclarationError} `SCHEDULE_INVALID` or `DURATION_INVALID`, and what to write instead.
 */
export function compileSchedule(task: string, options: TimeOptions): CompiledSchedule {
  const definition = definitionOf(task, options);
  if (definition.cron !== undefined) checkCron(task, definition.cron, definition.timezone);
  return { definition, timetable: timetableOf(task, definition) };
}

/** The timetable of a definition, a stored one perhaps. A cron line is read when it is first needed. */
export function timetableOf(task: string, definition: ScheduleDefinition): Timetable {
  const { every, cron, at, timezone = "UTC", jitter = 0 } = definition;
  const shift = Math.floor(jitter * shareOf(task));
  if (every !== undefined) return new Interval(every, shift);
  if (at !== undefined) return new Moment(at + shift);
  return new CronTimetable(cron ?? "", timezone, shift);
}

/** Of two definitions that differ in anything the hashes differ. */
export function hashOf(definition: string): string {
  return process.getBuiltinModule("node:crypto").hash("sha256", definition, "hex").slice(0, 16);
}

/** Aligned to 1970-01-01T00:00Z, so that all replicas agree: `"1d"` ticks at midnight UTC, `"7d"` on Thursdays. */
class Interval implements Timetable {
  readonly #every: number;
  readonly #shift: number;

  constructor(every: number, shift: number) {
    this.#every = every;
    this.#shift = shift;
  }

  next(after: number): number {
    return (Math.floor((after - this.#shift) / this.#every) + 1) * this.#every + this.#shift;
  }
}

class Moment implements Timetable {
  readonly #at: number;

  constructor(at: number) {
    this.#at = at;
  }

  next(after: number): number | undefined {
    return this.#at > after ? this.#at : undefined;
  }
}

/** What the options say about when a task ticks; a cron line is not read yet. @throws {DeclarationError} */
export function definitionOf(task: string, options: TimeOptions): ScheduleDefinition {
  const { every, cron, at, timezone } = options;
  const given = [every, cron, at].filter((rule) => rule !== undefined).length;
  if (given !== 1) {
    throw fault(task, `has ${given === 0 ? "none" : "more than one"} of every, cron and at`, EXACTLY_ONE);
  }
  if (timezone !== undefined) checkTimezone(task, timezone, every !== undefined);
  checkWords(task, options);
  // The order is fixed, because the hash is taken of this object's JSON.
  return {
    ...(every !== undefined && { every: readEvery(task, every) }),
    ...(cron !== undefined && { cron: normal(task, cron) }),
    ...(at !== undefined && { at: readAt(task, at, timezone) }),
    ...(cron !== undefined && timezone !== undefined && timezone !== "UTC" && { timezone }),
    ...(options.jitter !== undefined && { jitter: toMs(options.jitter, `timeOn("${task}"): jitter`) }),
    // A moment that comes once would be lost for good by a restart at the wrong time.
    misfire: options.misfire ?? (at === undefined ? "skip" : "once"),
  };
}

const EXACTLY_ONE = `Write exactly one: { every: "15m" }, { cron: "0 3 * * *" } or { at: "2026-12-31T23:59:00Z" }`;

function readEvery(task: string, every: NonNullable<TimeOptions["every"]>): number {
  const ms = toMs(every, `timeOn("${task}"): every`);
  if (Number.isInteger(ms) && ms >= SHORTEST && ms <= LONGEST) return ms;
  throw fault(
    task,
    `every is ${JSON.stringify(every)}`,
    `Write whole milliseconds, at least ${SHORTEST} and at most 100 years, such as "3s" or 500`,
  );
}

function readAt(task: string, at: Date | string | number, timezone = "UTC"): number {
  const moment = typeof at === "string" ? momentOf(at, timezone) : Math.floor(Number(at));
  // A Date holds nothing beyond this, and whatever shows the moment makes a Date of it.
  if (moment !== undefined && Math.abs(moment) <= 8.64e15) return moment;
  const shown = typeof at === "string" ? JSON.stringify(at) : String(at);
  throw fault(
    task,
    `at is ${shown}, which names no moment`,
    `Write a Date, milliseconds since 1970, or text such as "2026-12-31T23:59:00+08:00"`,
  );
}

const CRON_FORM = `Write 5 fields (minute hour day month weekday), 6 with seconds first, or a word such as @daily: "0 3 * * *" is every day at 3`;

function normal(task: string, line: unknown): string {
  if (typeof line === "string") return line.trim().replace(/\s+/g, " ");
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

function checkTimezone(task: string, timezone: string, interval: boolean): void {
  if (interval) {
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

/** A number from 0 to below 1 that is always the same for a name (FNV-1a). */
function shareOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  // The last characters of names differ most (task-1, task-2), and FNV leaves them in the low bits.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}
