import type { Cron } from "croner";
import type { Timetable } from "./schedule.ts";

/** The ticks of a cron line. It keeps the line and not croner's object of it, which weighs 84 kB: a task must not. */
export class CronTimetable implements Timetable {
  readonly #line: string;
  readonly #timezone: string;
  readonly #shift: number;

  /** @param shift Milliseconds by which each tick comes later. */
  constructor(line: string, timezone: string, shift: number) {
    this.#line = line;
    this.#timezone = timezone;
    this.#shift = shift;
  }

  /** @throws What croner throws when the line is not one. */
  next(after: number): number | undefined {
    const next = compiled(this.#line, this.#timezone).next(after - this.#shift);
    return next === undefined ? undefined : next + this.#shift;
  }
}

/** A line as croner compiled it, with its last answer, which holds for every moment from the question up to the answer. */
class CompiledLine {
  readonly #cron: Cron;
  #asked = Infinity;
  #answer: number | undefined;

  constructor(cron: Cron) {
    this.#cron = cron;
  }

  next(after: number): number | undefined {
    if (after >= this.#asked && after < (this.#answer ?? Infinity)) return this.#answer;
    this.#answer = this.#cron.nextRun(new Date(after))?.getTime();
    this.#asked = after;
    return this.#answer;
  }
}

const CACHE_SIZE = 64;
const cache = new Map<string, CompiledLine>();
let croner: typeof import("croner") | undefined;

/** Compiled lines are shared by all tasks, and the one that was not used for the longest time gives way. */
function compiled(line: string, timezone: string): CompiledLine {
  const key = `${timezone} ${line}`;
  let entry = cache.get(key);
  if (entry) cache.delete(key);
  else {
    entry = new CompiledLine(new (load().Cron)(line, { mode: "5-or-6-parts", timezone }));
    const [oldest] = cache.keys();
    if (cache.size >= CACHE_SIZE && oldest !== undefined) cache.delete(oldest);
  }
  cache.set(key, entry);
  return entry;
}

/**
 * Loads croner at the first cron line and not before: programs without one do not pay for it. Not by `import()`, because
 * a wrong line has to fail where it is declared, and a declaration cannot wait.
 */
function load(): typeof import("croner") {
  if (croner) return croner;
  const require = process.getBuiltinModule("node:module").createRequire(import.meta.url);
  // require() knows no types; the package's own declarations describe what it gives.
  return (croner = require("croner") as typeof import("croner"));
}
