import type { Duration } from "./duration.ts";
import type { EventType } from "./event-type.ts";
import type { Kind } from "./handler.ts";
import type { Logger } from "./log.ts";

/**
 * The services of the app, by name. Empty until the app's author adds to it, which types `ctx.services` everywhere.
 * @example
 * declare module "decorator-framework" { interface Services { db: Pool } }
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- an interface, because only interfaces can be augmented
export interface Services {}

/** Text that travels with a message: trace context, tenant, content version. Keys are lower case. */
export type Headers = Readonly<Record<string, string>>;

/** How a message is published. */
export interface PublishOptions {
  /** Delivers it not before this long from now. */
  readonly delay?: Duration;
  /** Delivers it not before this moment. */
  readonly at?: Date | number;
  /** Delivers smaller numbers first among what is ready. @default 0 */
  readonly priority?: number;
  /** Messages of one key run one at a time, in the order they were published, across all replicas. */
  readonly key?: string;
  /** A second message with this key, within the window, is not stored: its publisher gets the first one's id. A string means a window of one day. */
  readonly dedupe?: string | { readonly key: string; readonly within: Duration };
  /** From this moment on (or this long from now) the message is no longer worth delivering; it goes to the dead letters. */
  readonly expires?: Duration | Date;
  readonly headers?: Headers;
  /**
   * A transaction of your own, on the server that the engine uses: the message is there, and wakes its handlers, when it
   * commits, and never was when it is rolled back. For `postgres:` a client of the package `pg` in a transaction, or the
   * `sql` of a `sql.begin` of the package `postgres`; other engines refuse it with `ENGINE_UNSUPPORTED`.
   * @example
   * await client.query("begin");
   * await client.query("insert into orders (id) values ($1)", [id]);
   * await app.publish(OrderPlaced, { id }, { transaction: client });
   * await client.query("commit");
   */
  readonly transaction?: object;
}

/** Publishes an event durably and resolves with the message's id once the engine has it safely. */
export interface Publish {
  <In, Out>(event: EventType<In, Out>, payload: In, options?: PublishOptions): Promise<string>;
  (event: string, payload?: unknown, options?: PublishOptions): Promise<string>;
}

/** What each handler gets beside its input. */
export interface Context {
  /** Aborts when the handler's time is up, its message is cancelled or given to somebody else, or the app stops. */
  readonly signal: AbortSignal;
  /** A logger whose lines carry the handler's name and the message's id. */
  readonly log: Logger;
  /** The id of the message, or of this call where nothing was published. The same for each attempt: use it as an idempotency key. */
  readonly id: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  readonly headers: Headers;
  /** The handler's own name. */
  readonly handler: string;
  readonly kind: Kind;
  /** What the handler was given: payload, tick, arguments or match. */
  readonly input: unknown;
  /** The name of the event that is delivered; the task's, command's or pattern's name for the other kinds. */
  readonly event: string;
  readonly services: Services;
  readonly publish: Publish;
  /**
   * Runs `fn` once for this message: its result is stored, and when the handler runs again a finished step returns it.
   * @param name Unique within the handler.
   * @param fn What to do; its result must survive JSON.
   */
  readonly step: <T>(name: string, fn: () => Promise<T> | T) => Promise<T>;
  /**
   * Waits without holding a worker or a process: the handler is left, and run again when the time has come; finished
   * steps and sleeps are passed over then. So what stands before it must be in steps, and in the same order each time.
   * It leaves by throwing: let that pass. Where nothing is stored (`trigger`, commands, patterns) it simply waits.
   */
  readonly sleep: (duration: Duration) => Promise<void>;
  /** Of a batch handler: what is known of each payload, in the order of the input. Empty for the others. */
  readonly items: readonly BatchItem[];
  /** The app's time in milliseconds since 1970; the tests' virtual time in tests. */
  readonly now: () => number;
}

/** One message of a batch. */
export interface BatchItem {
  readonly id: string;
  readonly event: string;
  readonly attempt: number;
  readonly headers: Headers;
}

/** Goes on to the next middleware, and in the end to the handler; resolves with its result. */
export type Next = () => Promise<unknown>;

/**
 * Code around each run of a handler.
 * @example
 * const timed: Middleware = async (ctx, next) => {
 *   const start = performance.now();
 *   try { return await next(); } finally { ctx.log.info({ ms: performance.now() - start }); }
 * };
 */
export type Middleware = (ctx: Context, next: Next) => unknown;
