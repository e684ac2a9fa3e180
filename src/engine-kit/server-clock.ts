import type { Clock } from "../clock.ts";

/**
 * A server's clock, read from here: what it said last, and what has passed since by a clock that nobody can set. It
 * never goes back, so that what was due stays due.
 */
export class ServerClock {
  readonly #clock: Clock;
  readonly #ask: () => Promise<number>;
  /** The server's time minus our elapsed time. */
  #offset = 0;
  #last = 0;

  /** @param ask Asks the server for its time, in milliseconds since 1970. */
  constructor(clock: Clock, ask: () => Promise<number>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /**
   * Asks the server anew: wanted at each connection, and now and then, because two quartzes drift apart.
   * The answer is taken as of the middle of the round trip (Cristian, 1989), so that it is off by half of one at most.
   */
  async sync(): Promise<void> {
    const before = this.#clock.elapsed();
    const time = await this.#ask();
    this.#offset = time - (before + this.#clock.elapsed()) / 2;
  }

  /** Whole milliseconds since 1970. */
  now(): number {
    this.#last = Math.max(this.#last, Math.floor(this.#clock.elapsed() + this.#offset));
    return this.#last;
  }
}
