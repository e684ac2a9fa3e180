import type {
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
import { claimAll } from "./claim.ts";
import { cancelWaiting, findDeliveries, listDeliveries } from "./deliveries.ts";
import type { Seat } from "./seat.ts";
import { saveStep, settleAll } from "./settle.ts";
import { describeSubscriptions, unsubscribe } from "./subscriptions.ts";

/** Storage and delivery in the server. */
export class RedisQueue implements Queue {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  async subscribe(subscriptions: readonly Subscription[]): Promise<void> {
    await this.#seat.session.catalog.add(subscriptions);
  }

  async unsubscribe(handler: string): Promise<boolean> {
    return unsubscribe(this.#seat.session, handler);
  }

  async subscriptions(): Promise<readonly SubscriptionInfo[]> {
    return describeSubscriptions(this.#seat.session);
  }

  async publish(messages: readonly NewMessage[]): Promise<readonly Published[]> {
    if (messages.length === 0) return [];
    return (await this.#seat.session.tracks.publish(messages)) ?? [];
  }

  async claim(wants: readonly Want[]): Promise<Claims> {
    return claimAll(this.#seat.session, wants);
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly boolean[]> {
    return settleAll(this.#seat.session, settlements);
  }

  async saveStep(claim: ClaimRef, name: string, result: string): Promise<boolean> {
    return saveStep(this.#seat.session, claim, name, result);
  }

  async find(id: string): Promise<readonly DeliveryInfo[]> {
    return findDeliveries(this.#seat.session, id);
  }

  async list(filter: DeliveryFilter): Promise<readonly DeliveryInfo[]> {
    return listDeliveries(this.#seat.session, filter);
  }

  async cancel(id: string, handler?: string): Promise<number> {
    return cancelWaiting(this.#seat.session, id, handler);
  }

  onWake(wake: (handlers?: Iterable<string>) => void): () => void {
    return this.#seat.session.wakes.listen(wake);
  }
}
