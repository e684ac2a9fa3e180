import type { Clock, Timer } from "../clock.ts";

/**
 * No nap is longer: timers count the time that passes, moments are read from a clock that may be set, and a laptop's lid
 * stops only one of the two. So the clock is looked at from time to time.
 */
export const LONGEST_NAP = 30_000;

/** One timer for the earliest of many moments. */
export class Alarm {
  readonly #clock: Clock;
  readonly #now: () => number;
  readonly #ring: () => void;
  #timer: Timer | undefined;
  #moment: number | undefined;

  /**
   * @param now The time in which moments are given; it need not be the clock's own.
   * @param ring Called at the moment, and perhaps before: it looks itself what is due, and sets the alarm again.
   */
  constructor(clock: Clock, now: () => number, ring: () => void) {
    this.#clock = clock;
    this.#now = now;
    this.#ring = ring;
  }

  /** Sets the alarm to a moment, or off. */
  set(moment: number | undefined): void {
    if (this.#timer !== undefined && this.#moment === moment) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#moment = moment;
    if (moment === undefined) return;
    // Rounded up: a timer that comes a fraction early would find nothing due.
    const wait = Math.min(Math.ceil(Math.max(0, moment - this.#now())), LONGEST_NAP);
    this.#timer = this.#clock.setTimer(() => this.#fire(), wait, true);
  }

  #fire(): void {
    this.#timer = undefined;
    this.#ring();
  }
}
