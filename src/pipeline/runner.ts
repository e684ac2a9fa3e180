import { awaitingItems } from "./batch-items.ts";
import { delay } from "../clock.ts";
import type { Middleware } from "../context.ts";
import { formatMs, toMs } from "../duration.ts";
import {
  CancelledError,
  DeclarationError,
  LifecycleError,
  RateLimitedError,
  Suspended,
  TimeoutError,
} from "../errors.ts";
import type { Handler, RateLimitOptions } from "../handler.ts";
import { Outcome } from "../outcome.ts";
import type { Environment } from "./environment.ts";
import { type Call, HandlerContext } from "./handler-context.ts";
import { type RetryPolicy, retryPolicy } from "./retry.ts";
import { Semaphore } from "./semaphore.ts";
import { HandlerStats, type RunStatus } from "./stats.ts";

type Run = (input: unknown, context: HandlerContext) => unknown;

/** Sees to it that a run is counted once, though its wait and its function may end at different times. */
interface Counting {
  /** The function has returned, and was counted. */
  over: boolean;
  /** The wait was given up before, and was counted. */
  givenUp: boolean;
}

/**
 * Runs one handler: the pipeline that all four kinds pass through. Made once for each handler, so that what the
 * handler's options cost is paid by those that use them: a plain handler is called directly.
 */
export class Runner {
  readonly handler: Handler;
  readonly stats = new HandlerStats();
  /** How failed deliveries are retried by the engine. */
  readonly retry: RetryPolicy;
  /** Milliseconds one attempt may take; undefined for no limit. */
  readonly timeout: number | undefined;
  readonly #environment: Environment;
  #composed: Run | undefined;
  readonly #inPlace: RetryPolicy;
  readonly #places: Semaphore | undefined;
  readonly #batched: boolean;
  readonly #rateLimit: RateLimitOptions<unknown> | undefined;
  /** Neither limited nor timed out nor retried in place: nothing stands between {@link run} and its caller. */
  readonly plain: boolean;

  constructor(environment: Environment, handler: Handler) {
    const { options } = handler;
    this.handler = handler;
    this.#environment = environment;
    this.retry = retryPolicy(options.retry);
    this.#inPlace = retryPolicy(options.retry, 1);
    this.timeout =
      options.timeout === undefined ? undefined : toMs(options.timeout, `timeout of "${handler.name}"`);
    this.#places =
      options.concurrency === undefined
        ? undefined
        : new Semaphore(positive(options.concurrency, handler.name));
    this.#rateLimit =
      handler.kind === "event"
        ? (handler.options.rateLimit as RateLimitOptions<unknown> | undefined)
        : undefined;
    this.#batched = handler.kind === "event" && handler.options.batch !== undefined;
    this.plain =
      !this.#batched &&
      this.#inPlace.attempts === 1 &&
      this.timeout === undefined &&
      !this.#places &&
      !this.#rateLimit;
  }

  /** Runs the handler for a caller who waits for the result: limited, and retried in place, all within its timeout. */
  call(input: unknown, call?: Call): Promise<unknown> {
    if (this.#batched) return this.#guarded([input], call ?? {}).then(onlyOutcome);
    if (this.plain && !call?.signal) return this.#once(input, this.context(input, call));
    return this.#guarded(input, call ?? {});
  }

  /**
   * Whether the next run may go straight through {@link run}, past everything that `call` does but count: then its
   * caller says with {@link endedWell} or {@link endedBadly} how it ended. For callers that run many handlers at once.
   */
  goesBare(call: Call | undefined): boolean {
    if (!this.plain || call?.signal || this.stats.timeNext()) return false;
    this.stats.skipped();
    this.stats.running++;
    return true;
  }

  /** Counts a run that went bare and ended well, by what it returned where that may be an {@link Outcome}. */
  endedWell(context: HandlerContext, result?: unknown): void {
    context.end();
    this.stats.running--;
    if (result instanceof Outcome) this.stats.count(OUTCOME_STATUS[result.kind]);
    else this.stats.ok++;
  }

  /** Counts a run that went bare and failed. */
  endedBadly(context: HandlerContext, error: unknown): void {
    context.end();
    this.stats.running--;
    this.stats.count(statusOf(error));
  }

  /** The context of one run, for callers who need to call it off: see {@link attempt}. */
  context(input: unknown, call?: Call): HandlerContext {
    return new HandlerContext(this.#environment, this.handler, input, call);
  }

  /** One attempt at a delivery, within the handler's timeout; limits and retries are its caller's affair. */
  attempt(context: HandlerContext): Promise<unknown> {
    if (this.timeout === undefined && !context.followsSignal) return this.#once(context.input, context);
    return this.#bounded(context, (run) => this.#once(context.input, context, run));
  }

  /** Milliseconds until a delivery that failed is to be tried again; undefined when the failure is final. */
  retryIn(error: unknown, attempt: number): number | undefined {
    return this.retry.next(error, attempt, this.#environment.random);
  }

  /** Whether {@link admit} has anything to count. */
  get limited(): boolean {
    return this.#rateLimit !== undefined;
  }

  /** Counts a run against the handler's rate limit; answers how many milliseconds to wait, 0 to go ahead. */
  async admit(input: unknown, call: Call): Promise<number> {
    const limit = this.#rateLimit;
    if (!limit) return 0;
    const { limits } = this.#environment;
    if (!limits)
      throw new LifecycleError(
        "APP_NOT_STARTED",
        `"${this.handler.name}" has a rateLimit, which needs a started app.`,
      );
    const by = limit.by?.(input, this.context(input, call)) ?? "";
    const taken = await limits.take(
      `rate:${this.handler.name}:${by}`,
      limit.limit,
      toMs(limit.per, "rateLimit.per"),
    );
    if (!taken.ok) this.stats.count("limited");
    return taken.ok ? 0 : Math.max(1, taken.retryAfter);
  }

  async #guarded(input: unknown, call: Call): Promise<unknown> {
    // Nothing is waited for that was not asked for: without limits a run begins at once.
    const wait = this.limited ? await this.admit(input, call) : 0;
    if (wait > 0) throw new RateLimitedError(`"${this.handler.name}"`, wait);
    if (this.#places) await this.#places.enter();
    try {
      const whole = this.context(input, call);
      return await this.#bounded(whole, (run) =>
        this.#withRetries(
          input,
          { steps: new Map(), ...call, headers: call.headers, id: whole.id, signal: whole.signal },
          run,
        ),
      );
    } finally {
      this.#places?.leave();
    }
  }

  async #withRetries(input: unknown, call: Call, counting: Counting): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(
          input,
          new HandlerContext(this.#environment, this.handler, input, call, attempt),
          counting,
        );
      } catch (error) {
        const wait = call.signal?.aborted
          ? undefined
          : this.#inPlace.next(error, attempt, this.#environment.random);
        if (wait === undefined) throw error;
        this.stats.retries++;
        counting.over = false;
        await delay(this.#environment.clock, wait, call.signal);
      }
    }
  }

  /** Ends the wait for `work` when the time is up or the run is called off; the work itself can only be asked to stop. */
  async #bounded(context: HandlerContext, work: (counting: Counting) => Promise<unknown>): Promise<unknown> {
    const counting: Counting = { over: false, givenUp: false };
    if (this.timeout === undefined && !context.followsSignal) return work(counting);
    const { signal } = context;
    signal.throwIfAborted();
    const timer =
      this.timeout === undefined
        ? undefined
        : this.#environment.clock.setTimer(
            () => context.abort(new TimeoutError(`"${this.handler.name}"`, formatMs(this.timeout ?? 0))),
            this.timeout,
          );
    const running = work(counting);
    let stop: () => void = () => {};
    const called = new Promise<never>((_, reject) => {
      stop = () => reject(signal.reason);
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    });
    try {
      return await Promise.race([running, called]);
    } catch (error) {
      if (signal.aborted) this.#watchAbandoned(running, error, counting);
      throw error;
    } finally {
      timer?.cancel();
      signal.removeEventListener("abort", stop);
      context.end();
    }
  }

  /** The handler within its middleware; composed at the first run, when plugins have added theirs. */
  get run(): Run {
    const { kind, options, fn } = this.handler;
    const batched = kind === "event" && options.batch !== undefined;
    return (this.#composed ??= compose(
      [...this.#environment.middleware, ...(options.use ?? [])],
      batched ? awaitingItems(fn) : fn,
    ));
  }

  /** A function that goes on though its run was given up is counted now, and not again when it returns. */
  #watchAbandoned(running: Promise<unknown>, error: unknown, counting: Counting): void {
    if (counting.over) return;
    counting.givenUp = true;
    this.stats.abandoned++;
    this.stats.count(statusOf(error));
    const back = (): void => void this.stats.abandoned--;
    running.then(back, back);
  }

  async #once(input: unknown, context: HandlerContext, counting?: Counting): Promise<unknown> {
    const { stats } = this;
    const timed = stats.timeNext();
    if (!timed) stats.skipped();
    const start = timed ? this.#environment.clock.elapsed() : 0;
    stats.running++;
    try {
      const result = await this.run(input, context);
      if (!counting?.givenUp) stats.count(result instanceof Outcome ? OUTCOME_STATUS[result.kind] : "ok");
      return result;
    } catch (error) {
      if (!counting?.givenUp) stats.count(statusOf(error));
      throw error;
    } finally {
      if (counting) counting.over = true;
      context.end();
      stats.running--;
      if (timed) stats.timed(this.#environment.clock.elapsed() - start);
    }
  }
}

const OUTCOME_STATUS = { snooze: "snoozed", cancel: "cancelled" } as const;

/** A batch handler that is called with one payload may say how it ended, as for a batch. */
function onlyOutcome(result: unknown): unknown {
  const only: unknown = Array.isArray(result) && result.length === 1 ? result[0] : result;
  if (only instanceof Error) throw only;
  return only;
}

/** What a failed run is counted as. */
export function statusOf(error: unknown): RunStatus {
  if (error instanceof TimeoutError) return "timeout";
  if (error instanceof Suspended) return "snoozed";
  return error instanceof CancelledError ? "cancelled" : "error";
}

function positive(concurrency: number, name: string): number {
  if (Number.isInteger(concurrency) && concurrency > 0) return concurrency;
  throw new DeclarationError(
    "CONCURRENCY_INVALID",
    `concurrency of "${name}" must be a whole number of at least 1, not ${concurrency}.`,
  );
}

/** Puts middleware around a handler, the first outermost. */
function compose(around: readonly Middleware[], run: Run): Run {
  return around.reduceRight<Run>(
    (inner, middleware) => (input, context) => middleware(context, () => promised(inner, input, context)),
    run,
  );
}

/** What an async function would make of it, without the cost of one where a promise is there already. */
function promised(run: Run, input: unknown, context: HandlerContext): Promise<unknown> {
  try {
    const result = run(input, context);
    return result instanceof Promise ? result : Promise.resolve(result);
  } catch (error) {
    return Promise.reject(error);
  }
}
