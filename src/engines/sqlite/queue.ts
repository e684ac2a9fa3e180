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
import { claimAll, claimNothing } from "./claim.ts";
import { cancelWaiting, findDeliveries, listDeliveries } from "./deliveries.ts";
import { publishAll } from "./publish.ts";
import type { Seat } from "./seat.ts";
import { saveStep, settleAll } from "./settle.ts";
import { describeSubscriptions, unsubscribe } from "./subscriptions.ts";

/** Storage and delivery in the data file. */
export class SqliteQueue implements Queue {
  readonly #seat: Seat;
  /** Whether the last claim found nothing: then the next is likely to find nothing, too. */
  #foundNothing = false;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  subscribe(subscriptions: readonly Subscription[]): Promise<void> {
    return this.#seat.change(({ catalog }) => catalog.add(subscriptions));
  }

  unsubscribe(handler: string): Promise<boolean> {
    return this.#seat.change((session) => unsubscribe(session, handler));
  }

  subscriptions(): Promise<readonly SubscriptionInfo[]> {
    return this.#seat.read(describeSubscriptions);
  }

  async publish(messages: readonly NewMessage[]): Promise<readonly Published[]> {
    const { session } = this.#seat;
    return session.turn.writeSoon(() => {
      session.needOpen();
      return publishAll(session, messages);
    });
  }

  async claim(wants: readonly Want[]): Promise<Claims> {
    const { session } = this.#seat;
    const claims = await session.turn.write(
      () => {
        session.needOpen();
        return claimAll(session, wants);
      },
      this.#foundNothing ? () => claimNothing(session, wants) : undefined,
    );
    this.#foundNothing = claims.claims.length === 0;
    return claims;
  }

  settle(settlements: readonly Settlement[]): Promise<readonly boolean[]> {
    return this.#seat.change((session) => settleAll(session, settlements));
  }

  saveStep(claim: ClaimRef, name: string, result: string): Promise<boolean> {
    return this.#seat.change((session) => saveStep(session, claim, name, result));
  }

  find(id: string): Promise<readonly DeliveryInfo[]> {
    return this.#seat.read((session) => findDeliveries(session, id));
  }

  list(filter: DeliveryFilter): Promise<readonly DeliveryInfo[]> {
    return this.#seat.read((session) => listDeliveries(session, filter));
  }

  cancel(id: string, handler?: string): Promise<number> {
    return this.#seat.change((session) => cancelWaiting(session, id, handler));
  }

  onWake(wake: (handlers?: Iterable<string>) => void): () => void {
    return this.#seat.session.wakes.listen(wake);
  }
}
