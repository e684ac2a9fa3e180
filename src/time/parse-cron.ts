import type { CronPattern } from "croner";
import type { CronFields, Sixty } from "./cron-line.ts";

/*
 * From the text of a cron line to its fields. Lines of numbers, names, `*`, ranges, steps and lists are read here, in a
 * microsecond; whatever else there is (`L`, `W`, `#`, `?`, `+`, and every mistake) is left to croner, whose grammar it is.
 */

/** Asked of croner for whatever it reads, and so the grammar and the rules for the changes of clocks: see `CronTimetable`. */
export const CRONER = { mode: "5-or-6-parts", fixedTimeRule: "no-wildcard" } as const;

const WORDS: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/**
 * Reads a cron line of 5 or 6 fields, or a word such as `@daily`.
 * @throws What croner throws when it is not one.
 */
export function parseCron(line: string): CronFields {
  const text = line.startsWith("@") ? (WORDS[line.toLowerCase()] ?? line) : line;
  return readPlain(text) ?? readByCroner(line);
}

function readPlain(line: string): CronFields | undefined {
  const parts = line.split(" ");
  if (parts.length === 5) parts.unshift("0");
  if (parts.length !== 6) return undefined;
  const [second = "", minute = "", hour = "", day = "", month = "", weekday = ""] = parts;
  const seconds = SECONDS.read(second);
  const minutes = SECONDS.read(minute);
  const hours = HOURS.read(hour);
  const days = DAYS.read(day);
  const months = MONTHS.read(month);
  const weekdays = WEEKDAYS.read(weekday);
  if (!seconds || !minutes || !hours || !days || !months || !weekdays) return undefined;
  return {
    second: seconds,
    minute: minutes,
    hour: hours.low,
    day: days.low | (days.high << 30),
    month: months.low,
    // Sunday is 0 and 7.
    weekday: (weekdays.low | (weekdays.low >> 7)) & 0b111_1111,
    days: weekday === "*" ? "day" : day === "*" ? "weekday" : "either",
    fixed: isFixed(second) && isFixed(minute) && isFixed(hour),
    special: undefined,
  };
}

function isFixed(part: string): boolean {
  return !part.includes("*") && !part.includes("/");
}

interface Range {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

const RANGE = /^(?:(\*)|([a-z]{3}|\d{1,2})(?:-([a-z]{3}|\d{1,2}))?)(?:\/(\d{1,2}))?$/i;
/** Of each field so many texts are remembered. */
const MOST_KNOWN = 500;

/** Reads one of the fields. Lines have few different ones, and what was read once is not read again. */
class Field {
  readonly #min: number;
  /** The last value of `*`, and the last that may be written: Sunday may be a 7. */
  readonly #top: number;
  readonly #max: number;
  readonly #names: readonly string[];
  readonly #firstName: number;
  readonly #known = new Map<string, Sixty>();

  constructor(min: number, top: number, names: readonly string[] = [], firstName = 0, max = top) {
    this.#min = min;
    this.#top = top;
    this.#max = max;
    this.#names = names;
    this.#firstName = firstName;
  }

  /** The values of a part, bit 0 for the smallest there is; undefined when it is not plain. */
  read(part: string): Sixty | undefined {
    const known = this.#known.get(part);
    if (known) return known;
    let low = 0;
    let high = 0;
    for (const item of part.split(",")) {
      const range = this.#range(item);
      if (!range) return undefined;
      for (let value = range.first - this.#min; value <= range.last - this.#min; value += range.step) {
        if (value < 30) low |= 1 << value;
        else high |= 1 << (value - 30);
      }
    }
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    const values = { low, high };
    this.#known.set(part, values);
    return values;
  }

  #range(item: string): Range | undefined {
    const found = RANGE.exec(item);
    if (!found) return undefined;
    const [, star, from = "", to, every] = found;
    // Of a single number croner takes no step.
    if (every !== undefined && star === undefined && to === undefined) return undefined;
    const step = every === undefined ? 1 : Number(every);
    if (step < 1 || step > this.#top - this.#min + 1) return undefined;
    if (star !== undefined) return { first: this.#min, last: this.#top, step };
    const first = this.#value(from);
    const last = to === undefined ? first : this.#value(to) || this.#zeroAtEnd(to);
    return first >= this.#min && first <= last && last <= this.#max ? { first, last, step } : undefined;
  }

  /** As the end of a range, a Sunday that is written as a name is the 7. */
  #zeroAtEnd(name: string): number {
    return this.#names.includes(name.toLowerCase()) ? this.#max : this.#value(name);
  }

  /** NaN for what is neither a number nor a name. */
  #value(text: string): number {
    const at = this.#names.indexOf(text.toLowerCase());
    return at < 0 ? Number(text) : at + this.#firstName;
  }
}

const SECONDS = new Field(0, 59);
const HOURS = new Field(0, 23);
const DAYS = new Field(1, 31);
const MONTH_NAMES = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const MONTHS = new Field(1, 12, MONTH_NAMES, 1);
const WEEKDAYS = new Field(0, 6, ["sun", "mon", "tue", "wed", "thu", "fri", "sat"], 0, 7);

function readByCroner(line: string): CronFields {
  const pattern = new (croner().CronPattern)(line, undefined, CRONER);
  const { starDOW, starDOM, useAndLogic } = pattern;
  return {
    second: sixtyOf(pattern.second),
    minute: sixtyOf(pattern.minute),
    hour: setOf(pattern.hour),
    day: setOf(pattern.day),
    month: setOf(pattern.month),
    weekday: setOf(pattern.dayOfWeek.slice(0, 7)),
    days: starDOW && !useAndLogic ? "day" : useAndLogic || starDOM ? "both" : "either",
    fixed: pattern.isFixedTime,
    special: {
      lastDay: pattern.lastDayOfMonth,
      lastWeekday: pattern.lastWeekday,
      nearest: setOf(pattern.nearestWeekdays),
      which: pattern.dayOfWeek.slice(0, 7),
    },
  };
}

function setOf(values: CronPattern["hour"]): number {
  return values.reduce((set, value, at) => (value ? set | (1 << at) : set), 0);
}

function sixtyOf(values: CronPattern["second"]): Sixty {
  return { low: setOf(values.slice(0, 30)), high: setOf(values.slice(30)) };
}

let loaded: typeof import("croner") | undefined;

/**
 * Loads croner at the first line that needs it and not before: programs without one do not pay for it. Not by `import()`,
 * because a wrong line has to fail where it is declared, and a declaration cannot wait.
 */
function croner(): typeof import("croner") {
  if (loaded) return loaded;
  const require = process.getBuiltinModule("node:module").createRequire(import.meta.url);
  // require() knows no types; the package's own declarations describe what it gives.
  return (loaded = require("croner") as typeof import("croner"));
}
