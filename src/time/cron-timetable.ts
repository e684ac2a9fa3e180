import type { Timetable } from "../handler.ts";
import { CronLine } from "./cron-line.ts";
import { parseCron } from "./parse-cron.ts";
import { type Zone, type ZonePeriod, zoneOf } from "./zone.ts";

const DAY = 86_400_000;

/**
 * The ticks of a cron line in a zone. Where the zone's clocks are changed, Vixie cron's rules hold, as croner has them
 * (`fixedTimeRule: "no-wildcard"`):
 *
 *   times named one by one   what is skipped ticks at the end of the skip, if that is the same day; what comes twice ticks the first time
 *   times with `*` or steps  what is skipped does not tick; what comes twice ticks twice
 */
export class CronTimetable implements Timetable {
  readonly #line: CronLine;
  readonly #zone: Zone | undefined;
  readonly #shift: number;

  /**
   * @param shift Milliseconds by which each tick comes later.
   * @throws What croner throws when the line is not one.
   */
  constructor(line: string, timezone: string, shift: number) {
    this.#line = compiled(line);
    this.#zone = timezone === "UTC" ? undefined : zoneOf(timezone);
    this.#shift = shift;
  }

  next(after: number): number | undefined {
    const moment = Math.floor(after - this.#shift) + 1;
    const next = this.#zone ? this.#nextIn(this.#zone, moment) : this.#line.next(moment);
    return next === undefined ? undefined : next + this.#shift;
  }

  /** The first tick from a moment on. What the clocks show is written as if it were UTC. */
  #nextIn(zone: Zone, moment: number): number | undefined {
    const line = this.#line;
    // One that begins at this very moment may begin with a tick that its beginning has skipped.
    let period = zone.periodAt(moment - 1);
    let shown = moment + period.offset;
    for (;;) {
      if (line.fixed) shown = Math.max(shown, period.repeats);
      const found = line.next(shown);
      if (found === undefined) return undefined;
      const tick = found - period.offset;
      if (tick < period.until) return tick;
      // Where the line names no time up to some days after the change, the change does not matter, nor those that follow.
      const far = shown + 2 * DAY < period.until + period.offset;
      const at = far ? Math.max(period.until, tick - 2 * DAY) : period.until;
      const later = zone.periodAt(at);
      if (line.fixed && at === period.until && this.#skipped(period, later)) return at;
      shown = at + later.offset;
      period = later;
    }
  }

  /** Whether a change of the clocks skips a time of the line on the day on which it ends. */
  #skipped(before: ZonePeriod, after: ZonePeriod): boolean {
    const end = after.from + after.offset;
    const from = Math.max(after.from + before.offset, Math.floor(end / DAY) * DAY);
    if (from >= end) return false;
    const found = this.#line.next(from);
    return found !== undefined && found < end;
  }
}

const MOST_COMPILED = 1_000;
const lines = new Map<string, CronLine>();

/** Tasks of the same line share it. */
function compiled(line: string): CronLine {
  const known = lines.get(line);
  if (known) return known;
  if (lines.size >= MOST_COMPILED) lines.clear();
  const fresh = new CronLine(parseCron(line));
  lines.set(line, fresh);
  return fresh;
}
