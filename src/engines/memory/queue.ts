import type {
  Claim,
  ClaimRef,
  Claims,
  DeliveryFilter,
  DeliveryInfo,
  NewMessage,
  Published,
  Queue,
  Settlement,
  Subscription,
  SubscriptionInfo,
  Want,
} from "../../engine.ts";
import type { Delivery } from "./delivery.ts";
import type { Seat } from "./seat.ts";

const DEFAULT_LIMIT = 100;

/** Storage and delivery in the process's memory. Each method is one step: nothing else runs in between. */
export class MemoryQueue implements Queue {
  readonly #seat: Seat;
  readonly #endings = new Set<() => void>();

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  async subscribe(subscriptions: readonly Subscription[]): Promise<void> {
    for (const { handler, topic } of subscriptions) this.#seat.open.subscribe(handler, topic);
  }

  async unsubscribe(handler: string): Promise<boolean> {
    return this.#seat.open.unsubscribe(handler);
  }

  async subscriptions(): Promise<readonly SubscriptionInfo[]> {
    const now = this.#seat.store.now();
    return [...this.#seat.store.backlogs.values()].map((backlog) => ({
      handler: backlog.handler,
      topic: backlog.topic,
      ...backlog.count(now),
      dead: this.#seat.store.dead.countOf(backlog.handler),
    }));
  }

  async publish(messages: readonly NewMessage[]): Promise<readonly Published[]> {
    return this.#seat.open.publish(messages);
  }

  async claim(wants: readonly Want[]): Promise<Claims> {
    void this.#seat.open;
    const claims: Claim[] = [];
    let nextDue: number | undefined;
    // Given up as dead: it holds nothing until its next beat has told it so.
    if (this.#seat.givenUp) return { claims, nextDue };
    for (const { handler, limit } of wants) {
      const backlog = this.#seat.store.backlogs.get(handler);
      if (!backlog) continue;
      for (let left = limit; left > 0; left--) {
        const delivery = this.#seat.open.take(backlog, this.#seat.member);
        if (!delivery) break;
        claims.push(delivery.toClaim());
      }
      nextDue = earlier(nextDue, backlog.nextDue);
    }
    return { claims, nextDue };
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly boolean[]> {
    return settlements.map((settlement) => this.#settleOne(settlement));
  }

  async saveStep(claim: ClaimRef, name: string, result: string): Promise<boolean> {
    const delivery = this.#held(claim);
    delivery?.addStep(name, result);
    return delivery !== undefined;
  }

  async find(id: string): Promise<readonly DeliveryInfo[]> {
    const now = this.#seat.store.now();
    return (this.#seat.store.deliveries.get(id) ?? []).map((delivery) => delivery.toInfo(now));
  }

  async list({
    handler,
    event,
    state,
    limit = DEFAULT_LIMIT,
  }: DeliveryFilter): Promise<readonly DeliveryInfo[]> {
    const now = this.#seat.store.now();
    const found: Delivery[] = [];
    for (const delivery of [...this.#seat.store.deliveries.values()].flat()) {
      if (handler !== undefined && delivery.handler !== handler) continue;
      if (event !== undefined && delivery.message.event !== event) continue;
      if (state !== undefined && delivery.stateAt(now) !== state) continue;
      found.push(delivery);
    }
    // Replayed ones come last in the map, but were published before the others.
    found.sort((a, b) => a.message.seq - b.message.seq);
    return found.slice(0, Math.max(0, limit)).map((delivery) => delivery.toInfo(now));
  }

  async cancel(id: string, handler?: string): Promise<number> {
    const waiting = (this.#seat.store.deliveries.get(id) ?? []).filter(
      (delivery) => delivery.place !== "running" && (handler === undefined || delivery.handler === handler),
    );
    for (const delivery of waiting) this.#seat.open.remove(delivery);
    return waiting.length;
  }

  onWake(wake: (handlers?: Iterable<string>) => void): () => void {
    const { wakes } = this.#seat.store;
    // Wrapped, so that one function may listen twice and end once.
    const listener = { wake };
    wakes.add(listener);
    const end = () => {
      wakes.delete(listener);
      this.#endings.delete(end);
    };
    this.#endings.add(end);
    return end;
  }

  /** Ends all wake calls of this engine value. */
  close(): void {
    for (const end of this.#endings) end();
  }

  #held({ id, handler, token }: ClaimRef): Delivery | undefined {
    void this.#seat.open;
    const delivery = typeof token === "number" ? this.#seat.member.held.get(token) : undefined;
    return delivery?.message.id === id && delivery.handler === handler ? delivery : undefined;
  }

  #settleOne(settlement: Settlement): boolean {
    const delivery = this.#held(settlement.claim);
    if (!delivery) return false;
    this.#seat.member.held.delete(delivery.token);
    if (settlement.kind === "done" || settlement.kind === "dead") this.#seat.store.remove(delivery);
    if (settlement.kind === "dead") {
      this.#seat.store.dead.bury(delivery, settlement.reason, settlement.error, this.#seat.store.now());
    }
    if (settlement.kind === "retry") delivery.addError(settlement.error);
    if (settlement.kind === "snooze" || settlement.kind === "release") delivery.attempt--;
    if (settlement.kind === "retry" || settlement.kind === "snooze") delivery.due = settlement.at;
    if (settlement.kind !== "done" && settlement.kind !== "dead") this.#seat.store.putBack(delivery);
    return true;
  }
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a;
}
