import type { Timetable } from "../handler.ts";
import type { Misfire } from "./schedule.ts";

/** What to do about a task that has something due. */
export interface TickPlan {
  /** The ticks to run now, oldest first. */
  readonly fire: readonly number[];
  /** The tick after them; undefined when the task has none left. */
  readonly next: number | undefined;
  /** Ticks were dropped that were missed, not merely crowded out by the turn's own lateness. */
  readonly missed: boolean;
}

/**
 * A tick that is noticed within this time after it was due is on time, however it came to be late: a deploy, a lost
 * replica, a full event loop. A later one is a misfire.
 */
export const GRACE = 30_000;
/** `misfire: "all"` catches up with so many ticks at the most, none older than a day (but always with the latest). */
export const CATCH_UP_COUNT = 100;
export const CATCH_UP_AGE = 86_400_000;

/**
 * Decides which ticks of a gap are run.
 *
 *   skip   the latest, if it is still on time
 *   once   the latest
 *   all    each, within {@link CATCH_UP_COUNT} and {@link CATCH_UP_AGE}
 *
 * Its cost does not grow with the gap.
 *
 * @param first The first tick that was not run yet; not after `now`.
 */
export function planTicks(timetable: Timetable, first: number, now: number, misfire: Misfire): TickPlan {
  const next = timetable.next(now);
  // Almost always nothing else is due, and then the second question to the timetable is the last.
  const alone = timetable.next(first) === next;
  const latest = alone ? first : latestTick(timetable, first, now);
  const fire = misfire === "all" ? lastTicks(timetable, first, latest, now) : [latest];
  if (misfire === "skip" && now - latest > GRACE) fire.pop();
  return { fire, next, missed: fire[0] !== first && now - first > GRACE };
}

/** What of a plan is fired when only so many ticks are left, and `maxRuns` ends the task with the last of them. */
export function withinRuns({ fire, next }: TickPlan, left: number): Pick<TickPlan, "fire" | "next"> {
  return fire.length < left ? { fire, next } : { fire: fire.slice(0, left), next: undefined };
}

/** The last tick from `first` (which is one) up to `until`, found by halving: a gap of a year takes 35 steps. */
function latestTick(timetable: Timetable, first: number, until: number): number {
  let tick = first;
  let low = first;
  let high = until;
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const after = timetable.next(middle);
    if (after === undefined || after > until) high = middle - 1;
    else low = tick = after;
  }
  return tick;
}

function lastTicks(timetable: Timetable, first: number, latest: number, now: number): number[] {
  const ticks = [latest];
  for (let tick = latest; tick > first && ticks.length < CATCH_UP_COUNT;) {
    tick = latestTick(timetable, first, tick - 1);
    if (now - tick > CATCH_UP_AGE) break;
    ticks.push(tick);
  }
  return ticks.reverse();
}
