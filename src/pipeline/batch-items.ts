import type { HandlerFunction } from "../handler.ts";

/**
 * Waits for what a batch handler has begun for each of its messages. Promises may stand among the outcomes, as may what
 * `Promise.allSettled` gives; one that is rejected is the failure of that message alone.
 *
 * @throws {TypeError} when there are not as many outcomes as messages: nobody knows which is whose.
 */
export function awaitingItems(fn: HandlerFunction): HandlerFunction {
  return async (input, context) => {
    const result: unknown = await fn(input, context);
    if (!Array.isArray(result)) return result;
    const items = await Promise.allSettled(result as unknown[]);
    const messages = Array.isArray(input) ? input.length : 1;
    if (items.length === messages) return items.map(outcomeOf);
    throw new TypeError(
      `The batch handler returned ${items.length} outcomes for ${messages} messages. Return one for each, in their order, or nothing.`,
    );
  };
}

function outcomeOf(item: PromiseSettledResult<unknown>): unknown {
  if (item.status === "rejected") return errorOf(item.reason);
  return isRejected(item.value) ? errorOf(item.value.reason) : item.value;
}

function isRejected(value: unknown): value is PromiseRejectedResult {
  return (
    typeof value === "object" &&
    value !== null &&
    "reason" in value &&
    "status" in value &&
    value.status === "rejected"
  );
}

function errorOf(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
