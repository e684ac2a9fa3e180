import type { AppOptions } from "./app-options.ts";
import { systemClock } from "./clock.ts";
import type { Config } from "./config.ts";
import { Consumer } from "./delivery/consumer.ts";
import { Heartbeat } from "./delivery/heartbeat.ts";
import { Publisher } from "./delivery/publisher.ts";
import { Requests } from "./delivery/requests.ts";
import type { Death } from "./delivery/settler.ts";
import { Watchdog } from "./delivery/watchdog.ts";
import type { Publish, PublishOptions } from "./context.ts";
import type { Engine } from "./engine.ts";
import { engineOf } from "./engines.ts";
import { CancelledError, LifecycleError, UnsupportedError } from "./errors.ts";
import type { EventType } from "./event-type.ts";
import type { EventDispatcher } from "./events/event-dispatcher.ts";
import type { Handler } from "./handler.ts";
import { nodeFault } from "./node-version.ts";
import type { Pipeline } from "./pipeline/pipeline.ts";
import type { HandlerRegistry } from "./registry.ts";
import { ServiceSet } from "./services.ts";
import { TimeTaskScheduler } from "./time/time-task-scheduler.ts";
import { version } from "./version.ts";

/** The event that is published for each message that fails for good. */
export const DEAD_LETTER_EVENT = "dead_letter";

/** Tells every replica to abort its runs of a message. */
export const CANCEL_CHANNEL = "cancel";

/** What is said there, as JSON. */
export interface CancelOrder {
  readonly id: string;
  readonly handler?: string | undefined;
}

/** What an app brings to its start. */
export interface RuntimeParts {
  readonly options: AppOptions;
  readonly config: Config;
  readonly registry: HandlerRegistry;
  readonly pipeline: Pipeline;
  readonly events: EventDispatcher;
  /** Whether this process takes work, or only gives it. */
  readonly consume: boolean;
}

/**
 * What exists between an app's start and its stop: the engine, and what claims, beats and ticks on it. Everything that
 * is started is noted on a stack, so that stopping is the start backwards, also when the start fails half-way:
 * no new ticks, then no new claims, then running handlers end, then services, and the engine last.
 */
export class Runtime {
  readonly engine: Engine;
  readonly publisher: Publisher;
  readonly requests: Requests;
  readonly consumer: Consumer;
  readonly heartbeat: Heartbeat;
  readonly watchdog: Watchdog;
  readonly scheduler: TimeTaskScheduler;
  readonly config: Config;
  readonly instance: string;
  readonly #parts: RuntimeParts;
  readonly #stack = new AsyncDisposableStack();
  #drained: Promise<void> | undefined;
  /** Handlers that came while the app was running, on their way to the engine. */
  #joining: Promise<void> = Promise.resolve();

  private constructor(parts: RuntimeParts, engine: Engine) {
    const { pipeline, events, registry, config } = parts;
    this.#parts = parts;
    this.config = config;
    this.engine = engine;
    this.instance = crypto.randomUUID();
    this.publisher = new Publisher(engine, (event) => events.handlersOf(event));
    this.requests = new Requests(engine, this.publisher, pipeline.environment.clock, this.instance);
    this.consumer = new Consumer(engine, pipeline, {
      dying: (death) => this.#announce(death),
      ran: ({ handler, attempt }, run) =>
        engine.schedules.record(handler, { ...run, instance: this.instance, attempt }),
      ended: (delivery, error) => this.requests.answer(delivery, error),
    });
    const interval = Math.min(config.heartbeatInterval, config.lease / 3);
    this.heartbeat = new Heartbeat(engine, pipeline.environment, interval, () => this.consumer.loseAll());
    this.watchdog = new Watchdog(engine, this.consumer, pipeline.environment);
    this.scheduler = new TimeTaskScheduler({
      registry,
      pipeline,
      engine,
      enabled: config.schedulerEnabled,
      instance: this.instance,
    });
  }

  static async start(parts: RuntimeParts): Promise<Runtime> {
    const old = nodeFault(process.versions.node);
    if (old !== undefined) throw new LifecycleError("NODE_TOO_OLD", old);
    const { engine } = parts.options;
    const runtime = new Runtime(
      parts,
      typeof engine === "object" ? engine : await engineOf(parts.config.engineUrl),
    );
    try {
      await runtime.#start();
      return runtime;
    } catch (error) {
      await runtime.stop();
      throw error;
    }
  }

  /**
   * Takes no more work, and waits for what runs: deliveries, ticks and direct runs share one deadline, and after it one
   * second more in which to give up.
   */
  drain(timeout: number): Promise<void> {
    return (this.#drained ??= this.#drain(timeout));
  }

  async #drain(timeout: number): Promise<void> {
    this.consumer.pause();
    this.requests.stop();
    await Promise.all([
      this.scheduler.stop(timeout),
      this.consumer.drain(timeout),
      this.#endDirectRuns(timeout),
    ]);
  }

  /** Legal twice. */
  async stop(): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #start(): Promise<void> {
    const { options, config, pipeline, registry } = this.#parts;
    const { environment } = pipeline;
    const { engine } = this;
    if (options.durability === "strict" && !engine.capabilities.strict) {
      throw new UnsupportedError(
        engine.name,
        "strict durability: an acknowledged message may be lost in a power cut",
        "Leave durability out, or use an engine that syncs each commit, such as sqlite:data/app.db?synchronous=full.",
      );
    }
    await engine.start({
      clock: environment.clock,
      lease: config.lease,
      instance: {
        id: this.instance,
        host: process.getBuiltinModule("node:os").hostname(),
        pid: process.pid,
        version,
        startedAt: environment.clock.now(),
      },
    });
    this.#stack.defer(() => engine.stop());
    environment.limits = engine.limits;
    environment.state = engine.state;
    const publish = (event: EventType | string, payload?: unknown, publishing?: PublishOptions) =>
      this.publisher.publish(event, payload, publishing);
    environment.publish = publish as Publish; // its overloads tie the payload to the event
    const services = new ServiceSet(options.services ?? {}, environment.log);
    environment.services = await services.start();
    this.#stack.defer(() => services.stop());
    this.#startHeartbeat();
    await this.#subscribe(registry);
    this.requests.start();
    this.#stack.defer(() => this.requests.stop());
    this.#stack.defer(() => this.drain(config.shutdownTimeout));
    this.#stack.defer(engine.signals.listen(CANCEL_CHANNEL, (body) => this.#cancelHere(body)));
    if (!this.#parts.consume) return;
    this.consumer.start();
    await this.scheduler.start();
  }

  /** An engine that no other process can reach has nobody to show signs of life to. */
  #startHeartbeat(): void {
    if (!this.engine.capabilities.shared) return;
    this.heartbeat.start();
    this.#stack.defer(() => this.heartbeat.stop());
    this.watchdog.start();
    this.#stack.defer(() => this.watchdog.stop());
  }

  async #subscribe(registry: HandlerRegistry): Promise<void> {
    const handlers = registry.list().filter(isDelivered);
    await this.engine.queue.subscribe(handlers.map(subscriptionOf));
    let known = new Set(handlers);
    const leave = registry.watch({
      added: (handler) => {
        if (known.has(handler)) this.consumer.add(handler);
        else if (isDelivered(handler)) this.#join(handler);
      },
      removed: (handler) => this.consumer.remove(handler),
    });
    known = new Set();
    this.#stack.defer(leave);
    this.#stack.defer(() => this.#joining);
  }

  #join(handler: Handler): void {
    this.#joining = this.#joining
      .then(() => this.engine.queue.subscribe([subscriptionOf(handler)]))
      .then(() => this.consumer.add(handler))
      .catch((error: unknown) => {
        const { log } = this.#parts.pipeline.environment;
        log.error(
          { err: error, handler: handler.name },
          "a handler that was declared while running could not be subscribed",
        );
      });
  }

  #cancelHere(body: string): void {
    const { id, handler } = JSON.parse(body) as CancelOrder; // written by `cancelEverywhere`
    this.consumer.cancel(id, handler);
  }

  /** Waits for runs that a caller waits for (trigger, handle, match), and for deliveries. */
  async #endDirectRuns(timeout: number): Promise<void> {
    const { pipeline } = this.#parts;
    const ended = (ms: number) => untilIdle(() => pipeline.running === 0, ms);
    if (await ended(timeout)) return;
    pipeline.abortAll(new CancelledError("The app is stopping."));
    await ended(1_000);
  }

  /** Tells those who listen for dead letters; a failure of theirs is not announced again, or it would never end. */
  async #announce({ claim, settlement }: Death): Promise<void> {
    if (claim.event === DEAD_LETTER_EVENT || !(await this.publisher.isHeard(DEAD_LETTER_EVENT))) return;
    const { id, handler, event, attempt, payload, token } = claim;
    const { reason, error } = settlement;
    await this.publisher.publish(
      DEAD_LETTER_EVENT,
      { id, handler, event, attempt, reason, error: error?.message, payload: asValue(payload) },
      // One for each death: a replayed message may die again.
      { dedupe: `dead:${id}:${handler}:${token}` },
    );
  }
}

/** A payload that is not JSON is told as the text it is: that may be why its message died. */
function asValue(payload: string): unknown {
  try {
    return JSON.parse(payload) as unknown;
  } catch {
    return payload;
  }
}

/** Whether the engine delivers to the handler: events, and the ticks that all replicas share. */
export function isDelivered(handler: Handler): boolean {
  return handler.kind === "event" || (handler.kind === "time" && handler.options.scope !== "instance");
}

function subscriptionOf(handler: Handler): { handler: string; topic: string | undefined } {
  return { handler: handler.name, topic: handler.kind === "event" ? handler.topic : undefined };
}

/** Looked at now and then: counting each direct run in and out would cost every trigger more than this costs a stop. */
async function untilIdle(idle: () => boolean, ms: number): Promise<boolean> {
  const deadline = performance.now() + ms;
  while (!idle()) {
    if (performance.now() >= deadline) return false;
    // The machine's clock on purpose: a stop must end in a test whose virtual time stands still, too.
    await new Promise<void>((resolve) => void systemClock.setTimer(resolve, 5, true));
  }
  return true;
}
