/* The timers that every contestant is given: the same for all. */

/** What a contestant is asked to fire; `idle` is due in a year. */
export type Kind = "intervals" | "lines" | "idle";

/** Told of each tick; `due` is undefined where a contestant does not say for which moment it fires. */
export type Tick = (due?: number) => void;

/** Registers timers; they begin to tick. */
export type Register = () => void | Promise<void>;

/** Who keeps timers. */
export interface Contestant {
  /** Loads what is needed; the returned function registers all timers. */
  prepare(kind: Kind, count: number, tick: Tick): Register | Promise<Register>;
}

/** Intervals from 40 to 60 s, all different: a hundred thousand tick two thousand times a second. */
export function intervalOf(at: number): number {
  return 40_000 + (at % 20_000);
}

/** The moment at which an interval that is aligned to the clock ticks next. */
export function nextOf(interval: number, after: number): number {
  return (Math.floor(after / interval) + 1) * interval;
}

/** Lines of six fields that differ, each of which ticks every one to five minutes on a second of its own. */
export function lineOf(at: number): string {
  const second = at % 60;
  const step = 1 + (Math.floor(at / 60) % 5);
  const hour = Math.floor(at / 300) % 24;
  const month = 1 + (Math.floor(at / 7_200) % 12);
  const day = 1 + (Math.floor(at / 86_400) % 28);
  return `${second} */${step} 0-23,${hour} 1-31,${day} 1-12,${month} *`;
}
