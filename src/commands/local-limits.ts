import type { Clock } from "../clock.ts";
import type { Limits, Taken } from "../engine.ts";

interface Uses {
  /** Oldest first. */
  readonly times: number[];
  /** When all of them have left their window. */
  end: number;
}

const FIRST_SWEEP = 1_024;

/**
 * Counts uses in this process alone, for dispatchers that run without an engine: a strict sliding window. Keys whose
 * uses are over are forgotten, so that it holds no more of them than are in use, however many there were.
 */
export class LocalLimits implements Pick<Limits, "take" | "giveBack"> {
  readonly #uses = new Map<string, Uses>();
  readonly #clock: Clock;
  #sweepAt = FIRST_SWEEP;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many keys are kept in mind. */
  get size(): number {
    return this.#uses.size;
  }

  async take(key: string, limit: number, window: number): Promise<Taken> {
    const now = this.#clock.elapsed(); // not now(): a clock that is set back must not lengthen a wait
    const uses = this.#uses.get(key) ?? { times: [], end: 0 };
    const over = uses.times.findIndex((time) => time > now - window);
    uses.times.splice(0, over < 0 ? uses.times.length : over);
    const oldest = uses.times[uses.times.length - limit];
    if (oldest !== undefined) return { ok: false, retryAfter: oldest + window - now };
    uses.times.push(now);
    uses.end = now + window;
    if (!this.#uses.has(key)) this.#add(key, uses, now);
    return { ok: true, retryAfter: 0 };
  }

  async giveBack(key: string): Promise<void> {
    this.#uses.get(key)?.times.pop();
  }

  #add(key: string, uses: Uses, now: number): void {
    this.#uses.set(key, uses);
    if (this.#uses.size < this.#sweepAt) return;
    for (const [other, { end }] of this.#uses) if (end <= now) this.#uses.delete(other);
    this.#sweepAt = Math.max(FIRST_SWEEP, this.#uses.size * 2);
  }
}
