import type { Claim, DeadReason, Engine, NewMessage, Queue } from "../engine.ts";

/** A message that a test's app published. */
export interface PublishedMessage {
  readonly id: string;
  readonly event: string;
  readonly payload: unknown;
  readonly headers: Readonly<Record<string, string>>;
  readonly key: string | undefined;
  readonly priority: number;
  /** When it falls due, in milliseconds since 1970. */
  readonly due: number;
}

/** A message that failed for good in a test's app. */
export interface DeadMessage {
  readonly id: string;
  /** Empty when nobody was subscribed. */
  readonly handler: string;
  readonly event: string;
  readonly payload: unknown;
  readonly attempt: number;
  readonly reason: DeadReason;
  /** The last error's message. */
  readonly error: string | undefined;
}

/** What has passed an engine, in order. */
export interface Recording {
  readonly engine: Engine;
  readonly published: PublishedMessage[];
  readonly deadLetters: DeadMessage[];
}

/** An engine that does what the given one does, and notes what is published and what dies. */
export function recordingEngine(engine: Engine): Recording {
  const published: PublishedMessage[] = [];
  const deadLetters: DeadMessage[] = [];
  const { queue } = engine;
  const recording: Queue = {
    subscribe: (subscriptions) => queue.subscribe(subscriptions),
    unsubscribe: (handler) => queue.unsubscribe(handler),
    subscriptions: () => queue.subscriptions(),
    claim: (wants) => queue.claim(wants),
    saveStep: (claim, name, result) => queue.saveStep(claim, name, result),
    find: (id) => queue.find(id),
    list: (filter) => queue.list(filter),
    cancel: (id, handler) => queue.cancel(id, handler),
    onWake: (wake) => queue.onWake(wake),
    async publish(messages, transaction) {
      const answers = await queue.publish(messages, transaction);
      answers.forEach(({ id, duplicate, deliveries }, at) => {
        const message = messages[at] as NewMessage; // one answer for each message
        if (duplicate) return;
        published.push(publishedMessage(id, message));
        if (deliveries === 0) deadLetters.push({ ...unroutedMessage(id, message) });
      });
      return answers;
    },
    async settle(settlements) {
      const settled = await queue.settle(settlements);
      settlements.forEach((settlement, at) => {
        if (settlement.kind !== "dead" || !settled[at]) return;
        // The consumer settles the claim it was given, which knows the message.
        const { id, handler, event, payload, attempt } = settlement.claim as Claim;
        const { reason, error } = settlement;
        deadLetters.push({
          id,
          handler,
          event,
          payload: decode(payload),
          attempt,
          reason,
          error: error?.message,
        });
      });
      return settled;
    },
  };
  const { name, location, capabilities, schedules, limits, state, presence, signals, transfer } = engine;
  const wrapped: Engine = {
    name,
    location,
    capabilities,
    schedules,
    limits,
    state,
    presence,
    signals,
    transfer,
    deadLetters: engine.deadLetters,
    queue: recording,
    start: (options) => engine.start(options),
    stop: () => engine.stop(),
    now: () => engine.now(),
    check: () => engine.check(),
  };
  return { engine: wrapped, published, deadLetters };
}

function publishedMessage(
  id: string,
  { event, payload, headers, key, priority, due }: NewMessage,
): PublishedMessage {
  const parsed = headers === undefined ? {} : (JSON.parse(headers) as Record<string, string>); // encoded by the publisher
  return { id, event, payload: decode(payload), headers: parsed, key, priority, due };
}

function unroutedMessage(id: string, { event, payload }: NewMessage): DeadMessage {
  return {
    id,
    handler: "",
    event,
    payload: decode(payload),
    attempt: 0,
    reason: "unrouted",
    error: undefined,
  };
}

/** A payload that is not JSON is shown as it is: that may be why its message died. */
function decode(payload: string): unknown {
  try {
    return JSON.parse(payload) as unknown;
  } catch {
    return payload;
  }
}
