import { type Clock, systemClock, type Timer } from "../clock.ts";

/**
 * No nap is longer: timers count the time that passes, moments are read from a clock that may be set, and a laptop's lid
 * stops only one of the two. So the clock is looked at from time to time.
 */
export const LONGEST_NAP = 30_000;

/**
 * The least time from one ring to the next. Waking a process costs more than what it then does, so moments that follow
 * each other closely share a ring; one that comes alone is not put off. A virtual clock wakes for nothing, and is exact.
 */
const GATHER_MS = 2;

/** One timer for the earliest of many moments. */
export class Alarm {
  readonly #clock: Clock;
  readonly #now: () => number;
  readonly #ring: () => void;
  #timer: Timer | undefined;
  #moment: number | undefined;
  readonly #gather: number;
  #rang = -Infinity;

  /**
   * @param now The time in which moments are given; it need not be the clock's own.
   * @param ring Called at the moment, and perhaps before: it looks itself what is due, and sets the alarm again.
   */
  constructor(clock: Clock, now: () => number, ring: () => void) {
    this.#clock = clock;
    this.#now = now;
    this.#ring = ring;
    this.#gather = clock === systemClock ? GATHER_MS : 0;
  }

  /** Sets the alarm to a moment, or off. */
  set(moment: number | undefined): void {
    if (this.#timer !== undefined && this.#moment === moment) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#moment = moment;
    if (moment === undefined) return;
    const rest = this.#rang + this.#gather - this.#clock.elapsed();
    // Rounded up: a timer that comes a fraction early would find nothing due.
    const wait = Math.min(Math.ceil(Math.max(0, moment - this.#now(), rest)), LONGEST_NAP);
    this.#timer = this.#clock.setTimer(() => this.#fire(), wait, true);
  }

  #fire(): void {
    this.#timer = undefined;
    this.#rang = this.#clock.elapsed();
    this.#ring();
  }
}
