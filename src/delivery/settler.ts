import type { Claim, Engine, Settlement } from "../engine.ts";
import { LeaseLostError } from "../errors.ts";
import type { Environment } from "../pipeline/environment.ts";
import type { EndedRun } from "../pipeline/run-record.ts";
import type { Runner } from "../pipeline/runner.ts";
import type { Delivery } from "./delivery.ts";
import { engineBackoff } from "./engine-backoff.ts";
import { TurnBatch, type Waiting } from "./turn-batch.ts";

/** A message that failed for good. */
export interface Death {
  readonly claim: Claim;
  readonly settlement: Extract<Settlement, { kind: "dead" }>;
}

/** Who is told of what becomes of deliveries. A rejection keeps the delivery unsettled: it is told again. */
export interface DeliveryEvents {
  /** Before a message is moved to the dead letters. */
  dying(death: Death): Promise<void>;
  /** When a run of a task is over; told once, and while the run is settled, so that an engine can store both in one step. */
  ran(claim: Claim, run: EndedRun): Promise<void>;
  /** When a delivery is done, or has failed for good (with its last error). */
  ended(delivery: Delivery, error?: string): Promise<void>;
}

/** One delivery on its way to being settled. */
class Ending implements Waiting<Settlement, boolean> {
  readonly runner: Runner;
  readonly delivery: Delivery;
  item: Settlement;
  /** The wait before the engine is told again. */
  wait = 0;
  /** Of a task's run: resolves when its history has it. */
  recorded: Promise<void> | undefined;
  readonly #settler: Settler;

  constructor(settler: Settler, runner: Runner, delivery: Delivery, settlement: Settlement) {
    this.#settler = settler;
    this.runner = runner;
    this.delivery = delivery;
    this.item = settlement;
  }

  resolve(held: boolean): void {
    this.#settler.taken(this, held);
  }

  reject(error: unknown): void {
    this.#settler.refused(this, error);
  }
}

/** Tells the engine how attempts ended, and others what they need to know of it. */
export class Settler {
  /** The engine's last failure; undefined while it works. */
  fault: unknown;
  readonly #settlements: TurnBatch<Settlement, boolean>;
  readonly #environment: Environment;
  readonly #events: DeliveryEvents;
  readonly #over: (delivery: Delivery) => void;
  #persistent = false;

  /** @param over Called once for each delivery: it is settled, or left to be given back when the app stops. */
  constructor(
    engine: Engine,
    environment: Environment,
    events: DeliveryEvents,
    over: (delivery: Delivery) => void,
  ) {
    this.#settlements = new TurnBatch((settlements) => engine.queue.settle(settlements));
    this.#environment = environment;
    this.#events = events;
    this.#over = over;
  }

  /** From now on a settlement that the engine does not take is tried again. */
  persist(): void {
    this.#persistent = true;
  }

  /** From now on it is tried once: what is not settled is given back when the app stops. */
  giveUp(): void {
    this.#persistent = false;
  }

  /** A settlement that the engine cannot take now is tried until it can, or the app has stopped. */
  settle(runner: Runner, delivery: Delivery, settlement: Settlement): void {
    const ending = new Ending(this, runner, delivery, settlement);
    // In the same turn, so that both are one step for the engine.
    if (delivery.ended) ending.recorded = this.#ran(delivery, settlement, delivery.ended);
    this.#give(ending);
  }

  #give(ending: Ending): void {
    // Nothing but a death has to wait for anybody: no promises for the others.
    if (ending.item.kind !== "dead") this.#settlements.put(ending);
    else
      this.#bury(ending, ending.item).then(
        () => this.#settlements.put(ending),
        (error: unknown) => ending.reject(error),
      );
  }

  /** The engine has answered whether the delivery still was this instance's to settle. */
  taken(ending: Ending, held: boolean): void {
    const { runner, delivery, item } = ending;
    this.fault = undefined;
    if (!held) this.#lost(runner, delivery.claim);
    else if (item.kind === "retry") runner.stats.retries++;
    // Who waits for a message's end has put an address into its headers.
    else if (delivery.claim.headers !== undefined)
      return void this.#tell(ending).then(() => this.#end(ending));
    this.#end(ending);
  }

  refused(ending: Ending, error: unknown): void {
    const { handler, id } = ending.delivery.claim;
    this.fault = error;
    this.#log.error({ err: error, handler, id }, "the engine did not take a settlement; trying again");
    if (!this.#persistent) return this.#end(ending);
    ending.wait = engineBackoff(ending.wait);
    this.#environment.clock.setTimer(() => this.#give(ending), ending.wait);
  }

  #end({ delivery, recorded }: Ending): void {
    if (recorded) void recorded.then(() => this.#over(delivery));
    else this.#over(delivery);
  }

  /** A run that was given back, to begin again elsewhere, is not one for the history. Never rejects. */
  async #ran({ claim }: Delivery, { kind }: Settlement, run: EndedRun): Promise<void> {
    if (kind === "release" || kind === "snooze") return;
    try {
      await this.#events.ran(claim, run);
    } catch (error) {
      this.#log.warn(
        { err: error, handler: claim.handler, id: claim.id },
        "a task's run could not be recorded",
      );
    }
  }

  /** Tells those who listen for dead letters, and logs it, before the message is moved there. */
  async #bury(ending: Ending, settlement: Death["settlement"]): Promise<void> {
    const { runner, delivery } = ending;
    const { claim } = delivery;
    const { handler } = runner;
    const { reason, error } = settlement;
    const fields = {
      handler: claim.handler,
      id: claim.id,
      event: claim.event,
      attempt: claim.attempt,
      reason,
      error,
    };
    if (handler.kind === "event" && handler.options.deadLetter === false) {
      this.#log.error(fields, "a message failed for good and was dropped, as its handler asks");
      ending.item = { claim, kind: "done" };
      return;
    }
    this.#log.error(fields, "a message failed for good and is among the dead letters");
    await this.#events.dying({ claim, settlement });
    runner.stats.dead++;
  }

  /** What has to be said once a message has ended. The message is settled whether or not it can be said. */
  async #tell({ delivery, item }: Ending): Promise<void> {
    const { kind, ...settlement } = item;
    if (kind !== "done" && kind !== "dead") return;
    const { claim } = delivery;
    try {
      const error = "error" in settlement ? (settlement.error?.message ?? "it expired") : undefined;
      await this.#events.ended(delivery, error);
    } catch (error) {
      this.#log.warn(
        { err: error, handler: claim.handler, id: claim.id },
        "the end of a message could not be told",
      );
    }
  }

  #lost(runner: Runner, claim: Claim): void {
    runner.stats.lost++;
    this.#log.warn(
      { err: new LeaseLostError(claim.id, claim.handler) },
      "what a handler did was not counted: its lease was lost",
    );
  }

  get #log() {
    return this.#environment.log;
  }
}
