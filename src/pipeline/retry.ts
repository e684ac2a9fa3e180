import { toMs } from "../duration.ts";
import { DeclarationError, Fatal, RetryAfter } from "../errors.ts";
import type { RetryOptions } from "../handler.ts";

/** When to try again, worked out once for each handler from its {@link RetryOptions}. */
export interface RetryPolicy {
  readonly attempts: number;
  /** Milliseconds until the next attempt, or undefined when this failure is final. */
  next(error: unknown, attempt: number, random: () => number): number | undefined;
}

const DEFAULT_ATTEMPTS = 5;
const DELAY_MS = 1_000;
const LONGEST_MS = 600_000;

/**
 * Compiles a handler's `retry` option.
 *
 * Waits grow as the option says and are drawn at random between zero and their length ("full jitter"), which keeps
 * failures from coming back in step. Source: M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
 *
 * @param option The option as declared.
 * @param fallback How many attempts when nothing is declared.
 * @throws {DeclarationError} `RETRY_INVALID` when attempts is not a whole number of at least 1.
 */
export function retryPolicy(
  option: RetryOptions | number | false | undefined,
  fallback = DEFAULT_ATTEMPTS,
): RetryPolicy {
  if (option !== undefined) return compile(option, fallback);
  let usual = USUAL.get(fallback);
  if (!usual) USUAL.set(fallback, (usual = compile(undefined, fallback)));
  return usual;
}

/** Of handlers that ask for nothing, by their attempts: there may be a hundred thousand. */
const USUAL = new Map<number, RetryPolicy>();

function compile(option: RetryOptions | number | false | undefined, fallback: number): RetryPolicy {
  const options: RetryOptions = typeof option === "object" ? option : {};
  const attempts =
    option === false
      ? 1
      : typeof option === "number"
        ? option
        : (options.attempts ?? (option ? DEFAULT_ATTEMPTS : fallback));
  if (!Number.isInteger(attempts) || attempts < 1) {
    throw new DeclarationError(
      "RETRY_INVALID",
      `retry: attempts must be a whole number of at least 1, not ${attempts}.`,
    );
  }
  const base = toMs(options.delay ?? DELAY_MS, "retry.delay");
  const longest = toMs(options.maxDelay ?? LONGEST_MS, "retry.maxDelay");
  const growth = GROWTH[options.backoff ?? "exponential"] as ((attempt: number) => number) | undefined;
  if (!growth)
    throw new DeclarationError(
      "RETRY_INVALID",
      `retry.backoff must be exponential, linear or fixed, not ${JSON.stringify(options.backoff)}.`,
    );
  return {
    attempts,
    next(error, attempt, random) {
      if (attempt >= attempts || error instanceof Fatal) return undefined;
      if (options.retryIf && !options.retryIf(error, attempt)) return undefined;
      const wait = Math.min(longest, base * growth(attempt));
      const drawn = options.jitter === false ? wait : random() * wait;
      return error instanceof RetryAfter ? Math.max(toMs(error.wait), drawn) : drawn;
    },
  };
}

const GROWTH = {
  exponential: (attempt: number) => 2 ** (attempt - 1),
  linear: (attempt: number) => attempt,
  fixed: () => 1,
};
