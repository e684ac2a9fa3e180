import { type Clock, systemClock } from "../../clock.ts";
import type { NewMessage, Published, Schedule, TaskRun } from "../../engine.ts";
import { TopicIndex } from "../../topic.ts";
import { Backlog } from "./backlog.ts";
import { DeadLetterBox } from "./dead-letter-box.ts";
import { DedupeWindows } from "./dedupe-windows.ts";
import { Delivery, type Message } from "./delivery.ts";
import type { Member } from "./seat.ts";
import { UseWindows } from "./use-windows.ts";

/**
 * What the memory engine keeps. Engine values that share a store are the replicas of one cluster, and a store outlives
 * the engine values that used it.
 *
 * @example
 * const store = new MemoryStore();
 * const one = memoryEngine({ store });
 * const other = memoryEngine({ store });
 */
export class MemoryStore {
  /** @internal */
  clock: Clock = systemClock;
  /** @internal Why nothing of the content may be changed. */
  seal: string | undefined;
  /** @internal Who is alive, by id. */
  readonly members = new Map<string, Member>();
  /** @internal By handler. */
  readonly backlogs = new Map<string, Backlog>();
  /** @internal What waits or runs, by message id. */
  readonly deliveries = new Map<string, Delivery[]>();
  /** @internal */
  readonly dead = new DeadLetterBox();
  /** @internal */
  readonly schedules = new Map<string, Schedule>();
  /** @internal The last runs by task, newest first. */
  readonly runs = new Map<string, readonly TaskRun[]>();
  /** @internal */
  readonly uses = new UseWindows();
  /** @internal */
  readonly hits = new UseWindows();
  /** @internal */
  readonly dedupe = new DedupeWindows();
  /** @internal */
  readonly facts = new Map<string, string>();
  /** @internal */
  readonly listeners = new Map<string, Set<{ readonly hear: (body: string) => void }>>();
  /** @internal Called when a claim may find something new. */
  readonly wakes = new Set<{ readonly wake: (handlers: Iterable<string>) => void }>();

  readonly #name: string;
  readonly #topics = new TopicIndex<Backlog>();
  /** Removed subscriptions of which something still ran, by handler. */
  readonly #left = new Map<string, Backlog>();
  #messages = 0;
  #tokens = 0;
  /** The handlers that may find something new, until all are told. */
  #touched = new Set<string>();

  /** @param name The start of all message ids. Random unless given, so that ids of two stores never meet. */
  constructor(name = crypto.randomUUID().slice(0, 12).replace("-", "")) {
    this.#name = name;
  }

  /** @internal */
  now(): number {
    return this.clock.now();
  }

  /** @internal */
  subscribe(handler: string, topic: string | undefined): void {
    const known = this.backlogs.get(handler);
    if (known && known.topic === topic) return;
    if (known?.topic !== undefined) this.#topics.remove(known.topic, known);
    // What has run on since an unsubscribe belongs to the handler again, or two of one key could run together.
    const backlog = known ?? this.#left.get(handler) ?? new Backlog(handler, topic);
    this.#left.delete(handler);
    backlog.removed = false;
    backlog.topic = topic;
    this.backlogs.set(handler, backlog);
    if (topic !== undefined) this.#topics.add(topic, backlog);
  }

  /** @internal */
  unsubscribe(handler: string): boolean {
    const backlog = this.backlogs.get(handler);
    if (!backlog) return false;
    backlog.removed = true;
    this.backlogs.delete(handler);
    if (backlog.topic !== undefined) this.#topics.remove(backlog.topic, backlog);
    for (const siblings of this.deliveries.values()) {
      const gone = siblings.find((delivery) => delivery.backlog === backlog && delivery.place !== "running");
      if (gone) this.remove(gone);
    }
    if (backlog.running > 0) this.#left.set(handler, backlog);
    return true;
  }

  /** @internal The subscriptions that get a message. */
  backlogsFor(message: Pick<Message, "event" | "to">): readonly Backlog[] {
    if (message.to === undefined) return this.#topics.match(message.event);
    const backlog = this.backlogs.get(message.to);
    return backlog ? [backlog] : [];
  }

  /** @internal One step: nobody sees a part of it. */
  publish(messages: readonly NewMessage[]): Published[] {
    const now = this.now();
    return messages.map((message) => this.#publishOne(message, now));
  }

  /** @internal The place of the next message in the order of publishing. */
  nextSeq(): number {
    return ++this.#messages;
  }

  /** @internal */
  add(delivery: Delivery): void {
    const siblings = this.deliveries.get(delivery.message.id);
    if (siblings) siblings.push(delivery);
    else this.deliveries.set(delivery.message.id, [delivery]);
    delivery.backlog.add(delivery, this.now());
    this.#touch(delivery.backlog);
  }

  /** @internal Takes a delivery out for good. */
  remove(delivery: Delivery): void {
    delivery.backlog.remove(delivery, this.now());
    this.#forget(delivery);
    // It may have stood before others of its key.
    if (delivery.message.key !== undefined) this.#touch(delivery.backlog);
  }

  /** @internal Takes the next ready delivery of a subscription for an instance. */
  take(backlog: Backlog, member: Member): Delivery | undefined {
    const delivery = backlog.take(this.now());
    if (!delivery) return undefined;
    delivery.token = ++this.#tokens;
    delivery.attempt++;
    delivery.holder = member.info.id;
    member.held.set(delivery.token, delivery);
    return delivery;
  }

  /** @internal Puts back what an instance has let go of, not to be claimed before its `due`. */
  putBack(delivery: Delivery): void {
    delivery.holder = undefined;
    if (delivery.backlog.removed) return this.remove(delivery);
    delivery.backlog.putBack(delivery, this.now());
    this.#touch(delivery.backlog);
  }

  /** @internal Takes away all that an instance holds; answers how many. */
  takeFrom(member: Member): number {
    const taken = [...member.held.values()];
    member.held.clear();
    for (const delivery of taken) this.putBack(delivery);
    return taken.length;
  }

  /** Wakes all that listen for what is new to a handler, once, on a later turn of the event loop. */
  #touch({ handler }: Backlog): void {
    if (this.wakes.size === 0) return;
    if (this.#touched.size === 0) setImmediate(() => this.#wake());
    this.#touched.add(handler);
  }

  #wake(): void {
    const touched = this.#touched;
    this.#touched = new Set();
    for (const { wake } of this.wakes) wake(touched);
  }

  #publishOne({ dedupe, ...fields }: NewMessage, now: number): Published {
    const holder = dedupe && this.dedupe.holder(dedupe.key, now);
    if (holder !== undefined) return { id: holder, duplicate: true, deliveries: 0 };
    const message = messageOf(fields, this.nextSeq(), this.#name, now);
    if (dedupe && dedupe.until > now) this.dedupe.hold(dedupe.key, message.id, dedupe.until);
    const backlogs = this.backlogsFor(message);
    for (const backlog of backlogs) this.add(new Delivery(message, backlog));
    if (backlogs.length === 0) this.dead.buryUnrouted(message, now);
    return { id: message.id, duplicate: false, deliveries: backlogs.length };
  }

  #forget(delivery: Delivery): void {
    const { id } = delivery.message;
    const siblings = this.deliveries.get(id);
    siblings?.splice(siblings.indexOf(delivery), 1);
    if (siblings?.length === 0) this.deliveries.delete(id);
  }
}

function messageOf(fields: Omit<NewMessage, "dedupe">, seq: number, store: string, now: number): Message {
  const { event, payload, headers, priority, due, key, expires, to } = fields;
  return {
    id: `${store}-${seq}`,
    seq,
    event,
    payload,
    headers,
    priority,
    key,
    publishedAt: now,
    due,
    expires,
    to,
  };
}
