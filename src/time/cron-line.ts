import { civilOf, daysIn, monthStart, nextBit, weekdayOf } from "./calendar.ts";

/** Seconds or minutes, as bits: 0 to 29 and 30 to 59, for one number holds 31. */
export interface Sixty {
  readonly low: number;
  readonly high: number;
}

/** What of a line is more than sets of numbers. */
export interface SpecialDays {
  /** `L`, `LW`. */
  readonly lastDay: boolean;
  readonly lastWeekday: boolean;
  /** `15W`: the working days nearest to these days of the month. */
  readonly nearest: number;
  /** By weekday: which of them in the month, bit 0 for the first, bit 5 for the last; `FRI#2`, `FRIL`. */
  readonly which: readonly number[];
}

/** A cron line as sets of bits. */
export interface CronFields {
  readonly second: Sixty;
  readonly minute: Sixty;
  readonly hour: number;
  /** Bit 0 is the 1st. */
  readonly day: number;
  /** Bit 0 is January. */
  readonly month: number;
  /** Bit 0 is Sunday. */
  readonly weekday: number;
  /** The days are those of `day`, those of `weekday`, those of either, or those of both. */
  readonly days: "day" | "weekday" | "either" | "both";
  /** Times of the day are named one by one, without `*` and steps: such a task never loses a day to a change of the clocks. */
  readonly fixed: boolean;
  readonly special: SpecialDays | undefined;
}

/** The calendar repeats itself after so many years: a day that did not come by then never does. */
const ALL_YEARS = 400;
const DAY = 86_400;
const WORKING_DAY = 0b0111110;

/** Finds the times that a line names, on a clock that is never changed. One for each task: kept small. */
export class CronLine {
  readonly fixed: boolean;
  readonly #secondLow: number;
  readonly #secondHigh: number;
  readonly #minuteLow: number;
  readonly #minuteHigh: number;
  readonly #hour: number;
  readonly #day: number;
  readonly #month: number;
  readonly #weekday: number;
  readonly #days: CronFields["days"];
  readonly #special: SpecialDays | undefined;

  constructor({ second, minute, hour, day, month, weekday, days, fixed, special }: CronFields) {
    this.fixed = fixed;
    this.#secondLow = second.low;
    this.#secondHigh = second.high;
    this.#minuteLow = minute.low;
    this.#minuteHigh = minute.high;
    this.#hour = hour;
    this.#day = day;
    this.#month = month;
    this.#weekday = weekday;
    this.#days = days;
    this.#special = special;
  }

  /** The first time from `from` on; undefined when none comes any more. In milliseconds, as if the clock were UTC's. */
  next(from: number): number | undefined {
    const seconds = Math.ceil(from / 1_000);
    const today = Math.floor(seconds / DAY);
    const day = this.#nextDay(today);
    if (day === undefined) return undefined;
    if (day > today) return this.#momentOn(day, 0);
    const moment = this.#momentOn(day, seconds - day * DAY);
    if (moment !== undefined) return moment;
    const later = this.#nextDay(today + 1);
    return later === undefined ? undefined : this.#momentOn(later, 0);
  }

  #momentOn(day: number, from: number): number | undefined {
    const time = this.#nextTime(Math.floor(from / 3_600), Math.floor(from / 60) % 60, from % 60);
    return time < 0 ? undefined : (day * DAY + time) * 1_000;
  }

  /** In seconds since midnight; -1 when the day has none left. */
  #nextTime(fromHour: number, fromMinute: number, fromSecond: number): number {
    let hour = nextBit(this.#hour, fromHour);
    if (hour === fromHour) {
      let minute = nextOfSixty(this.#minuteLow, this.#minuteHigh, fromMinute);
      if (minute === fromMinute) {
        const second = nextOfSixty(this.#secondLow, this.#secondHigh, fromSecond);
        if (second >= 0) return hour * 3_600 + minute * 60 + second;
        minute = nextOfSixty(this.#minuteLow, this.#minuteHigh, fromMinute + 1);
      }
      if (minute >= 0) return hour * 3_600 + minute * 60 + this.#firstSecond;
      hour = nextBit(this.#hour, fromHour + 1);
    }
    if (hour < 0) return -1;
    return hour * 3_600 + nextOfSixty(this.#minuteLow, this.#minuteHigh, 0) * 60 + this.#firstSecond;
  }

  get #firstSecond(): number {
    return nextOfSixty(this.#secondLow, this.#secondHigh, 0);
  }

  #nextDay(from: number): number | undefined {
    if (this.#days === "day" && this.#day === EVERY_DAY && this.#month === EVERY_MONTH) return from;
    let { year, month, day } = civilOf(from);
    for (const end = year + ALL_YEARS; year <= end; day = 1) {
      if ((this.#month >> month) & 1) {
        const start = monthStart(year, month);
        const found = nextBit(this.#daysOf(year, month, start), day - 1);
        if (found >= 0) return start + found;
      }
      month = nextBit(this.#month, month + 1);
      if (month >= 0) continue;
      year++;
      month = nextBit(this.#month, 0);
    }
    return undefined;
  }

  /** The days of a month on which the line ticks. */
  #daysOf(year: number, month: number, start: number): number {
    const length = daysIn(year, month);
    const first = weekdayOf(start);
    const special = this.#special;
    const byDay = special ? this.#day | daysNamed(special, length, first) : this.#day;
    const byWeekday =
      special && this.#days !== "day"
        ? daysWhich(special.which, length, first)
        : weekly(this.#weekday, first);
    const inMonth = -1 >>> (32 - length);
    switch (this.#days) {
      case "day":
        return byDay & inMonth;
      case "weekday":
        return byWeekday & inMonth;
      case "either":
        return (byDay | byWeekday) & inMonth;
      case "both":
        return byDay & byWeekday & inMonth;
    }
  }
}

export const EVERY_DAY = 2 ** 31 - 1;
export const EVERY_MONTH = 2 ** 12 - 1;

function nextOfSixty(low: number, high: number, from: number): number {
  if (from < 30) {
    const bit = nextBit(low, from);
    if (bit >= 0) return bit;
  }
  const bit = from < 60 ? nextBit(high, Math.max(0, from - 30)) : -1;
  return bit < 0 ? -1 : bit + 30;
}

/** The days of these weekdays in a month that begins with weekday `first`. */
function weekly(weekdays: number, first: number): number {
  const fromFirst = ((weekdays >> first) | (weekdays << (7 - first))) & 0b111_1111;
  return fromFirst | (fromFirst << 7) | (fromFirst << 14) | (fromFirst << 21) | (fromFirst << 28);
}

/** The days that `L`, `LW` and `W` name in a month. */
function daysNamed({ lastDay, lastWeekday, nearest }: SpecialDays, length: number, first: number): number {
  const working = weekly(WORKING_DAY, first);
  let days = lastDay ? 1 << (length - 1) : 0;
  if (lastWeekday) {
    const inMonth = working & (-1 >>> (32 - length));
    days |= 1 << (31 - Math.clz32(inMonth));
  }
  for (let day = nextBit(nearest, 0); day >= 0 && day < length; day = nextBit(nearest, day + 1)) {
    days |= 1 << nearestWorking(day, (first + day) % 7, length);
  }
  return days;
}

/** Never beyond the month: from a Saturday the 1st it is the Monday after, from a Sunday the last the Friday before. Days count from 0. */
function nearestWorking(day: number, weekday: number, length: number): number {
  if (weekday === 0) return day === length - 1 ? day - 2 : day + 1;
  if (weekday === 6) return day === 0 ? day + 2 : day - 1;
  return day;
}

function daysWhich(which: readonly number[], length: number, first: number): number {
  let days = 0;
  for (let day = 0; day < length; day++) {
    const asked = which[(first + day) % 7] ?? 0;
    const isLast = day + 7 >= length;
    if ((asked >> Math.floor(day / 7)) & 1 || (isLast && asked & LAST)) days |= 1 << day;
  }
  return days;
}

const LAST = 0b10_0000;
