import type { LRUCache } from "lru-cache";
import { type Duration, toMs } from "../duration.ts";
import { DeclarationError } from "../errors.ts";

/** Options of {@link cached}. */
export interface CachedOptions<Args extends readonly unknown[]> {
  /** How many results are kept; the one unused for longest goes first. @default 128 */
  readonly max?: number;
  /** How long a result is kept. @default until it is pushed out */
  readonly ttl?: Duration;
  /** What makes two calls the same. @default the arguments as JSON */
  readonly key?: (...args: Args) => string;
}

/** A function with a memory. */
export interface Cached<Args extends readonly unknown[], Result> {
  (...args: Args): Promise<Result>;
  /** Forgets everything. */
  clear(): void;
}

/**
 * Remembers what a function returned. Calls for one key that come while the first is under way wait for it: the
 * function runs once. Failures are not remembered.
 *
 * @param fn What to remember the results of; sync or async.
 * @throws {DeclarationError} `OPTION_INVALID` when `max` is not a whole number of at least 1.
 * @example
 * const price = cached(async (sku: string) => (await fetch(`https://shop.example/${sku}`)).json(), { max: 128, ttl: "5m" });
 * commandOn("price", "/price <sku>").execute(({ sku }) => price(sku));
 */
export function cached<Args extends readonly unknown[], Result>(
  fn: (...args: Args) => Result | Promise<Result>,
  { max = 128, ttl, key = (...args) => JSON.stringify(args) }: CachedOptions<Args> = {},
): Cached<Args, Result> {
  if (!Number.isInteger(max) || max < 1) {
    throw new DeclarationError(
      "OPTION_INVALID",
      `cached: max must be a whole number of at least 1, not ${max}.`,
    );
  }
  const ttlMs = ttl === undefined ? 0 : toMs(ttl, "cached: ttl");
  let results: LRUCache<string, Promise<Result>> | undefined;
  const remember = async (...args: Args): Promise<Result> => {
    results ??= new (await import("lru-cache")).LRUCache({ max, ttl: ttlMs });
    const of = key(...args);
    const known = results.get(of);
    if (known) return known;
    const running = (async () => await fn(...args))();
    results.set(of, running);
    running.catch(() => {
      if (results?.peek(of) === running) results.delete(of);
    });
    return running;
  };
  return Object.assign(remember, { clear: () => results?.clear() });
}
