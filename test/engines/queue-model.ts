/*
 * What the engine contract says, in the plainest code there is: lists, filters and sorts, nothing kept that can be looked
 * up. Slow and obviously right; model.test.ts compares every engine with it.
 */

import type {
  AttemptError,
  DeadLetterFilter,
  DeadReason,
  NewMessage,
  Published,
  Schedule,
  Settlement,
} from "../../src/engine.ts";

/** How long a replica of the model lives without a beat. */
export const LEASE = 30_000;

/** A message that was published; `order` is its place among all. */
type Message = NewMessage & { readonly id: string; readonly order: number; readonly publishedAt: number };

/** One message for one handler. */
export interface Item {
  readonly message: Message;
  readonly handler: string;
  /** Of those with its key the one whose turn it is; the others stand behind it. */
  first: boolean;
  due: number;
  attempt: number;
  holder?: string | undefined;
  token?: unknown;
  steps: Readonly<Record<string, unknown>>;
  errors: readonly AttemptError[];
}

/** One that failed for good; `handler` is empty for a message that nobody got. */
export type Letter = Pick<Item, "message" | "handler" | "attempt" | "steps" | "errors"> & {
  readonly reason: DeadReason;
  readonly diedAt: number;
};

export class QueueModel {
  now = 0;
  /** A subscription that was removed is not `active`: what runs for it goes on. */
  readonly subscriptions = new Map<string, { topic: string | undefined; active: boolean }>();
  items: Item[] = [];
  letters: Letter[] = [];
  readonly schedules = new Map<string, Schedule>();
  /** The last beat of each replica that is not given up. */
  readonly alive = new Map<string, number>();
  readonly #dedupe: { key: string; id: string; until: number }[] = [];
  #published = 0;

  subscribe(handler: string, topic: string | undefined): void {
    this.subscriptions.set(handler, { topic, active: true });
  }

  unsubscribe(handler: string): boolean {
    const subscription = this.subscriptions.get(handler);
    if (!subscription?.active) return false;
    subscription.active = false;
    for (const item of this.items) if (item.handler === handler && !item.holder) this.#remove(item);
    return true;
  }

  /** @param ids What the engine called them. */
  publish(messages: readonly NewMessage[], ids: readonly string[]): Published[] {
    return messages.map((fields, at) => {
      const { dedupe } = fields;
      const known = this.#dedupe.find(({ key, until }) => key === dedupe?.key && until > this.now);
      if (known) return { id: known.id, duplicate: true, deliveries: 0 };
      const message = { ...fields, id: ids[at] ?? "", order: ++this.#published, publishedAt: this.now };
      if (dedupe) this.#dedupe.push({ ...dedupe, id: message.id });
      const receivers = this.#receivers(message);
      for (const handler of receivers) this.#add(message, handler);
      if (receivers.length === 0)
        this.#bury({ message, handler: "", attempt: 0, steps: {}, errors: [] }, "unrouted");
      return { id: message.id, duplicate: false, deliveries: receivers.length };
    });
  }

  stateOf(item: Item): "ready" | "waiting" | "running" {
    if (item.holder) return "running";
    return item.first && item.due <= this.now ? "ready" : "waiting";
  }

  /** What may be claimed for a handler, in order. */
  ready(handler: string): Item[] {
    if (!this.subscriptions.get(handler)?.active) return [];
    const found = this.items.filter((item) => item.handler === handler && this.stateOf(item) === "ready");
    return found.sort((a, b) => a.message.priority - b.message.priority || a.message.order - b.message.order);
  }

  take(item: Item, holder: string, token: unknown): void {
    Object.assign(item, { holder, token, attempt: item.attempt + 1 });
  }

  held(holder: string, token: unknown): Item | undefined {
    return this.items.find((item) => item.holder === holder && item.token === token);
  }

  settle(item: Item | undefined, how: Settlement): boolean {
    if (!item) return false;
    if (how.kind === "done") this.#remove(item);
    if (how.kind === "dead") {
      this.#remove(item);
      if (how.error) item.errors = [...item.errors, how.error];
      this.#bury(item, how.reason);
    }
    if (how.kind === "retry") item.errors = [...item.errors, how.error];
    if (how.kind === "retry" || how.kind === "snooze") item.due = how.at;
    if (how.kind === "snooze" || how.kind === "release") item.attempt--;
    if (how.kind !== "done" && how.kind !== "dead") this.#putBack(item);
    return true;
  }

  cancel(id: string, handler: string | undefined): number {
    const found = this.items.filter(
      (item) => item.message.id === id && !item.holder && (handler ?? item.handler) === item.handler,
    );
    for (const item of found) this.#remove(item);
    return found.length;
  }

  /** Dead letters, oldest first, without the filter's limit. */
  matching(filter: DeadLetterFilter): Letter[] {
    const fits = (wanted: string | undefined, is: string) => wanted === undefined || wanted === is;
    return this.letters.filter(
      ({ message, handler, reason }) =>
        fits(filter.id, message.id) &&
        fits(filter.handler, handler) &&
        fits(filter.event, message.event) &&
        fits(filter.reason, reason),
    );
  }

  replay(filter: DeadLetterFilter): number {
    const receivers = ({ message, handler }: Letter) =>
      this.#receivers(handler ? { ...message, to: handler } : message);
    const wanted = this.matching(filter)
      .filter((letter) => receivers(letter).length > 0)
      .slice(0, filter.limit ?? 100);
    for (const letter of wanted) {
      // It is meant to run: neither its delay nor its end counts any more.
      const message = { ...letter.message, due: this.now, expires: undefined };
      for (const handler of receivers(letter)) this.#add(message, handler, letter);
      this.letters = this.letters.filter((other) => other !== letter);
    }
    return wanted.length;
  }

  discard(filter: DeadLetterFilter): number {
    const gone = this.matching(filter).slice(0, filter.limit ?? 100);
    this.letters = this.letters.filter((letter) => !gone.includes(letter));
    return gone.length;
  }

  beat(replica: string): boolean {
    const known = this.alive.has(replica);
    this.alive.set(replica, this.now);
    return known;
  }

  sweep(replica: string): number {
    for (const [other, beat] of this.alive) {
      if (other !== replica && this.now - beat > LEASE) this.alive.delete(other);
    }
    const orphans = this.items.filter(({ holder }) => holder && !this.alive.has(holder));
    for (const item of orphans) this.#putBack(item);
    return orphans.length;
  }

  stop(replica: string): void {
    this.alive.delete(replica);
    for (const item of this.items.filter(({ holder }) => holder === replica)) {
      item.attempt--;
      this.#putBack(item);
    }
  }

  define(task: string, hash: string, next: number | undefined): Schedule {
    const fresh = {
      task,
      definition: hash,
      paused: false,
      lastTick: undefined,
      lastSuccess: undefined,
      fired: 0,
    };
    const stored = this.schedules.get(task);
    if (stored?.hash === hash) return stored;
    const changed = { ...fresh, ...stored, definition: hash, hash, next };
    this.schedules.set(task, changed);
    return changed;
  }

  mayFire(task: string, hash: string, tick: number): boolean {
    const stored = this.schedules.get(task);
    return stored !== undefined && !stored.paused && stored.hash === hash && stored.next === tick;
  }

  change(task: string, change: Partial<Schedule>): boolean {
    const stored = this.schedules.get(task);
    if (stored) this.schedules.set(task, { ...stored, ...change });
    return stored !== undefined;
  }

  #receivers({ event, to }: NewMessage): string[] {
    return [...this.subscriptions]
      .filter(
        ([handler, { topic, active }]) =>
          active &&
          (to ? to === handler : topic !== undefined && matches(topic.split("."), event.split("."))),
      )
      .map(([handler]) => handler);
  }

  #add(
    message: Message,
    handler: string,
    { steps, errors }: Pick<Letter, "steps" | "errors"> = { steps: {}, errors: [] },
  ): void {
    const item: Item = { message, handler, first: true, due: message.due, attempt: 0, steps, errors };
    const turn = this.#withKeyOf(item).find(({ first }) => first);
    // One that comes back from the dead letters goes before those published after it, but never overtakes a running one.
    item.first = !turn || (!turn.holder && item.message.order < turn.message.order);
    if (turn && item.first) turn.first = false;
    this.items.push(item);
  }

  #remove(item: Item): void {
    this.items = this.items.filter((other) => other !== item);
    const next = this.#withKeyOf(item).sort((a, b) => a.message.order - b.message.order)[0];
    if (item.first && next) next.first = true;
  }

  #withKeyOf({ handler, message }: Item): Item[] {
    return this.items.filter(
      (other) => message.key !== undefined && other.handler === handler && other.message.key === message.key,
    );
  }

  #putBack(item: Item): void {
    Object.assign(item, { holder: undefined, token: undefined });
    if (!this.subscriptions.get(item.handler)?.active) this.#remove(item);
  }

  #bury(
    { message, handler, attempt, steps, errors }: Omit<Letter, "reason" | "diedAt">,
    reason: DeadReason,
  ): void {
    this.letters.push({ message, handler, attempt, steps, errors, reason, diedAt: this.now });
  }
}

/** `*` is one word, `**` any number, also none. */
function matches([head, ...topic]: string[], event: string[]): boolean {
  if (head === undefined) return event.length === 0;
  if (head === "**")
    return matches(topic, event) || (event.length > 0 && matches([head, ...topic], event.slice(1)));
  return event.length > 0 && (head === "*" || head === event[0]) && matches(topic, event.slice(1));
}
