import { type Duration, toMs } from "../duration.ts";
import { DeclarationError } from "../errors.ts";
import type { EventType } from "../event-type.ts";
import type { BatchOptions, EventOptions } from "../handler.ts";
import { defaultRegistry, type HandlerRegistry } from "../registry.ts";
import { topicFault } from "../topic.ts";
import { builder, type HandlerBuilder, type HandlerOf, type UncheckedHandler } from "./builder.ts";
import { checkOptions } from "./check-options.ts";
import type { Declaration } from "./declaration.ts";

/** More at once would keep the event loop, and the lease, waiting. */
const LARGEST_BATCH = 10_000;

/** Declares a handler of an event; see {@link on}. */
export interface On {
  <In, Out>(
    event: EventType<In, Out>,
    options: EventOptions<Out> & { readonly batch: BatchOptions },
  ): HandlerBuilder<HandlerOf<readonly Out[]>>;
  <In, Out>(event: EventType<In, Out>, options?: EventOptions<Out>): HandlerBuilder<HandlerOf<Out>>;
  (topic: string, options?: EventOptions): HandlerBuilder<UncheckedHandler>;
}

/** Makes the `on` of a registry. */
export function createOn(registry: HandlerRegistry): On {
  const on = (event: EventType | string, options: EventOptions = {}): HandlerBuilder<UncheckedHandler> =>
    builder(registry, declare(event, options), on);
  return on as On; // the overloads type the same builder by its event
}

/**
 * Declares a handler of an event.
 *
 * @param event What `defineEvent` made, or a name; names may hold `*` (one segment) and `**` (any number).
 * @param options Timeout, retry, concurrency, rate limit, priority, middleware, …
 * @throws {DeclarationError} `TOPIC_INVALID`, `OPTION_INVALID`; {@link DuplicateHandlerError} when the name is taken.
 * @example
 * on(UserRegistered, { retry: 3 }).execute(async (user, ctx) => `welcome ${user.email}`);
 * class Accounts { @on("user.*") audit(user: { email: string }) {} }
 */
export const on: On = createOn(defaultRegistry);

function declare(event: EventType | string, options: EventOptions): Declaration {
  const topic = typeof event === "string" ? event : event?.name;
  const fault = typeof topic === "string" ? topicFault(topic) : "is not a string";
  if (fault) {
    throw new DeclarationError(
      "TOPIC_INVALID",
      `on(${JSON.stringify(topic)}): the topic ${fault}. Write dotted segments such as "order.paid", or "order.*" and "order.**".`,
    );
  }
  const what = `on("${topic}")`;
  checkOptions(what, options);
  checkBatch(what, options.batch);
  checkRateLimit(what, options.rateLimit);
  const schema = typeof event === "string" ? undefined : event.schema;
  return {
    what,
    name: options.name,
    fallbackName: topic,
    record: {
      kind: "event",
      topic,
      schema,
      options: options as EventOptions, // the payload's type matters to the user's code only
    },
  };
}

function checkRateLimit(
  what: string,
  rateLimit: { readonly limit: number; readonly per: Duration } | undefined,
): void {
  if (rateLimit === undefined) return;
  if (!Number.isInteger(rateLimit.limit) || rateLimit.limit < 1 || rateLimit.per === undefined) {
    throw new DeclarationError(
      "OPTION_INVALID",
      `${what}: rateLimit needs a limit of at least 1 and a per: { limit: 10, per: "1s" }.`,
    );
  }
  toMs(rateLimit.per, `${what}: rateLimit.per`);
}

function checkBatch(what: string, batch: BatchOptions | undefined): void {
  if (batch === undefined) return;
  if (!Number.isInteger(batch.size) || batch.size < 1 || batch.size > LARGEST_BATCH) {
    throw new DeclarationError(
      "OPTION_INVALID",
      `${what}: batch.size must be a whole number from 1 to ${LARGEST_BATCH}.`,
    );
  }
  if (batch.within !== undefined) toMs(batch.within, `${what}: batch.within`);
}
