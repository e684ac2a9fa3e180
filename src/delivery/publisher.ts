import { alike } from "../alike.ts";
import type { PublishOptions } from "../context.ts";
import type { Engine, NewMessage, Published } from "../engine.ts";
import { DeclarationError, EngineError, UnknownEventError, UnsupportedError } from "../errors.ts";
import type { EventType } from "../event-type.ts";
import type { EventHandler } from "../handler.ts";
import { validate } from "../schema.ts";
import { isPattern, TopicIndex, topicFault } from "../topic.ts";
import { TurnBatch } from "./turn-batch.ts";
import { encodeMessage, encodePayload } from "./encode.ts";

/** One event of a `publishAll`. */
export interface Publication<In = unknown> {
  readonly event: EventType<In, unknown> | string;
  readonly payload?: In;
  readonly options?: PublishOptions;
}

/** How long the subscriptions of other replicas are remembered before they are asked for again. */
const REMEMBER_MS = 1_000;
const NO_OPTIONS: PublishOptions = {};
/** Publishes that may be under way at once: a loop that does not wait for them must not fill the memory. */
const MOST_PENDING = 100_000;

/** The subscriptions of all replicas, as of a moment ago. */
interface Elsewhere {
  readonly topics: TopicIndex<string>;
  readonly names: readonly string[];
  readonly until: number;
}

/** Checks, encodes and stores events. */
export class Publisher {
  readonly #engine: Engine;
  readonly #messages: TurnBatch<NewMessage, Published>;
  readonly #handlersOf: (event: string) => readonly EventHandler[];
  #pending = 0;
  #elsewhere: Elsewhere | undefined;

  /** @param handlersOf The handlers of an event in this process. */
  constructor(engine: Engine, handlersOf: (event: string) => readonly EventHandler[]) {
    this.#engine = engine;
    this.#messages = new TurnBatch((messages) => engine.queue.publish(messages));
    this.#handlersOf = handlersOf;
  }

  /** Stores one event; resolves with its id once the engine has it safely. See {@link PublishOptions}. */
  async publish(event: EventType | string, payload?: unknown, options?: PublishOptions): Promise<string> {
    if (this.#pending >= MOST_PENDING) throw OVERLOAD;
    this.#pending++;
    try {
      const ready = this.#prepare(event, payload, options ?? NO_OPTIONS);
      const message = ready instanceof Promise ? await ready : ready;
      const transaction = options?.transaction;
      if (transaction !== undefined) return (await this.#publishInside([message], transaction))[0]?.id ?? "";
      return (await this.#messages.add(message)).id;
    } finally {
      this.#pending--;
    }
  }

  /** Stores all events or none; resolves with their ids in order. */
  async publishAll(publications: readonly Publication[]): Promise<string[]> {
    const messages: NewMessage[] = [];
    const transaction = onlyTransaction(publications);
    for (const { event, payload, options } of publications) {
      const ready = this.#prepare(event, payload, options ?? NO_OPTIONS);
      messages.push(ready instanceof Promise ? await ready : ready);
    }
    const stored =
      transaction === undefined
        ? await this.#engine.queue.publish(messages)
        : await this.#publishInside(messages, transaction);
    return stored.map(({ id }) => id);
  }

  #publishInside(messages: readonly NewMessage[], transaction: object): Promise<readonly Published[]> {
    const { name, capabilities, queue } = this.#engine;
    if (capabilities.transactions !== true) {
      throw new UnsupportedError(
        name,
        "a publish in a transaction of the caller's",
        "Leave transaction out, or use the engine of the database that the transaction is on: postgres://….",
      );
    }
    return queue.publish(messages, transaction);
  }

  /** Not async where nothing has to be waited for: this is the path of every publish. */
  #prepare(
    event: EventType | string,
    payload: unknown,
    options: PublishOptions,
  ): NewMessage | Promise<NewMessage> {
    const name = typeof event === "string" ? event : event.name;
    if (isPattern(name)) refuseName(name, "has a star in it");
    const text = encodePayload(payload, name);
    const message = encodeMessage(name, text, options, this.#engine.now());
    const handlers = this.#handlersOf(name);
    const schema =
      typeof event === "string" ? handlers.find((handler) => handler.schema)?.schema : event.schema;
    if (schema === undefined && (handlers.length > 0 || typeof event !== "string")) return message;
    return this.#checked(message, event, schema, handlers.length > 0);
  }

  async #checked(
    message: NewMessage,
    event: EventType | string,
    schema: EventType["schema"],
    handledHere: boolean,
  ): Promise<NewMessage> {
    // What is checked is what the handler will be given: the payload as it comes back out of JSON.
    if (schema) await validate(schema, JSON.parse(message.payload), `event "${message.event}"`);
    if (typeof event === "string" && !handledHere) await this.#refuseUnknown(event);
    return message;
  }

  /** A name nobody knows is a mistake of the caller's; an event that was defined but has no handler yet is not. */
  async #refuseUnknown(event: string): Promise<void> {
    const fault = isPattern(event) ? "has a star in it" : topicFault(event);
    if (fault)
      throw new DeclarationError("EVENT_NAME_INVALID", `The event name ${JSON.stringify(event)} ${fault}.`);
    const now = this.#engine.now();
    if (this.#elsewhere && this.#elsewhere.until > now && this.#elsewhere.topics.match(event).length > 0)
      return;
    const { topics, names } = await this.#look(now);
    if (topics.match(event).length === 0) throw new UnknownEventError(event, alike(event, names));
  }

  /** Whether any replica has a handler for an event; what others declare is known a second later. */
  async isHeard(event: string): Promise<boolean> {
    if (this.#handlersOf(event).length > 0) return true;
    const now = this.#engine.now();
    const known = this.#elsewhere && this.#elsewhere.until > now ? this.#elsewhere : await this.#look(now);
    return known.topics.match(event).length > 0;
  }

  /** Asks the engine what all replicas are subscribed to. */
  async #look(now: number): Promise<Elsewhere> {
    const subscriptions = await this.#engine.queue.subscriptions();
    const topics = new TopicIndex<string>();
    for (const { handler, topic } of subscriptions) if (topic !== undefined) topics.add(topic, handler);
    const names = subscriptions.flatMap(({ topic }) =>
      topic === undefined || isPattern(topic) ? [] : [topic],
    );
    this.#elsewhere = { topics, names, until: now + REMEMBER_MS };
    return this.#elsewhere;
  }
}

/** One for all: who publishes in a loop without waiting must not fill the memory with errors instead. */
const OVERLOAD = new EngineError(
  "PUBLISH_OVERLOAD",
  `${MOST_PENDING} publishes are under way and none of them has been waited for. Await publish, or use publishAll for many.`,
  { retryable: true },
);

/** One call stores all or none, so it has one transaction. */
function onlyTransaction(publications: readonly Publication[]): object | undefined {
  const odd = publications.findIndex((one) => typeof one !== "object" || one === null || !("event" in one));
  if (odd >= 0)
    throw new DeclarationError(
      "PUBLISH_OPTION_INVALID",
      `publishAll: item ${odd} is no publication. Write [{ event: "order.paid", payload: { … }, options: { … } }].`,
    );
  const all = new Set(publications.map(({ options }) => options?.transaction));
  if (all.size <= 1) return [...all][0];
  throw new DeclarationError(
    "PUBLISH_OPTION_INVALID",
    "publish: the events of one publishAll are stored together: give all of them the same transaction, or none.",
  );
}

function refuseName(event: string, fault: string): never {
  throw new DeclarationError("EVENT_NAME_INVALID", `The event name ${JSON.stringify(event)} ${fault}.`);
}
