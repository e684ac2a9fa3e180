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
import { cancelWaiting, findDeliveries, listDeliveries } from "./deliveries.ts";
import type { Seat } from "./seat.ts";
import { saveStep } from "./settle.ts";
import { describeSubscriptions, subscribe, unsubscribe } from "./subscriptions.ts";
import { publishInside } from "./transactions.ts";

/** Storage and delivery in the schema. */
export class PostgresQueue implements Queue {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  async subscribe(subscriptions: readonly Subscription[]): Promise<void> {
    await subscribe(this.#seat.session, subscriptions);
  }

  async unsubscribe(handler: string): Promise<boolean> {
    return await unsubscribe(this.#seat.session, handler);
  }

  async subscriptions(): Promise<readonly SubscriptionInfo[]> {
    return await describeSubscriptions(this.#seat.session);
  }

  async publish(messages: readonly NewMessage[], transaction?: object): Promise<readonly Published[]> {
    const { session } = this.#seat;
    return transaction === undefined
      ? await session.publishing.publish(messages)
      : await publishInside(session, messages, transaction);
  }

  async claim(wants: readonly Want[]): Promise<Claims> {
    return await this.#seat.session.work.claim(wants);
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly boolean[]> {
    return await this.#seat.session.work.settle(settlements);
  }

  async saveStep(claim: ClaimRef, name: string, result: string): Promise<boolean> {
    return await saveStep(this.#seat.session, claim, name, result);
  }

  async find(id: string): Promise<readonly DeliveryInfo[]> {
    return await findDeliveries(this.#seat.session, id);
  }

  async list(filter: DeliveryFilter): Promise<readonly DeliveryInfo[]> {
    return await listDeliveries(this.#seat.session, filter);
  }

  async cancel(id: string, handler?: string): Promise<number> {
    return await cancelWaiting(this.#seat.session, id, handler);
  }

  onWake(wake: (handlers?: Iterable<string>) => void): () => void {
    return this.#seat.session.wakes.listen(wake);
  }
}
