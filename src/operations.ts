import { delay } from "./clock.ts";
import { type Duration, toMs } from "./duration.ts";
import type {
  AttemptError,
  DeadLetter,
  DeadLetterFilter,
  DeliveryFilter,
  DeliveryInfo,
  Instance,
  SubscriptionInfo,
} from "./engine.ts";
import { DeclarationError, LifecycleError } from "./errors.ts";
import type { PatternDispatcher } from "./patterns/pattern-dispatcher.ts";
import { type Problem, problemsOf } from "./problems.ts";
import type { HandlerRegistry } from "./registry.ts";
import { CANCEL_CHANNEL, type CancelOrder, isDelivered, type Runtime } from "./runtime.ts";

/** What an engine stores as text, as values. */
interface Decoded {
  readonly payload: unknown;
  readonly headers: Readonly<Record<string, string>>;
  /** The results of finished steps, by name. */
  readonly steps: Readonly<Record<string, unknown>>;
  /** Every failed attempt, the first one first. */
  readonly errors: readonly AttemptError[];
}

/** A delivery that waits or runs. */
export type DeliveryView = Omit<DeliveryInfo, keyof Decoded> & Decoded;

/** A delivery that failed for good. */
export type DeadLetterView = Omit<DeadLetter, keyof Decoded> & Decoded;

/** All that is known of a message that is not done. */
export interface MessageView {
  readonly id: string;
  readonly deliveries: readonly DeliveryView[];
  readonly deadLetters: readonly DeadLetterView[];
}

/** A subscription and its backlog. */
export interface SubscriptionView extends SubscriptionInfo {
  /** Whether this process has its handler. One that no process has keeps its messages until it is removed. */
  readonly handledHere: boolean;
}

/** What became of a message that was cancelled. */
export interface Cancelled {
  /** Deliveries that waited, and are gone. */
  readonly removed: number;
  /** Deliveries that were running: their signals are aborted, on whichever replica, and they are not tried again. */
  readonly running: number;
}

/** How fast dead letters are made ready again. */
export interface ReplayOptions {
  /** At most `limit` in each `per`. @default all at once */
  readonly rate?: { readonly limit: number; readonly per: Duration };
  /** Ends it early, when the ones under way are ready. */
  readonly signal?: AbortSignal;
}

/** What an app declares, as far as operators look at it. */
interface Declared {
  readonly registry: HandlerRegistry;
  readonly patterns: PatternDispatcher;
}

/** How many dead letters are moved in one step of the engine. */
const PAGE = 500;

/**
 * What operators do with a running app: look at messages, subscriptions and replicas, cancel, replay, discard. The CLI
 * and HTTP offer the same under `/api`.
 */
export class Operations {
  readonly #runtime: Runtime;
  readonly #declared: Declared;
  readonly #clock: Parameters<typeof delay>[0];

  /** @internal Use `app.operations`. */
  constructor(runtime: Runtime, declared: Declared, clock: Parameters<typeof delay>[0]) {
    this.#runtime = runtime;
    this.#declared = declared;
    this.#clock = clock;
  }

  /** Dead letters, oldest first; 100 unless the filter says otherwise. */
  async deadLetters(filter: DeadLetterFilter = {}): Promise<DeadLetterView[]> {
    return (await this.#dead.list(filter)).map(decoded);
  }

  /** How many dead letters there are. */
  countDeadLetters(filter: DeadLetterFilter = {}): Promise<number> {
    return this.#dead.count(filter);
  }

  /**
   * Makes dead letters ready again, oldest first, with id, history and finished steps kept and attempts counted anew.
   *
   * @param filter Which: one by `id`, those of a handler, an event or a reason; `{}` for all.
   * @param options `rate` spreads them: this resolves when the last one is ready.
   * @returns how many there were.
   * @throws {DeclarationError} `OPTION_INVALID` when the rate's limit is not a whole number of at least 1.
   */
  async replay(filter: DeadLetterFilter = {}, { rate, signal }: ReplayOptions = {}): Promise<number> {
    if (rate && (!Number.isInteger(rate.limit) || rate.limit < 1)) {
      throw new DeclarationError(
        "OPTION_INVALID",
        `replay: rate.limit must be a whole number of at least 1, not ${rate.limit}.`,
      );
    }
    const per = rate && toMs(rate.per, "replay: rate.per");
    const page = rate?.limit ?? PAGE;
    return this.#inPages(filter, page, (some) => this.#dead.replay(some), per, signal);
  }

  /** Removes dead letters; answers how many. `{}` removes them all. */
  discard(filter: DeadLetterFilter): Promise<number> {
    return this.#inPages(filter, PAGE, (some) => this.#dead.discard(some));
  }

  /** A page at a time, so that other work gets its turn; no more than there were, should some die again meanwhile. */
  async #inPages(
    filter: DeadLetterFilter,
    page: number,
    act: (some: DeadLetterFilter) => Promise<number>,
    pause?: number,
    signal?: AbortSignal,
  ): Promise<number> {
    const { limit = Infinity } = filter;
    // Counting goes through all that fit: whoever comes with pages of his own must not pay it for each.
    const all = limit <= page ? limit : Math.min(limit, await this.#dead.count(filter));
    let done = 0;
    while (done < all && !signal?.aborted) {
      const some = await act({ ...filter, limit: Math.min(page, all - done) });
      done += some;
      if (some === 0) break;
      if (pause !== undefined && done < all) await delay(this.#clock, pause, signal).catch(() => {});
    }
    return done;
  }

  /** Deliveries that wait or run, oldest first; 100 unless the filter says otherwise. */
  async messages(filter: DeliveryFilter = {}): Promise<DeliveryView[]> {
    return (await this.#runtime.engine.queue.list(filter)).map(decoded);
  }

  /** All that is known of a message; undefined when it is done, or never was. */
  async message(id: string): Promise<MessageView | undefined> {
    const [deliveries, dead] = await Promise.all([
      this.#runtime.engine.queue.find(id),
      this.#dead.list({ id }),
    ]);
    if (deliveries.length === 0 && dead.length === 0) return undefined;
    return { id, deliveries: deliveries.map(decoded), deadLetters: dead.map(decoded) };
  }

  /** Calls a message off: what waits is removed, what runs is aborted wherever it runs. Only `handler`'s, if given. */
  async cancel(id: string, handler?: string): Promise<Cancelled> {
    const { queue, signals } = this.#runtime.engine;
    const removed = await queue.cancel(id, handler);
    const running = (await queue.find(id)).filter(
      (delivery) => delivery.state === "running" && (handler === undefined || delivery.handler === handler),
    ).length;
    const order: CancelOrder = { id, handler };
    if (running > 0) await signals.send(CANCEL_CHANNEL, JSON.stringify(order));
    return { removed, running };
  }

  /** All subscriptions with their backlogs. */
  async subscriptions(): Promise<SubscriptionView[]> {
    const all = await this.#runtime.engine.queue.subscriptions();
    return all.map((subscription) => ({
      ...subscription,
      handledHere: this.#handles(subscription.handler),
    }));
  }

  /**
   * Removes a subscription with what waits for it, or the stored schedule of a task: for handlers whose code is gone. False when there is none.
   * @throws {LifecycleError} `SUBSCRIPTION_IN_USE` when this process has the handler, which would go on without messages.
   */
  async unsubscribe(handler: string): Promise<boolean> {
    if (!this.#handles(handler)) {
      const { queue, schedules } = this.#runtime.engine;
      const [removed, timed] = await Promise.all([queue.unsubscribe(handler), schedules.remove(handler)]);
      return removed || timed;
    }
    throw new LifecycleError(
      "SUBSCRIPTION_IN_USE",
      `The handler "${handler}" is declared in this app: without its subscription it would get no messages until the next start, which subscribes it again. Take it out of the code first.`,
    );
  }

  /** The replicas that are alive. */
  instances(): Promise<readonly Instance[]> {
    return this.#runtime.engine.presence.instances();
  }

  /**
   * What is wrong with the app though it runs: slow and risky patterns, declarations without effect, subscriptions and
   * timers whose code is gone, timers that replicas declare differently, an engine that does not answer.
   *
   * @example
   * for (const { kind, name, problem } of await app.operations.problems()) console.log(kind, name, problem);
   */
  problems(): Promise<Problem[]> {
    const { registry, patterns } = this.#declared;
    const { engine, scheduler } = this.#runtime;
    return problemsOf({ registry, patterns, engine, scheduler, operations: this });
  }

  #handles(name: string): boolean {
    const handler = this.#declared.registry.get(name);
    return handler !== undefined && isDelivered(handler);
  }

  get #dead() {
    return this.#runtime.engine.deadLetters;
  }
}

interface Encoded {
  readonly payload: string;
  readonly headers: string | undefined;
  readonly steps: string | undefined;
  readonly errors: string | undefined;
}

function decoded<T extends Encoded>(stored: T): Omit<T, keyof Decoded> & Decoded {
  // Each was written as what it is read as: headers and steps as objects, errors as an array.
  return {
    ...stored,
    payload: parsed(stored.payload),
    headers: (parsed(stored.headers) ?? {}) as Decoded["headers"],
    steps: (parsed(stored.steps) ?? {}) as Decoded["steps"],
    errors: (parsed(stored.errors) ?? []) as Decoded["errors"],
  };
}

/** What is not JSON is shown as the text it is: an operator must be able to look at what could not be read. */
function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
