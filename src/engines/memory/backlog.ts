import { Heap } from "../../heap.ts";
import { byDue, byPriority, bySeq, type Delivery } from "./delivery.ts";

/** The deliveries of one key: one of them is active (ready, waiting or running), the others stand behind it. */
interface Lane {
  active: Delivery;
  readonly blocked: Heap<Delivery>;
}

/**
 * One subscription and its deliveries. Each delivery stands in one heap: ready, waiting for its moment, or behind
 * another of its key; a running one stands in none. Every change costs O(log n), however long the backlog is.
 */
export class Backlog {
  readonly handler: string;
  topic: string | undefined;
  /** Set while the subscription is removed: what still runs is not put back. */
  removed = false;
  running = 0;
  #size = 0;
  readonly #ready = new Heap<Delivery>(byPriority);
  readonly #waiting = new Heap<Delivery>(byDue);
  readonly #lanes = new Map<string, Lane>();

  constructor(handler: string, topic: string | undefined) {
    this.handler = handler;
    this.topic = topic;
  }

  /** The earliest moment at which a waiting delivery falls due. */
  get nextDue(): number | undefined {
    return this.#waiting.peek()?.due;
  }

  /** How many deliveries there are in each state, and when the oldest ready one was published. */
  count(now: number): { ready: number; waiting: number; running: number; oldest: number | undefined } {
    this.#promote(now);
    let oldest: number | undefined;
    for (const { message } of this.#ready.values()) {
      if (oldest === undefined || message.publishedAt < oldest) oldest = message.publishedAt;
    }
    const ready = this.#ready.size;
    return { ready, waiting: this.#size - ready - this.running, running: this.running, oldest };
  }

  /** Adds a delivery that is new or comes back from the dead letters. */
  add(delivery: Delivery, now: number): void {
    this.#size++;
    const { key } = delivery.message;
    const lane = key === undefined ? undefined : this.#lanes.get(key);
    if (key === undefined || lane === undefined) {
      if (key !== undefined) this.#lanes.set(key, { active: delivery, blocked: new Heap(bySeq) });
      return this.#place(delivery, now);
    }
    // A replayed message is older than those behind it; only a running one is not overtaken any more.
    if (lane.active.place === "running" || bySeq(lane.active, delivery)) return block(lane, delivery);
    this.#unplace(lane.active);
    block(lane, lane.active);
    lane.active = delivery;
    this.#place(delivery, now);
  }

  /** Takes the next ready delivery, which is running from now on. */
  take(now: number): Delivery | undefined {
    this.#promote(now);
    const delivery = this.#ready.pop();
    if (delivery) {
      delivery.place = "running";
      this.running++;
    }
    return delivery;
  }

  /** Puts a running delivery back, not to be claimed before its `due`; it stays the first of its key. */
  putBack(delivery: Delivery, now: number): void {
    this.running--;
    this.#place(delivery, now);
  }

  /** Takes a delivery out for good, running or not, and makes the next one of its key active. */
  remove(delivery: Delivery, now: number): void {
    this.#size--;
    if (delivery.place === "running") this.running--;
    const { key } = delivery.message;
    const lane = key === undefined ? undefined : this.#lanes.get(key);
    if (delivery.place === "blocked") {
      lane?.blocked.remove(delivery);
      return;
    }
    this.#unplace(delivery);
    if (key === undefined || lane === undefined) return;
    const next = lane.blocked.pop();
    if (!next) {
      this.#lanes.delete(key);
      return;
    }
    lane.active = next;
    this.#place(next, now);
  }

  /** Moves what has fallen due to the ready ones. */
  #promote(now: number): void {
    for (let next = this.#waiting.peek(); next && next.due <= now; next = this.#waiting.peek()) {
      this.#waiting.remove(next);
      this.#place(next, now);
    }
  }

  #place(delivery: Delivery, now: number): void {
    delivery.place = delivery.due <= now ? "ready" : "waiting";
    (delivery.place === "ready" ? this.#ready : this.#waiting).push(delivery);
  }

  #unplace(delivery: Delivery): void {
    if (delivery.place === "ready") this.#ready.remove(delivery);
    if (delivery.place === "waiting") this.#waiting.remove(delivery);
  }
}

function block(lane: Lane, delivery: Delivery): void {
  delivery.place = "blocked";
  lane.blocked.push(delivery);
}
