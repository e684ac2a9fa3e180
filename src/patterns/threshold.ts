import { toMs } from "../duration.ts";
import { DeclarationError } from "../errors.ts";
import type { PatternMatch, ThresholdOptions } from "../handler.ts";
import type { Environment } from "../pipeline/environment.ts";
import { HitCounter } from "./hit-counter.ts";

/**
 * A handler's `threshold`: lets the match through that completes the count, and starts to count anew.
 *
 * The engine counts for all replicas; without one, this process counts for itself. Matches for which `by` gives
 * nothing are counted together.
 */
export class Threshold {
  readonly #name: string;
  readonly #options: ThresholdOptions;
  readonly #window: number;
  readonly #environment: Environment;
  readonly #local: HitCounter;

  /**
   * @param name The handler's name, under which all replicas count together.
   * @param environment Its `limits` are looked up at each match: they come and go with the engine.
   * @throws {DeclarationError} `THRESHOLD_INVALID` when `count` is not a whole number of at least 1, or `within` is zero; `DURATION_INVALID`.
   */
  constructor(name: string, options: ThresholdOptions, environment: Environment) {
    this.#name = name;
    this.#options = options;
    this.#window = thresholdWindow(name, options);
    this.#environment = environment;
    this.#local = new HitCounter(() => environment.clock.elapsed());
  }

  /** Counts a match; true when it was the one that completes the count. Rejects when `by` throws or the engine cannot be reached. */
  async reached(match: PatternMatch): Promise<boolean> {
    const { count, by } = this.#options;
    const key = `threshold:${this.#name}:${by?.(match) ?? ""}`;
    return (this.#environment.limits ?? this.#local).hit(key, count, this.#window);
  }
}

/** The time within which the matches must come, in milliseconds. @throws {DeclarationError} `DURATION_INVALID`, `THRESHOLD_INVALID`. */
export function thresholdWindow(name: string, { count, within }: ThresholdOptions): number {
  const window = toMs(within, `threshold.within of "${name}"`);
  if (Number.isInteger(count) && count >= 1 && window > 0) return window;
  throw new DeclarationError(
    "THRESHOLD_INVALID",
    `threshold of "${name}": count must be a whole number of at least 1 and within longer than 0, ` +
      `not ${count} within ${within}. Write { count: 5, within: "1m" }.`,
  );
}
