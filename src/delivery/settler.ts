import type { Claim, Engine, Settlement } from "../engine.ts";
import { LeaseLostError } from "../errors.ts";
import type { Tick } from "../handler.ts";
import type { Environment } from "../pipeline/environment.ts";
import type { Runner } from "../pipeline/runner.ts";
import type { Delivery } from "./delivery.ts";
import { engineBackoff } from "./engine-backoff.ts";
import { TurnBatch } from "./turn-batch.ts";

/** A message that failed for good. */
export interface Death {
  readonly claim: Claim;
  readonly settlement: Extract<Settlement, { kind: "dead" }>;
}

/** Who is told of what becomes of deliveries. A rejection keeps the delivery unsettled: it is told again. */
export interface DeliveryEvents {
  /** Before a message is moved to the dead letters. */
  dying(death: Death): Promise<void>;
  /** When a delivery is done, or has failed for good (with its last error). */
  ended(delivery: Delivery, error?: string): Promise<void>;
}

/** Tells the engine how attempts ended, and others what they need to know of it. */
export class Settler {
  /** The engine's last failure; undefined while it works. */
  fault: unknown;
  readonly #engine: Engine;
  readonly #settlements: TurnBatch<Settlement, boolean>;
  readonly #environment: Environment;
  readonly #events: DeliveryEvents;
  #persistent = false;

  constructor(engine: Engine, environment: Environment, events: DeliveryEvents) {
    this.#engine = engine;
    this.#settlements = new TurnBatch((settlements) => engine.queue.settle(settlements));
    this.#environment = environment;
    this.#events = events;
  }

  /** From now on a settlement that the engine does not take is tried again. */
  persist(): void {
    this.#persistent = true;
  }

  /** From now on it is tried once: what is not settled is given back when the app stops. */
  giveUp(): void {
    this.#persistent = false;
  }

  /** Never rejects: a settlement that the engine cannot take now is tried until it can, or the app has stopped. */
  async settle(runner: Runner, delivery: Delivery, settlement: Settlement): Promise<void> {
    const { claim } = delivery;
    for (let wait = engineBackoff(0); ; wait = engineBackoff(wait)) {
      try {
        const wanted = settlement.kind === "dead" ? await this.#bury(runner, claim, settlement) : settlement;
        if (wanted.kind === "retry") runner.stats.retries++;
        const settled = await this.#settlements.add(wanted);
        if (!settled) this.#lost(runner, claim);
        else await this.#settled(runner, delivery, wanted);
        this.fault = undefined;
        return;
      } catch (error) {
        this.fault = error;
        this.#log.error(
          { err: error, handler: claim.handler, id: claim.id },
          "the engine did not take a settlement; trying again",
        );
        if (!this.#persistent) return;
        await new Promise<void>((resolve) => void this.#environment.clock.setTimer(resolve, wait));
      }
    }
  }

  /** Tells those who listen for dead letters, and logs it, before the message is moved there. */
  async #bury(runner: Runner, claim: Claim, settlement: Death["settlement"]): Promise<Settlement> {
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
      return { claim, kind: "done" };
    }
    this.#log.error(fields, "a message failed for good and is among the dead letters");
    await this.#events.dying({ claim, settlement });
    runner.stats.dead++;
    return settlement;
  }

  /** What has to be said once a message has ended. The message is settled whether or not it can be said. */
  async #settled(runner: Runner, delivery: Delivery, { kind, ...settlement }: Settlement): Promise<void> {
    if (kind !== "done" && kind !== "dead") return;
    const { claim } = delivery;
    try {
      if (kind === "done" && runner.handler.kind === "time") {
        const { scheduled } = JSON.parse(claim.payload) as Tick; // the scheduler wrote it
        await this.#engine.schedules.succeeded(claim.handler, scheduled);
      }
      if (claim.headers === undefined) return;
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
