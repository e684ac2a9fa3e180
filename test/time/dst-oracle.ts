/*
 * What is right, found the slow way: every time that a line names is tried on every day, and what the wall shows comes
 * straight from Intl. Nothing of src/ is used here.
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A time in which the offset of a zone does not change. */
interface Segment {
  readonly start: number;
  readonly end: number;
  readonly offset: number;
}

/** What the clocks of a zone show between two moments. */
export class WallClock {
  readonly segments: readonly Segment[];

  constructor(zone: string, from: number, to: number) {
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    const offsetAt = (moment: number): number => {
      const shown = Object.fromEntries(
        format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]),
      );
      const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = shown;
      return Date.UTC(year, month - 1, day, hour, minute, second) - moment;
    };
    const starts = [from];
    for (let moment = from; moment < to; moment += HOUR) {
      const offset = offsetAt(moment);
      if (offsetAt(moment + HOUR) === offset) continue;
      let [low, high] = [moment, moment + HOUR];
      while (high - low > MINUTE) {
        const middle = low + Math.floor((high - low) / MINUTE / 2) * MINUTE;
        if (offsetAt(middle) === offset) low = middle;
        else high = middle;
      }
      starts.push(high);
    }
    this.segments = starts.map((start, at) => ({
      start,
      end: starts[at + 1] ?? to,
      offset: offsetAt(start),
    }));
  }

  /** What the wall shows, written as if it were UTC. */
  wallAt(moment: number): number {
    return moment + (this.segments.findLast(({ start }) => start <= moment)?.offset ?? Number.NaN);
  }
}

/** A cron line, as text and as what it means. */
export interface Line {
  readonly text: string;
  /** Whether hours, minutes and seconds name times of the day, without `*` and without steps. */
  readonly fixed: boolean;
  readonly second: number;
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  /** Of days written as if they were UTC. */
  readonly day: (wall: Date) => boolean;
}

/**
 * Every run of a line, by the rule of docs/time.md: a line with a wildcard or a step in its time runs whenever the wall
 * shows its time; one that names times runs at the first of two, and at the end of the gap for those that fall into it,
 * if their day has not ended there.
 */
export function runsOf(line: Line, clock: WallClock): number[] {
  const runs = new Set<number>();
  for (const [at, { start, end, offset }] of clock.segments.entries()) {
    const before = clock.segments[at - 1]?.offset ?? offset;
    const repeatedUntil = line.fixed ? start + Math.max(0, before - offset) : start;
    for (const wall of shownBetween(line, repeatedUntil + offset, end + offset)) runs.add(wall - offset);
    if (!line.fixed || offset <= before) continue;
    const [gapStart, gapEnd] = [start + before, start + offset];
    const missed = shownBetween(line, gapStart, gapEnd).filter((wall) => dayOf(wall) === dayOf(gapEnd));
    if (missed.length > 0) runs.add(start);
  }
  return [...runs].sort((one, other) => one - other);
}

/** The days from the first moment to the last, as the wall shows them; those that do not exist are not among them. */
export function daysOf(clock: WallClock): Set<number> {
  return new Set(
    clock.segments.flatMap(({ start, end, offset }) => {
      const [first, last] = [dayOf(start + offset), dayOf(end + offset - 1)];
      return Array.from({ length: last - first + 1 }, (_, at) => first + at);
    }),
  );
}

/** A number for each day, of a wall time. */
export function dayOf(wall: number): number {
  return Math.floor(wall / DAY);
}

/** Wall times of a line, whether or not the wall ever shows them. */
function shownBetween(line: Line, from: number, to: number): number[] {
  const found: number[] = [];
  for (let day = dayOf(from) * DAY; day < to; day += DAY) {
    if (!line.day(new Date(day))) continue;
    for (const hour of line.hours) {
      for (const minute of line.minutes) {
        const wall = day + hour * HOUR + minute * MINUTE + line.second * 1_000;
        if (wall >= from && wall < to) found.push(wall);
      }
    }
  }
  return found;
}
