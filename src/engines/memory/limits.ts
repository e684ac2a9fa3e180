import type { Limits, Taken } from "../../engine.ts";
import type { Seat } from "./seat.ts";

/** Strict sliding windows: a use is counted by its own moment, and never one too many. */
export class MemoryLimits implements Limits {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  async take(key: string, limit: number, window: number): Promise<Taken> {
    const now = this.#seat.open.now();
    const used = this.#seat.store.uses.within(key, window, now);
    if (used.length >= limit) {
      // There is room again when the use that is `limit` back from the latest leaves the window.
      const last = limit > 0 ? used[used.length - limit] : undefined;
      return { ok: false, retryAfter: (last ?? now) + window - now };
    }
    this.#seat.store.uses.add(key, window, now);
    return { ok: true, retryAfter: 0 };
  }

  async giveBack(key: string): Promise<void> {
    this.#seat.open.uses.takeBack(key);
  }

  async hit(key: string, count: number, window: number): Promise<boolean> {
    const now = this.#seat.open.now();
    if (this.#seat.store.hits.within(key, window, now).length + 1 < count) {
      this.#seat.store.hits.add(key, window, now);
      return false;
    }
    this.#seat.store.hits.clear(key);
    return true;
  }
}
