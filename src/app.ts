import type { Server } from "node:http";
import { type AppOptions, configOf, type FollowOptions, openLog, type StartOptions } from "./app-options.ts";
import type { ChatAdapter } from "./chat/adapter.ts";
import { systemClock } from "./clock.ts";
import { type CommandFrom, CommandDispatcher } from "./commands/command-dispatcher.ts";
import type { Reply } from "./commands/reply.ts";
import type { Config } from "./config.ts";
import type { Middleware, PublishOptions } from "./context.ts";
import { registerClass } from "./declare/class-handlers.ts";
import type { Publication } from "./delivery/publisher.ts";
import type { RequestOptions } from "./delivery/requests.ts";
import type { Engine } from "./engine.ts";
import { LifecycleError } from "./errors.ts";
import type { EventType } from "./event-type.ts";
import { EventDispatcher } from "./events/event-dispatcher.ts";
import type { Logger } from "./log.ts";
import { type MetricsPage, Observation } from "./observation.ts";
import type { HealthReport, ProbeReport } from "./observe/health.ts";
import { Operations } from "./operations.ts";
import { PatternDispatcher, type PatternResult } from "./patterns/pattern-dispatcher.ts";
import { bareEnvironment } from "./pipeline/environment.ts";
import type { Call } from "./pipeline/handler-context.ts";
import { declareOperationCommands } from "./operation-commands/declare.ts";
import { Pipeline } from "./pipeline/pipeline.ts";
import { describeHandler, type HandlerDescription } from "./describe-handler.ts";
import { defaultRegistry, HandlerRegistry } from "./registry.ts";
import { Runtime } from "./runtime.ts";
import type { Following } from "./sources/glob-follower.ts";
import type { TimeTaskScheduler } from "./time/time-task-scheduler.ts";

const LONGEST_INTERVAL_MS = 2 ** 31 - 1;

/** What an app is doing. It goes through these in order and never back. */
export type AppState = "new" | "starting" | "running" | "stopping" | "stopped";

/**
 * Handlers, an engine, and everything between them. Made by {@link createApp}.
 */
export class App implements AsyncDisposable {
  /** The handlers of this app: those of the registry it was given, and those of its classes. */
  readonly registry: HandlerRegistry;
  readonly events: EventDispatcher;
  readonly commands: CommandDispatcher;
  readonly patterns: PatternDispatcher;
  readonly #options: AppOptions;
  readonly #pipeline: Pipeline;
  readonly #middleware: Middleware[];
  readonly #instances: (() => object)[] = [];
  readonly #stack = new AsyncDisposableStack();
  #state: AppState = "new";
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #runtime: Runtime | undefined;
  #observation: Observation | undefined;
  #url: string | undefined;
  #server: Server | undefined;
  #closeServer: () => Promise<void> = async () => {};
  #closeChats: (timeout: number) => Promise<void> = async () => {};

  /** @internal Use {@link createApp}. */
  constructor(options: AppOptions) {
    this.#options = options;
    this.#middleware = [...(options.use ?? [])];
    this.registry = new HandlerRegistry(options.registry ?? defaultRegistry);
    const { clock = systemClock, random = Math.random } = options;
    const environment = { ...bareEnvironment(), clock, random, middleware: this.#middleware };
    this.#pipeline = new Pipeline(environment);
    const parts = { registry: this.registry, pipeline: this.#pipeline };
    this.events = new EventDispatcher(parts);
    this.commands = new CommandDispatcher({ ...parts, ...options.commands });
    this.patterns = new PatternDispatcher(parts);
    for (const listed of options.handlers ?? [])
      registerClass(this.registry, listed, this.#instanceOf(listed));
    if (options.operationCommands) declareOperationCommands(this);
    for (const plugin of options.plugins ?? []) plugin(this);
  }

  get state(): AppState {
    return this.#state;
  }

  /** The engine, for what the app has no word of its own for: dead letters, subscriptions, state. @throws {LifecycleError} before start. */
  get engine(): Engine {
    return this.#running().engine;
  }

  /** Looks at messages, dead letters, subscriptions and replicas, and acts on them. @throws {LifecycleError} before start. */
  get operations(): Operations {
    return new Operations(this.#running(), this, this.#pipeline.environment.clock);
  }

  /** Fires the timers. @throws {LifecycleError} before start. */
  get scheduler(): TimeTaskScheduler {
    return this.#running().scheduler;
  }

  /** Where the app answers over HTTP; undefined without a port. */
  get url(): string | undefined {
    return this.#url;
  }

  /** What is under way: runs of handlers, and whether the engine is being asked for more. */
  get activity(): { readonly running: number; readonly asking: boolean } {
    return { running: this.#pipeline.running, asking: this.#runtime?.consumer.asking ?? false };
  }

  get log(): Logger {
    return this.#pipeline.environment.log;
  }

  /**
   * Adds middleware, inside what is there already. Only before the start.
   * @throws {LifecycleError} `APP_STARTED`.
   */
  use(...middleware: Middleware[]): this {
    if (this.#state !== "new") {
      throw new LifecycleError(
        "APP_STARTED",
        "Middleware must be added before the app starts: pass it to createApp({ use: […] }).",
      );
    }
    this.#middleware.push(...middleware);
    return this;
  }

  /**
   * Connects the engine, starts services, delivery, timers and (if asked) the port. Resolves when all of it stands; when
   * something fails, what had been started is ended again.
   *
   * @throws {ConfigError} with every mistake of the configuration.
   * @throws {EngineError} when the engine cannot be used.
   * @throws {LifecycleError} `PORT_IN_USE`, `SERVICE_FAILED`, `APP_STOPPED`.
   */
  start(options: StartOptions = {}): Promise<void> {
    if (this.#state === "stopping" || this.#state === "stopped") return Promise.reject(stoppedError());
    return (this.#starting ??= this.#start(options));
  }

  /**
   * Ends everything in order: no new work is taken, running handlers may finish until the shutdown timeout and are
   * aborted then, what is left is given back to the engine; services and the engine end last. Legal at any time, twice.
   */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Runs the handlers of an event in this process, now. See {@link EventDispatcher.trigger}. */
  trigger<In>(event: EventType<In, unknown> | string, payload?: In, call?: Call): Promise<unknown[]> {
    if (this.#runtime === undefined) return Promise.reject(this.#notRunning());
    return this.events.trigger(event, payload, call);
  }

  /**
   * Stores an event; every handler of it, on whichever replica, gets it at least once. Resolves with the message's id
   * once the engine has it safely.
   *
   * @throws {PayloadError} when the payload does not fit, or cannot be written as JSON.
   * @throws {UnknownEventError} when the event is given by name and no handler anywhere subscribes to it.
   * @throws {EngineError} when the engine could not store it; then nothing was stored.
   */
  publish<In>(
    event: EventType<In, unknown> | string,
    payload?: In,
    options?: PublishOptions,
  ): Promise<string> {
    if (this.#runtime === undefined) return Promise.reject(this.#notRunning());
    return this.#runtime.publisher.publish(event, payload, options);
  }

  /** Stores all events or none, in one step; resolves with their ids in order. */
  publishAll(publications: readonly Publication[]): Promise<string[]> {
    if (this.#runtime === undefined) return Promise.reject(this.#notRunning());
    return this.#runtime.publisher.publishAll(publications);
  }

  /**
   * Stores an event and waits for its answer: what the first handler to end well returns, on whichever replica it runs.
   *
   * @throws {TimeoutError} when none came within `timeout` (30 s unless told); the message may still be handled.
   * @throws {EngineError} `REQUEST_FAILED` when a handler failed for good.
   */
  request<In>(
    event: EventType<In, unknown> | string,
    payload?: In,
    options?: RequestOptions,
  ): Promise<unknown> {
    if (this.#runtime === undefined) return Promise.reject(this.#notRunning());
    return this.#runtime.requests.request(event, payload, options);
  }

  /** Answers a text command. Never rejects once the app runs: whatever goes wrong is a {@link Reply}. */
  handle(text: string, from?: CommandFrom): Promise<Reply> {
    if (this.#runtime === undefined) return Promise.reject(this.#notRunning());
    return this.commands.handle(text, from);
  }

  /** Runs the handlers of all patterns that match a text, or an object of texts. See {@link PatternDispatcher.match}. */
  match(message: string | Readonly<Record<string, string>>, call?: Call): Promise<readonly PatternResult[]> {
    if (this.#runtime === undefined) return Promise.reject(this.#notRunning());
    return this.patterns.match(message, call);
  }

  /** The handlers of this app, for lists: what makes each run, and where it is declared. */
  handlers(): HandlerDescription[] {
    return this.registry.list().map(describeHandler);
  }

  /** Whether the process should go on; fails only when a restart would help. */
  live(): ProbeReport {
    return this.#observation?.health.live() ?? { status: "ok", problems: [] };
  }

  /** Whether the app should be given work: it runs, and its engine answers. */
  async ready(): Promise<ProbeReport> {
    return (
      this.#observation?.health.ready() ?? {
        status: "down",
        problems: [`The app is ${this.#state}, not running.`],
      }
    );
  }

  /** Engine, scheduler, backlog, replicas. @throws {LifecycleError} before start. */
  health(): Promise<HealthReport> {
    return this.#observation?.health.health() ?? Promise.reject(this.#notRunning());
  }

  /** All metrics as text for Prometheus. @throws {LifecycleError} before start. */
  metrics(): Promise<MetricsPage> {
    return this.#observation?.metrics() ?? Promise.reject(this.#notRunning());
  }

  /**
   * Feeds each line that is added to a file to {@link match}, until the app stops. Where it stopped is kept in the
   * engine: the next start goes on there.
   *
   * @param options The file, which need not be there yet, and how to read it.
   */
  async follow(options: string | FollowOptions): Promise<Following> {
    const { engine } = this.#running();
    const { followInto } = await import("./follow-into.ts");
    const follower = await followInto(this, options, engine, this.#pipeline.environment.clock);
    this.#stack.defer(() => follower.stop());
    return follower;
  }

  /** An app that only waits for messages holds nothing that would keep the process running. */
  #stayAlive(): void {
    const timer = setInterval(() => {}, LONGEST_INTERVAL_MS);
    this.#stack.defer(() => clearInterval(timer));
  }

  async #start({
    http = this.#options.http,
    log = this.#options.log,
    consume = true,
  }: StartOptions): Promise<void> {
    this.#state = "starting";
    try {
      const config = configOf(this.#options);
      const { environment } = this.#pipeline;
      const sink = await openLog(log, config);
      this.#stack.defer(() => sink.close());
      environment.log = sink.log;
      for (const warning of config.warnings) environment.log.warn({}, warning);
      const parts = {
        options: this.#options,
        config,
        registry: this.registry,
        pipeline: this.#pipeline,
        events: this.events,
        consume,
      };
      const runtime = await Runtime.start(parts);
      this.#stack.defer(() => runtime.stop());
      for (const instance of this.#instances) instance();
      if (consume) this.#stayAlive();
      for (const { what, site, why } of this.registry.unfinished())
        environment.log.warn({ site }, `${what} has no effect: ${why}`);
      this.#runtime = runtime;
      this.#observation = new Observation(runtime, this.#pipeline, this.events, () => this.#state);
      this.#state = "running";
      if (consume) for (const file of this.#options.follow ?? []) await this.follow(file);
      const port = http === true ? (this.#options.http ?? true) : http;
      if (port) this.#url = await this.#listen(config, port === true ? {} : port);
      if (consume && this.#options.adapters) await this.#openChats(this.#options.adapters, config);
      this.log.info(
        { engine: runtime.engine.location, instance: runtime.instance, url: this.#url },
        "started",
      );
    } catch (error) {
      // What the start fails of is what its caller has to know; what then fails to end is in the log.
      await this.#dispose().catch((second: unknown) =>
        this.log.error({ err: second }, "not all could be ended"),
      );
      throw error;
    }
  }

  async #listen(
    config: Config,
    { port = config.port, host = config.host }: { port?: number; host?: string },
  ): Promise<string> {
    const { createHttp } = await import("./http/create-http.ts");
    const server = createHttp(this, config);
    const { url, server: opened } = await server.listen({ port, host });
    this.#server = opened;
    this.#closeServer = () => server.close(config.shutdownTimeout, config.shutdownDelay);
    this.#stack.defer(this.#closeServer);
    return url;
  }

  async #openChats(adapters: readonly ChatAdapter[], { locale, shutdownTimeout }: Config): Promise<void> {
    const { openChats } = await import("./chat/open-chats.ts");
    const { clock } = this.#pipeline.environment;
    this.#closeChats = await openChats(this, adapters, { clock, locale, server: this.#server });
    this.#stack.defer(() => this.#closeChats(shutdownTimeout));
  }

  async #stop(): Promise<void> {
    // A start under way is waited for; that it fails is its caller's affair.
    await this.#starting?.catch(() => {});
    if (this.#state !== "stopped") {
      this.#state = "stopping";
      this.log.debug({}, "stopping");
    }
    const runtime = this.#runtime;
    try {
      // One deadline for all that is under way: chats, requests, deliveries, ticks, direct runs.
      const timeout = runtime?.config.shutdownTimeout ?? 0;
      if (runtime)
        await Promise.all([this.#closeChats(timeout), this.#closeServer(), runtime.drain(timeout)]);
    } finally {
      await this.#dispose();
    }
  }

  /** Ends what is left, and is stopped whatever comes of it. */
  async #dispose(): Promise<void> {
    try {
      await this.#stack.disposeAsync();
    } finally {
      for (const part of [this.events, this.commands, this.patterns, this.registry]) part.close();
      this.#runtime = undefined;
      this.#state = "stopped";
    }
  }

  #instanceOf(listed: object): () => object {
    let made: object | undefined;
    const make = (): object =>
      (made ??=
        typeof listed === "function"
          ? (Reflect.construct(listed, [this.#pipeline.environment.services]) as object)
          : listed);
    this.#instances.push(make);
    return make;
  }

  #running(): Runtime {
    if (this.#runtime) return this.#runtime;
    throw this.#notRunning();
  }

  #notRunning(): LifecycleError {
    if (this.#state === "stopped" || this.#state === "stopping") return stoppedError();
    return new LifecycleError("APP_NOT_STARTED", "The app is not running yet: await app.start() first.");
  }
}

/**
 * Makes an app of handlers and an engine; nothing happens before {@link App.start}.
 *
 * @param options All optional; see {@link AppOptions}.
 * @throws {DeclarationError} when a class has no handlers, or two handlers have one name.
 * @example
 * await using app = createApp({ engine: "memory:", log: "silent" });
 * await app.start();
 */
export function createApp(options: AppOptions = {}): App {
  return new App(options);
}

function stoppedError(): LifecycleError {
  return new LifecycleError(
    "APP_STOPPED",
    "The app has been stopped. Make another with createApp(); one cannot be started twice.",
  );
}
