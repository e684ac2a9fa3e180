import type { Headers } from "../context.ts";
import type { Claim, DeadReason, Engine, Settlement } from "../engine.ts";
import { Fatal, FrameworkError, LeaseLostError } from "../errors.ts";
import type { Tick } from "../handler.ts";
import { Outcome } from "../outcome.ts";
import type { Call, HandlerContext } from "../pipeline/handler-context.ts";
import { type EndedRun, RunRecord } from "../pipeline/run-record.ts";
import type { Runner } from "../pipeline/runner.ts";
import { validate } from "../schema.ts";
import { toAttemptError } from "./attempt-error.ts";

/** Why a run was called off, and what then becomes of its message: given back, dropped, or somebody else's. */
export interface CalledOff {
  readonly reason: Error;
  readonly fate: "release" | "drop" | "theirs";
}

/** One claim on its way through the pipeline: from the stored text to the settlement. It is also what the context knows of it. */
export class Delivery implements Call {
  readonly claim: Claim;
  /** What the handler gets, once {@link prepare} has read it. */
  input: unknown;
  /** What the handler returned. */
  result: unknown;
  /** How a run of a task ended, for its history; undefined while it runs, and for other kinds of handlers. */
  ended: EndedRun | undefined;
  readonly #engine: Engine;
  readonly #runner: Runner;
  #context: HandlerContext | undefined;
  #shared: HandlerContext | undefined;
  #steps: Map<string, string> | undefined;
  #calledOff: CalledOff | undefined;

  constructor(engine: Engine, runner: Runner, claim: Claim) {
    this.#engine = engine;
    this.#runner = runner;
    this.claim = claim;
  }

  /** Aborts the handler's signal. */
  callOff(off: CalledOff): void {
    this.#calledOff = off;
    const run = this.#context ?? (off.fate === "drop" ? undefined : this.#shared);
    run?.abort(off.reason);
  }

  /** Of a batch: the run that several deliveries share. To drop one of them does not stop the others. */
  runsIn(shared: HandlerContext): void {
    this.#shared = shared;
  }

  /** Runs the handler once and says what becomes of the message. Never rejects. */
  async run(): Promise<Settlement> {
    const refused = this.prepare();
    const settlement = refused instanceof Promise ? await refused : refused;
    if (settlement) return settlement;
    const context = (this.#context = this.#runner.context(this.input, this));
    const record = this.#runner.handler.kind === "time" ? this.#record(this.input as Tick) : undefined;
    try {
      const result = await this.#runner.attempt(context);
      this.ended = record?.returned(result);
      return this.settled(result, context);
    } catch (error) {
      this.ended = record?.threw(error);
      return this.failed(error, context);
    }
  }

  /** @param tick As the scheduler wrote it. */
  #record(tick: Tick): RunRecord {
    return new RunRecord(tick, this.#engine.now(), () => this.#engine.now());
  }

  /** Reads the payload; a settlement where the handler cannot be run with it now. Never rejects. */
  prepare(): Settlement | undefined | Promise<Settlement | undefined> {
    const { claim } = this;
    const now = this.#engine.now();
    if (this.#calledOff) return this.#fate(this.#calledOff);
    if (claim.expires !== undefined && claim.expires <= now) return this.#dead("expired", undefined);
    if (claim.attempt > this.#runner.retry.attempts) {
      const deaths = claim.attempt - 1;
      return this.#dead(
        "poison",
        new Fatal(`Each of its ${deaths} attempts ended with the death of the process that ran it.`),
      );
    }
    this.#runner.stats.lateness.observe(Math.max(0, now - claim.due));
    try {
      this.input = this.#read();
    } catch (error) {
      return this.#dead("invalid", error);
    }
    if (this.input instanceof Promise || this.#runner.limited) return this.#prepareSlowly();
    return undefined;
  }

  async #prepareSlowly(): Promise<Settlement | undefined> {
    const { claim } = this;
    try {
      this.input = await this.input;
    } catch (error) {
      return this.#dead("invalid", error);
    }
    try {
      const wait = await this.#runner.admit(this.input, this);
      if (wait > 0) return { claim, kind: "snooze", at: this.#engine.now() + wait };
    } catch (error) {
      // The user's `by` failed, or the engine did: a failed attempt like any other.
      return this.failed(error);
    }
    return this.#calledOff && this.#fate(this.#calledOff);
  }

  /** What becomes of the message when its handler has returned this. */
  settled(result: unknown, context?: HandlerContext): Settlement {
    const { claim } = this;
    if (context?.suspended) return { claim, kind: "snooze", at: context.suspended.until };
    this.result = result;
    if (result instanceof Outcome && result.kind === "snooze") {
      return { claim, kind: "snooze", at: this.#engine.now() + result.wait };
    }
    return { claim, kind: "done" };
  }

  /** What becomes of the message when its handler has thrown this. */
  failed(error: unknown, context?: HandlerContext): Settlement {
    const { claim } = this;
    if (context?.suspended) return { claim, kind: "snooze", at: context.suspended.until };
    if (this.#calledOff) return this.#fate(this.#calledOff);
    const verdict = this.#verdict(error);
    if (verdict.wait === undefined) {
      return this.#dead(claim.attempt >= this.#runner.retry.attempts ? "exhausted" : "fatal", verdict.error);
    }
    const now = this.#engine.now();
    return {
      claim,
      kind: "retry",
      at: now + verdict.wait,
      error: toAttemptError(verdict.error, claim.attempt, now),
    };
  }

  #fate({ fate }: CalledOff): Settlement {
    return { claim: this.claim, kind: fate === "drop" ? "done" : "release" };
  }

  /** `retryIf` is the user's code, and may throw as well. */
  #verdict(error: unknown): { readonly wait: number | undefined; readonly error: unknown } {
    try {
      return { wait: this.#runner.retryIn(error, this.claim.attempt), error };
    } catch (second) {
      return {
        wait: undefined,
        error: new AggregateError([error, second], `retryIf failed: ${String(second)}`, { cause: error }),
      };
    }
  }

  #dead(reason: DeadReason, error: unknown): Settlement {
    const { claim } = this;
    return {
      claim,
      kind: "dead",
      reason,
      error: error === undefined ? undefined : toAttemptError(error, claim.attempt, this.#engine.now()),
    };
  }

  /** The payload as the handler's schema puts it out: another version of the code may have written it. */
  #read(): unknown {
    const { handler } = this.#runner;
    let payload: unknown;
    try {
      payload = JSON.parse(this.claim.payload);
    } catch (cause) {
      throw new FrameworkError("PAYLOAD_UNREADABLE", "The stored payload is not JSON.", { cause });
    }
    if (handler.kind !== "event" || !handler.schema) return payload;
    return validate(handler.schema, payload, `event "${this.claim.event}"`);
  }

  get id(): string {
    return this.claim.id;
  }

  get attempt(): number {
    return this.claim.attempt;
  }

  get event(): string {
    return this.claim.event;
  }

  get headers(): Headers | undefined {
    const { headers } = this.claim;
    return headers === undefined ? undefined : (JSON.parse(headers) as Headers); // written by encodeHeaders
  }

  get steps(): Map<string, string> {
    return (this.#steps ??= storedSteps(this.claim.steps));
  }

  // A getter: almost no run stores a step, and each would pay for the closure.
  get saveStep(): (name: string, result: string) => Promise<void> {
    return (name, result) => this.#saveStep(name, result);
  }

  /** @throws {LeaseLostError} when somebody else has the message now. */
  async #saveStep(name: string, result: string): Promise<void> {
    if (await this.#engine.queue.saveStep(this.claim, name, result)) return;
    throw new LeaseLostError(this.claim.id, this.claim.handler);
  }
}

function storedSteps(steps: string | undefined): Map<string, string> {
  const results = steps === undefined ? {} : (JSON.parse(steps) as Record<string, unknown>); // written by saveStep
  return new Map(Object.entries(results).map(([name, result]) => [name, JSON.stringify(result)]));
}
