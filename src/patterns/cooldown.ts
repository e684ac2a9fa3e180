import { type Duration, toMs } from "../duration.ts";
import { DeclarationError } from "../errors.ts";
import type { PatternCooldownOptions, PatternMatch, PatternOptions } from "../handler.ts";
import type { Environment } from "../pipeline/environment.ts";

/** Keys come from untrusted text: no more than this many are kept in mind. */
const MOST_KEYS = 100_000;
/** The engine is asked about what others keep quiet no more often. */
const ASK_AGAIN_MS = 1_000;

/**
 * A handler's `cooldown`: after it fired it keeps quiet, on all replicas when there is an engine.
 *
 * While it is quiet the engine is not asked again: that a flood of matches goes on costs nothing. A run that fails gives
 * its turn back, so that an alert which could not be sent is not the one that silences the next.
 */
export class PatternCooldown {
  readonly #name: string;
  readonly #every: number;
  readonly #by: PatternCooldownOptions["by"];
  readonly #environment: Environment;
  /** Until when each key is quiet, as far as this process knows; those that were set first come first. */
  readonly #quiet = new Map<string, number>();

  /**
   * @param name The handler's name, under which all replicas keep quiet together.
   * @throws {DeclarationError} `COOLDOWN_INVALID`, `DURATION_INVALID`.
   */
  constructor(
    name: string,
    cooldown: Duration | PatternCooldownOptions,
    threshold: PatternOptions["threshold"],
    environment: Environment,
  ) {
    const { every, by } = quietTime(name, cooldown);
    this.#name = name;
    this.#every = every;
    this.#by = by ?? threshold?.by;
    this.#environment = environment;
  }

  /** The key under which a match may fire now; undefined while it is quiet. Rejects when `by` throws or the engine cannot be reached. */
  async take(match: PatternMatch): Promise<string | undefined> {
    const key = `quiet:${this.#name}:${this.#by?.(match) ?? ""}`;
    const now = this.#now();
    if ((this.#quiet.get(key) ?? 0) > now) return undefined;
    const { limits } = this.#environment;
    const taken = limits ? await limits.take(key, 1, this.#every) : { ok: true, retryAfter: 0 };
    // Another replica may give its turn back.
    this.#keepQuiet(key, now + (taken.ok ? this.#every : Math.min(taken.retryAfter, ASK_AGAIN_MS)));
    return taken.ok ? key : undefined;
  }

  /** The match that took the key came to nothing: the next one fires. */
  async giveBack(key: string): Promise<void> {
    this.#quiet.delete(key);
    await this.#environment.limits?.giveBack(key);
  }

  #keepQuiet(key: string, until: number): void {
    const now = this.#now();
    for (const [other, end] of this.#quiet) {
      if (end > now && this.#quiet.size < MOST_KEYS) break;
      this.#quiet.delete(other);
    }
    this.#quiet.delete(key);
    this.#quiet.set(key, until);
  }

  #now(): number {
    return this.#environment.clock.elapsed();
  }
}

/** How long it is quiet, in milliseconds, and for each of what. @throws {DeclarationError} `DURATION_INVALID`, `COOLDOWN_INVALID`. */
export function quietTime(
  name: string,
  cooldown: Duration | PatternCooldownOptions,
): { readonly every: number; readonly by: PatternCooldownOptions["by"] } {
  const options = typeof cooldown === "object" && cooldown !== null ? cooldown : { every: cooldown };
  const what = `cooldown of "${name}"`;
  const every = toMs(options.every ?? "", what);
  if (every > 0 && (options.by === undefined || typeof options.by === "function"))
    return { every, by: options.by };
  throw new DeclarationError(
    "COOLDOWN_INVALID",
    `${what}: every must be longer than 0, and by a function of the match. Write "5m" or { every: "5m", by: (m) => m.groups.ip }.`,
  );
}
