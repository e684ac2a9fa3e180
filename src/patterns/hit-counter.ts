import type { Limits } from "../engine.ts";

/**
 * Counts hits in this process, for a threshold whose dispatcher stands alone. Keys come from untrusted text, so those
 * that have fallen silent are dropped as others are counted: it holds no more than one window's worth.
 */
export class HitCounter implements Pick<Limits, "hit"> {
  readonly #now: () => number;
  /** The moments of the hits that still count, by key; the key that was hit longest ago comes first. */
  readonly #hits = new Map<string, number[]>();

  /** @param now Milliseconds from any start. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** How many keys it holds. */
  get size(): number {
    return this.#hits.size;
  }

  /** As the engine's: counts one hit of `key`, and answers true, forgetting them all, when it was the `count`th within `window` ms. */
  async hit(key: string, count: number, window: number): Promise<boolean> {
    const oldest = this.#now() - window;
    this.#dropSilent(oldest);
    const hits = (this.#hits.get(key) ?? []).filter((at) => at > oldest);
    this.#hits.delete(key);
    if (hits.length + 1 >= count) return true;
    this.#hits.set(key, [...hits, this.#now()]);
    return false;
  }

  #dropSilent(oldest: number): void {
    for (const [key, hits] of this.#hits) {
      if ((hits.at(-1) ?? 0) > oldest) return;
      this.#hits.delete(key);
    }
  }
}
