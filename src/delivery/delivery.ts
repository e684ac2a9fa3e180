import type { Headers } from "../context.ts";
import type { Claim, DeadReason, Engine, Settlement } from "../engine.ts";
import { CancelledError, Fatal, FrameworkError, LeaseLostError } from "../errors.ts";
import { Outcome } from "../outcome.ts";
import type { Call, HandlerContext } from "../pipeline/handler-context.ts";
import type { Runner } from "../pipeline/runner.ts";
import { validate } from "../schema.ts";
import { toAttemptError } from "./attempt-error.ts";

/** One claim on its way through the pipeline: from the stored text to the settlement. It is also what the context knows of it. */
export class Delivery implements Call {
  readonly claim: Claim;
  readonly #engine: Engine;
  readonly #runner: Runner;
  #context: HandlerContext | undefined;
  #steps: Map<string, string> | undefined;
  /** Why the run was called off, once it was. */
  #calledOff: Error | undefined;

  constructor(engine: Engine, runner: Runner, claim: Claim) {
    this.#engine = engine;
    this.#runner = runner;
    this.claim = claim;
  }

  /** Aborts the handler's signal. What it returns no longer counts when the lease is lost or the message given back. */
  callOff(reason: Error): void {
    this.#calledOff = reason;
    this.#context?.abort(reason);
  }

  /** Runs the handler once and says what becomes of the message. Never rejects. */
  async run(): Promise<Settlement> {
    const { claim } = this;
    const now = this.#engine.now();
    if (claim.expires !== undefined && claim.expires <= now) return this.#dead("expired", undefined);
    if (claim.attempt > this.#runner.retry.attempts) {
      return this.#dead(
        "poison",
        new Fatal(
          `Each of its ${claim.attempt - 1} attempts ended with the death of the process that ran it.`,
        ),
      );
    }
    let input: unknown;
    try {
      input = this.#read();
      if (input instanceof Promise) input = await input;
    } catch (error) {
      return this.#dead("invalid", error);
    }
    if (this.#runner.limited) {
      const wait = await this.#runner.admit(input, this);
      if (wait > 0) return { claim, kind: "snooze", at: this.#engine.now() + wait };
    }
    if (this.#calledOff) return { claim, kind: "release" };
    this.#runner.stats.lateness.observe(Math.max(0, now - claim.due));
    return this.#attempt(input);
  }

  async #attempt(input: unknown): Promise<Settlement> {
    const { claim } = this;
    this.#context = this.#runner.context(input, this);
    try {
      const result = await this.#runner.attempt(this.#context);
      if (result instanceof Outcome && result.kind === "snooze") {
        return { claim, kind: "snooze", at: this.#engine.now() + result.wait };
      }
      return { claim, kind: "done" };
    } catch (error) {
      return this.#failed(error);
    }
  }

  #failed(error: unknown): Settlement {
    const { claim } = this;
    // The app is stopping: the handler was told to give up, and that is not its failure.
    if (this.#calledOff instanceof CancelledError) return { claim, kind: "release" };
    const wait = this.#runner.retryIn(error, claim.attempt);
    if (wait === undefined)
      return this.#dead(claim.attempt >= this.#runner.retry.attempts ? "exhausted" : "fatal", error);
    const now = this.#engine.now();
    return { claim, kind: "retry", at: now + wait, error: toAttemptError(error, claim.attempt, now) };
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

  /** @throws {LeaseLostError} when somebody else has the message now. */
  readonly saveStep = async (name: string, result: string): Promise<void> => {
    if (await this.#engine.queue.saveStep(this.claim, name, result)) return;
    throw new LeaseLostError(this.claim.id, this.claim.handler);
  };
}

function storedSteps(steps: string | undefined): Map<string, string> {
  const results = steps === undefined ? {} : (JSON.parse(steps) as Record<string, unknown>); // written by saveStep
  return new Map(Object.entries(results).map(([name, result]) => [name, JSON.stringify(result)]));
}
