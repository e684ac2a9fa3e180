import type { Timetable } from "../handler.ts";
import { CronTimetable } from "./cron-timetable.ts";
import type { ScheduleDefinition } from "./schedule.ts";

/**
 * The timetable of a definition, a stored one perhaps. Of several rules it has the ticks of all, each moment once.
 * @param task The task's name; it decides the task's share of the jitter.
 * @throws {TypeError} when it has no rule, and what croner throws when a cron line is not one.
 */
export function timetableOf(task: string, definition: ScheduleDefinition): Timetable {
  const { timezone = "UTC", jitter = 0, start, end } = definition;
  const shift = Math.floor(jitter * shareOf(task));
  const rules: Timetable[] = [];
  for (const every of listOf(definition.every)) rules.push(new Interval(every, shift));
  for (const line of listOf(definition.cron)) rules.push(new CronTimetable(line, timezone, shift));
  for (const at of listOf(definition.at)) rules.push(new Moment(at + shift));
  const [only] = rules;
  if (!only) throw new TypeError("the definition has no rule that this version of the framework knows");
  const all = rules.length === 1 ? only : new Union(rules);
  if (start === undefined && end === undefined) return all;
  return new Bounded(all, (start ?? -Infinity) + shift, (end ?? Infinity) + shift);
}

/** What may be written alone or as a list. */
export function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  // Array.isArray does not know readonly arrays.
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
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

class Union implements Timetable {
  readonly #rules: readonly Timetable[];

  constructor(rules: readonly Timetable[]) {
    this.#rules = rules;
  }

  next(after: number): number | undefined {
    let first: number | undefined;
    for (const rule of this.#rules) {
      const next = rule.next(after);
      if (next !== undefined && (first === undefined || next < first)) first = next;
    }
    return first;
  }
}

/** Both ends belong to it. */
class Bounded implements Timetable {
  readonly #inner: Timetable;
  readonly #start: number;
  readonly #end: number;

  constructor(inner: Timetable, start: number, end: number) {
    this.#inner = inner;
    this.#start = start;
    this.#end = end;
  }

  next(after: number): number | undefined {
    const next = this.#inner.next(Math.max(after, this.#start - 1));
    return next !== undefined && next <= this.#end ? next : undefined;
  }
}

/** A number from 0 to below 1 that is always the same for a name (FNV-1a). */
function shareOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  // The last characters of names differ most (task-1, task-2), and FNV leaves them in the low bits.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}
