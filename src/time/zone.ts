/*
 * Time zones. What the runtime knows of them is behind Intl, at several microseconds a question; so the moments at which a
 * zone's clocks change are looked up once and kept.
 */

/** A time during which the clocks of a zone are not changed. Milliseconds since 1970. */
export interface ZonePeriod {
  readonly from: number;
  /** The first moment after it; it may be followed by a period of the same offset. */
  readonly until: number;
  /** What the wall's clocks show, less UTC. */
  readonly offset: number;
  /** Up to here the clocks show what they have shown before, as they were set back; -Infinity when they were not. As if it were UTC. */
  readonly repeats: number;
}

/** A bit over a year: the part of a zone's history that is looked up in one go. */
const CHAPTER = 2 ** 35;
const DAY = 86_400_000;
/** No zone has changed its clocks there and back again within this time since 1970. */
const STEP = 3 * DAY;
/** More chapters than any sane schedule needs; then all are forgotten. */
const MOST_CHAPTERS = 64;

/** The clocks of one time zone. */
export class Zone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  readonly #chapters = new Map<number, readonly ZonePeriod[]>();
  #latest: ZonePeriod = { from: 0, until: 0, offset: 0, repeats: -Infinity };

  /** @throws {RangeError} when the runtime knows no zone of this name. */
  constructor(name: string) {
    this.name = name;
    this.#format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
  }

  /** What the zone's clocks show at a moment, less UTC, in milliseconds. */
  offsetAt(moment: number): number {
    return this.periodAt(moment).offset;
  }

  /** The period in which a moment lies. */
  periodAt(moment: number): ZonePeriod {
    if (moment >= this.#latest.from && moment < this.#latest.until) return this.#latest;
    const chapter = Math.floor(moment / CHAPTER);
    const found = this.#chapter(chapter).find(({ until }) => moment < until);
    if (found === undefined) throw new RangeError(`${moment} is no moment`);
    return (this.#latest = found);
  }

  #chapter(chapter: number): readonly ZonePeriod[] {
    const known = this.#chapters.get(chapter);
    if (known) return known;
    const periods = this.#lookUp(chapter * CHAPTER, (chapter + 1) * CHAPTER);
    if (this.#chapters.size >= MOST_CHAPTERS) this.#chapters.clear();
    this.#chapters.set(chapter, periods);
    return periods;
  }

  #lookUp(start: number, end: number): ZonePeriod[] {
    const periods: ZonePeriod[] = [];
    let from = start;
    let offset = this.#ask(start);
    let repeats = this.#repeatsAt(start, offset);
    for (let at = start; at < end; at += STEP) {
      const until = Math.min(at + STEP, end);
      const after = this.#ask(until);
      if (after === offset) continue;
      const change = this.#changeWithin(at, until, offset);
      if (change >= end) break;
      periods.push({ from, until: change, offset, repeats });
      repeats = after < offset ? change + offset : -Infinity;
      [from, offset] = [change, after];
    }
    periods.push({ from, until: end, offset, repeats });
    return periods;
  }

  /** A chapter may begin in the hour that comes twice. */
  #repeatsAt(start: number, offset: number): number {
    const before = this.#ask(start - DAY);
    return before > offset ? this.#changeWithin(start - DAY, start, before) + before : -Infinity;
  }

  /** The first moment at which the offset is not `offset` any more, to the second. */
  #changeWithin(before: number, after: number, offset: number): number {
    let [low, high] = [Math.floor(before / 1_000), Math.ceil(after / 1_000)];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#ask(middle * 1_000) === offset) low = middle;
      else high = middle;
    }
    return high * 1_000;
  }

  #ask(moment: number): number {
    const text = this.#format.format(moment);
    const [, sign, hours = 0, minutes = 0, seconds = 0] = OFFSET.exec(text) ?? [];
    const ms = (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000;
    return sign === "-" ? -ms : ms;
  }
}

const OFFSET = /GMT([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/;
const zones = new Map<string, Zone>();

/** A zone by its IANA name; undefined when the runtime knows none. Every zone is made once. */
export function zoneOf(name: string): Zone | undefined {
  const known = zones.get(name);
  if (known) return known;
  try {
    const zone = new Zone(name);
    zones.set(name, zone);
    return zone;
  } catch {
    return undefined;
  }
}
