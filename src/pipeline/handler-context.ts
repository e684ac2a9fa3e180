import { delay } from "../clock.ts";
import type { BatchItem, Context, Headers, Publish, Services } from "../context.ts";
import { toMs } from "../duration.ts";
import { DeclarationError, Suspended } from "../errors.ts";
import type { Handler, Kind } from "../handler.ts";
import type { Logger } from "../log.ts";
import type { Environment } from "./environment.ts";

/** What is known of one run beside its input. Everything has a default, so that a plain trigger need not say any of it. */
export interface Call {
  readonly id?: string | undefined;
  readonly attempt?: number | undefined;
  readonly headers?: Headers | undefined;
  /** The name of the event where it is not the handler's own (wildcards). */
  readonly event?: string | undefined;
  /** Aborts the run from outside. */
  readonly signal?: AbortSignal | undefined;
  /** The results of finished steps, by name, as JSON. */
  readonly steps?: Map<string, string> | undefined;
  /** Of a batch. */
  readonly items?: readonly BatchItem[] | undefined;
  /** Stores the result of a step; absent where nothing is stored. */
  readonly saveStep?: ((name: string, result: string) => Promise<void>) | undefined;
}

/** What a context has made because it was asked for. */
interface Asked {
  controller?: AbortController;
  unfollow?: () => void;
  id?: string;
  log?: Logger;
  step?: Context["step"];
  sleeps: number;
  suspended?: Suspended;
}

const NO_CALL: Call = {};
const NO_HEADERS: Headers = Object.freeze({});
const NO_ITEMS: readonly BatchItem[] = Object.freeze([]);
let calls = 0;

/**
 * The context of one run. Almost no handler looks at all of it, and a plain `trigger` must cost nanoseconds, so
 * whatever costs something (signal, log, id) is made when it is first asked for.
 */
export class HandlerContext implements Context {
  readonly input: unknown;
  readonly attempt: number;
  readonly #environment: Environment;
  readonly #record: Handler;
  readonly #call: Call;
  /** What was asked for so far: one field instead of seven, which every run would have to set. */
  #asked: Asked | undefined;
  #over = false;

  constructor(
    environment: Environment,
    record: Handler,
    input: unknown,
    call: Call = NO_CALL,
    attempt = call.attempt ?? 1,
  ) {
    this.#environment = environment;
    this.#record = record;
    this.#call = call;
    this.input = input;
    this.attempt = attempt;
  }

  /** Set once the handler was left by `sleep`; it counts even if the handler has caught what was thrown. */
  get suspended(): Suspended | undefined {
    return this.#asked?.suspended;
  }

  get #lazy(): Asked {
    return (this.#asked ??= { sleeps: 0 });
  }

  get handler(): string {
    return this.#record.name;
  }

  get kind(): Kind {
    return this.#record.kind;
  }

  get event(): string {
    return this.#call.event ?? (this.#record.kind === "event" ? this.#record.topic : this.#record.name);
  }

  get headers(): Headers {
    return this.#call.headers ?? NO_HEADERS;
  }

  get items(): readonly BatchItem[] {
    return this.#call.items ?? NO_ITEMS;
  }

  get services(): Services {
    return this.#environment.services;
  }

  get publish(): Publish {
    return this.#environment.publish;
  }

  get id(): string {
    return (this.#lazy.id ??= this.#call.id ?? `call-${process.pid.toString(36)}-${(calls++).toString(36)}`);
  }

  get log(): Logger {
    return (this.#lazy.log ??= this.#environment.log.child({
      handler: this.handler,
      id: this.id,
      attempt: this.attempt,
    }));
  }

  get signal(): AbortSignal {
    return this.#controller().signal;
  }

  /** Calls this run off. */
  abort(reason: Error): void {
    this.#controller().abort(reason);
  }

  /** The run is over: nothing that lives longer holds its signal any more. */
  end(): void {
    this.#over = true;
    if (!this.#asked?.controller) return;
    this.#environment.live.delete(this);
    this.#asked.unfollow?.();
  }

  /** Made when it is asked for; it follows the call's signal and the app's stop until the run ends. */
  #controller(): AbortController {
    const lazy = this.#lazy;
    if (lazy.controller) return lazy.controller;
    const controller = (lazy.controller = new AbortController());
    if (this.#over) return controller;
    this.#environment.live.add(this);
    const outer = this.#call.signal;
    const follow = (): void => controller.abort(outer?.reason);
    if (outer?.aborted) follow();
    outer?.addEventListener("abort", follow, { once: true });
    lazy.unfollow = () => outer?.removeEventListener("abort", follow);
    return controller;
  }

  /** Whether somebody outside may call the run off. */
  get followsSignal(): boolean {
    return this.#call.signal !== undefined;
  }

  // Getters, so that handlers may take the functions out of the context: `async (order, { step, now }) => …`.
  get now(): Context["now"] {
    const { clock } = this.#environment;
    return () => clock.now();
  }

  get step(): Context["step"] {
    return (this.#lazy.step ??= (name, fn) => this.#runStep(name, fn));
  }

  get sleep(): Context["sleep"] {
    return (duration) => this.#sleep(toMs(duration, "ctx.sleep"));
  }

  async #sleep(ms: number): Promise<void> {
    const { clock } = this.#environment;
    if (!this.#call.saveStep) return delay(clock, ms, this.signal);
    const lazy = this.#lazy;
    const until = await this.#runStep(`sleep ${++lazy.sleeps}`, () => clock.now() + ms);
    if (until <= clock.now()) return;
    throw (lazy.suspended = new Suspended(until));
  }

  async #runStep<T>(name: string, fn: () => Promise<T> | T): Promise<T> {
    const { steps, saveStep, items } = this.#call;
    if (items) throw stepInBatch(name);
    const stored = steps?.get(name);
    // Typed by the same code that stored it: the step's name stands for one function.
    if (stored !== undefined) return JSON.parse(stored) as T;
    const result = await fn();
    const text = JSON.stringify(result) ?? "null";
    await saveStep?.(name, text);
    steps?.set(name, text);
    return result;
  }
}

/** A result that nobody stores would be made anew each time, and whoever wrote the step would not know. */
function stepInBatch(name: string): DeclarationError {
  return new DeclarationError(
    "STEP_IN_BATCH",
    `ctx.step(${JSON.stringify(name)}): a step belongs to one message, and this handler gets batches. Take batch away, or publish a message for what follows.`,
  );
}
