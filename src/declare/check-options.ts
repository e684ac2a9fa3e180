import { toMs } from "../duration.ts";
import { DeclarationError } from "../errors.ts";
import type { HandlerOptions } from "../handler.ts";
import { retryPolicy } from "../pipeline/retry.ts";

/**
 * Checks the options that all kinds share, so that a mistake fails where it stands and not at the first message.
 * @throws {DeclarationError} `OPTION_INVALID`, `DURATION_INVALID`, `RETRY_INVALID`.
 */
export function checkOptions(what: string, options: HandlerOptions): void {
  if (typeof options !== "object" || options === null)
    fail(what, `options must be an object, not ${options === null ? "null" : typeof options}`);
  if (options.name === "") fail(what, "name must not be empty");
  if (options.timeout !== undefined) toMs(options.timeout, `${what}: timeout`);
  if (options.priority !== undefined && !Number.isSafeInteger(options.priority))
    fail(what, "priority must be a whole number");
  const { concurrency } = options;
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency > 0)) {
    fail(what, "concurrency must be a whole number of at least 1");
  }
  if (options.use !== undefined && !Array.isArray(options.use))
    fail(what, "use must be a list of functions: [(ctx, next) => …]");
  if (options.use?.some((middleware) => typeof middleware !== "function"))
    fail(what, "use must list functions: (ctx, next) => …");
  retryPolicy(options.retry);
}

function fail(what: string, why: string): never {
  throw new DeclarationError("OPTION_INVALID", `${what}: ${why}.`);
}
