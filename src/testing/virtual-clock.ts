import type { Clock, Timer } from "../clock.ts";
import { type Duration, toMs } from "../duration.ts";
import { LifecycleError } from "../errors.ts";
import { Heap } from "../heap.ts";

/** Says whether work is under way: `false` asks for more turns of the event loop, a promise is waited for. */
export type Idle = () => boolean | Promise<void>;

interface VirtualTimer {
  slot: number;
  readonly due: number;
  readonly order: number;
  readonly run: () => void;
}

/** Code that hops through setImmediate needs as many turns as it makes hops; with an `idle` hook we are told instead. */
const QUIET_TURNS = 8;
const QUIET_TURNS_WHEN_TOLD = 2;

/**
 * A clock that stands still until a test moves it. Timers fire in the order of their moments, each at its own moment,
 * and what they wake runs to its end before the next one fires.
 *
 * A timer that is due at once (0 ms) needs no time to pass: it fires on the next turn of the event loop or at
 * `advance(0)`, whichever comes first, so that code which yields by `setTimer(run, 0)` never waits for a test.
 *
 * @example
 * const clock = new VirtualClock();
 * clock.setTimer(() => console.log("an hour later"), 3_600_000);
 * await clock.advance("1h");
 */
export class VirtualClock implements Clock {
  /** Asked after each firing, until it answers true or its promise resolves; set by a harness that knows what runs. */
  idle: Idle | undefined;
  /** What `now()` shows when `elapsed()` is 0; `jump` moves it. */
  #epoch: number;
  #elapsed = 0;
  #order = 0;
  #advancing = false;
  #turnAsked = false;
  readonly #timers = new Heap<VirtualTimer>(
    (a, b) => a.due < b.due || (a.due === b.due && a.order < b.order),
  );

  /** @param start What the clock shows first, in milliseconds since 1970. */
  constructor(start: number = Date.UTC(2026, 0, 1)) {
    this.#epoch = start;
  }

  now(): number {
    return this.#epoch + this.#elapsed;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** When the next timer fires, in milliseconds since 1970; undefined when none is set. */
  get nextAt(): number | undefined {
    const next = this.#timers.peek();
    return next && this.#epoch + next.due;
  }

  setTimer(run: () => void, ms: number): Timer {
    // NaN and negative waits are due at once, as with setTimeout.
    const timer = { slot: -1, due: this.#elapsed + (ms > 0 ? ms : 0), order: this.#order++, run };
    this.#timers.push(timer);
    this.#fireSoon();
    return { cancel: () => void this.#timers.remove(timer) };
  }

  /**
   * Moves time forward, fires every timer that falls due on the way, also those that are set on the way, and
   * resolves when what they woke has come to rest.
   * @throws {LifecycleError} `CLOCK_BUSY` when another `advance` has not resolved yet.
   * @throws Whatever a timer throws; time then stands at that timer's moment.
   */
  async advance(duration: Duration): Promise<void> {
    const span = toMs(duration, "advance");
    if (this.#advancing) {
      throw new LifecycleError("CLOCK_BUSY", "advance() was called while another runs: await the first one.");
    }
    this.#advancing = true;
    try {
      await this.#advanceTo(this.#elapsed + span);
    } finally {
      this.#advancing = false;
      this.#fireSoon();
    }
  }

  /**
   * Changes what `now()` shows, as when somebody sets the machine's clock: no timer fires and none moves.
   * @param ms Milliseconds; negative to go back.
   */
  jump(ms: number): void {
    this.#epoch += ms;
  }

  async #advanceTo(end: number): Promise<void> {
    for (;;) {
      // What ran before, and what a timer woke, may still be about to set timers.
      await this.#rest();
      const next = this.#timers.peek();
      if (next && next.due <= end) {
        this.#elapsed = Math.max(this.#elapsed, next.due);
        this.#timers.remove(next);
        next.run();
      } else if (this.#elapsed < end) this.#elapsed = end;
      else return;
    }
  }

  /** Lets the promise and immediate queues drain until nothing new happens. */
  async #rest(): Promise<void> {
    let quiet = 0;
    while (quiet < (this.idle ? QUIET_TURNS_WHEN_TOLD : QUIET_TURNS)) {
      const before = this.#order;
      await turn();
      const told = this.idle?.() ?? true;
      if (typeof told === "object") await told;
      quiet = told === false || this.#order !== before ? 0 : quiet + 1;
    }
  }

  #fireSoon(): void {
    const next = this.#timers.peek();
    if (this.#turnAsked || !next || next.due > this.#elapsed) return;
    this.#turnAsked = true;
    setImmediate(() => {
      this.#turnAsked = false;
      this.#fireDue();
    });
  }

  #fireDue(): void {
    // An advance fires them itself, so that each one's work comes to rest before the next.
    if (this.#advancing) return;
    const next = this.#timers.peek();
    if (!next || next.due > this.#elapsed) return;
    this.#timers.remove(next);
    this.#fireSoon();
    next.run();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
