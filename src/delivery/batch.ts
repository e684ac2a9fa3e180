import type { Clock, Timer } from "../clock.ts";
import type { Settlement } from "../engine.ts";
import type { Call } from "../pipeline/handler-context.ts";
import type { Runner } from "../pipeline/runner.ts";
import type { Delivery } from "./delivery.ts";

/** Gathers deliveries until there are enough of them, or the first has waited long enough. */
export class Gathering {
  readonly #clock: Clock;
  readonly #size: number;
  readonly #within: number;
  readonly #full: (deliveries: readonly Delivery[]) => void;
  #waiting: Delivery[] = [];
  #timer: Timer | undefined;

  /** @param full Gets each batch when it is complete. */
  constructor(clock: Clock, size: number, within: number, full: (deliveries: readonly Delivery[]) => void) {
    this.#clock = clock;
    this.#size = size;
    this.#within = within;
    this.#full = full;
  }

  add(delivery: Delivery): void {
    this.#waiting.push(delivery);
    if (this.#waiting.length >= this.#size) this.flush();
    else this.#timer ??= this.#clock.setTimer(() => this.flush(), this.#within);
  }

  /** Gives out what there is. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const batch = this.#waiting;
    this.#waiting = [];
    if (batch.length > 0) this.#full(batch);
  }
}

/** Runs a handler once for many deliveries and says what becomes of each. Never rejects. */
export async function runBatch(runner: Runner, deliveries: readonly Delivery[]): Promise<Settlement[]> {
  const refused = await Promise.all(deliveries.map(async (delivery) => delivery.prepare()));
  const settlements = refused.filter((settlement) => settlement !== undefined);
  const ready = deliveries.filter((_, at) => refused[at] === undefined);
  if (ready.length === 0) return settlements;
  const context = runner.context(
    ready.map(({ input }) => input),
    callOf(ready),
  );
  for (const delivery of ready) delivery.runsIn(context);
  try {
    const result = await runner.attempt(context);
    // The runner has waited for the items, and counted them.
    const each: readonly unknown[] | undefined = Array.isArray(result) ? result : undefined;
    for (const [at, delivery] of ready.entries()) {
      const outcome = each ? each[at] : result;
      settlements.push(outcome instanceof Error ? delivery.failed(outcome) : delivery.settled(outcome));
    }
  } catch (error) {
    for (const delivery of ready) settlements.push(delivery.failed(error));
  }
  return settlements;
}

/** Steps and sleeps belong to one message: a batch has none. */
function callOf(ready: readonly Delivery[]): Call {
  const items = ready.map(({ id, event, attempt, headers = {} }) => ({ id, event, attempt, headers }));
  const [first] = items;
  return {
    id: first?.id,
    event: first?.event,
    attempt: Math.max(...items.map(({ attempt }) => attempt)),
    items,
  };
}
