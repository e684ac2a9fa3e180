import type { Clock } from "../../clock.ts";
import type { Capabilities, Engine, EngineStart } from "../../engine.ts";
import { EngineError } from "../../errors.ts";
import { PostgresDeadLetters } from "./dead-letters.ts";
import { PostgresLimits } from "./limits.ts";
import { prepareSchema } from "./migrate.ts";
import { PostgresPresence } from "./presence.ts";
import { PostgresQueue } from "./queue.ts";
import { PostgresSchedules } from "./schedules.ts";
import { PROVE_ROOM } from "./room.ts";
import { Seat } from "./seat.ts";
import { ServerTime } from "./server-time.ts";
import { type ServerUrl, serverUrlOf } from "./server-url.ts";
import { Session } from "./session.ts";
import { PostgresSignals } from "./signals.ts";
import { PostgresState } from "./state.ts";
import { PostgresTransfer } from "./transfer.ts";

/** A check is for those who ask often: it says what is so now, and does not wait for better times. */
const CHECK_TIMEOUT_MS = 3_000;
const PROVE_WRITABLE = "update {s}.instance set void = void where no = $1";

/** Options of {@link postgresEngine}. */
export interface PostgresEngineOptions {
  /** The time instead of the server's: for tests. @default the server's */
  readonly time?: Clock;
}

/**
 * The engine that keeps everything in a schema of a PostgreSQL database, 13 or newer: for any number of machines.
 *
 * What is published in one turn of the event loop is one statement; claims carry the last settlements; notices wake the
 * other replicas. Events can be published in a transaction of the caller's own. Needs the package `pg`.
 *
 * @param url `postgres://user:password@host:5432/database`; its parameters are in docs/engines/postgres.md.
 * @throws {EngineError} `ENGINE_URL_INVALID`. `start` rejects with `ENGINE_DENIED`, `ENGINE_UNAVAILABLE`, `ENGINE_SCHEMA`, … when the server cannot be used.
 *
 * @example
 * const app = createApp({ engine: postgresEngine("postgres://app@db.internal/shop?schema=events") });
 */
export function postgresEngine(url: string, options: PostgresEngineOptions = {}): Engine {
  return new PostgresEngine(serverUrlOf(url), options.time);
}

class PostgresEngine implements Engine {
  readonly name = "postgres";
  readonly location: string;
  readonly capabilities: Capabilities;
  readonly queue: PostgresQueue;
  readonly deadLetters: PostgresDeadLetters;
  readonly schedules: PostgresSchedules;
  readonly limits: PostgresLimits;
  readonly state: PostgresState;
  readonly presence: PostgresPresence;
  readonly signals: PostgresSignals;
  readonly transfer: PostgresTransfer;
  readonly #url: ServerUrl;
  readonly #time: ServerTime;
  readonly #seat = new Seat();
  #starting = false;
  #stopping: Promise<void> | undefined;

  constructor(url: ServerUrl, time: Clock | undefined) {
    this.#url = url;
    this.#time = new ServerTime(time);
    this.location = url.location;
    const strict = url.synchronous === "on";
    this.capabilities = Object.freeze({ durable: true, shared: true, strict, transactions: true });
    this.queue = new PostgresQueue(this.#seat);
    this.deadLetters = new PostgresDeadLetters(this.#seat);
    this.schedules = new PostgresSchedules(this.#seat);
    this.limits = new PostgresLimits(this.#seat);
    this.state = new PostgresState(this.#seat);
    this.presence = new PostgresPresence(this.#seat);
    this.signals = new PostgresSignals(this.#seat);
    this.transfer = new PostgresTransfer(this.#seat);
  }

  async start(options: EngineStart): Promise<void> {
    if (this.#seat.taken || this.#starting) {
      throw new EngineError("ENGINE_STARTED", "The postgres engine is started already: call stop() first.");
    }
    this.#starting = true;
    const session = new Session(this.#url, options, this.#time, this.signals);
    try {
      await session.pool.open();
      await prepareSchema(session.pool, this.#url);
      await session.refresh();
      await this.presence.join(session);
      await this.signals.join(session);
      await session.listener.open();
      this.#time.keep((statements) => session.pool.run(statements));
      this.#seat.take(session);
    } catch (error) {
      if (session.instance !== 0) await this.presence.leave(session).catch(() => {});
      session.close();
      throw error;
    } finally {
      this.#starting = false;
    }
  }

  async stop(): Promise<void> {
    const session = this.#seat.leave();
    if (session) this.#stopping = this.#end(session);
    await this.#stopping;
  }

  /** The server's. */
  now(): number {
    return this.#time.now();
  }

  async check(): Promise<void> {
    const { session } = this.#seat;
    const timeout = Math.min(CHECK_TIMEOUT_MS, this.#url.timeout);
    const { pool, sql, instance } = session;
    const statements = [sql.statement(PROVE_WRITABLE, instance)];
    if (pool.full) statements.push(sql.statement(PROVE_ROOM));
    await session.changeAll(statements, timeout);
    pool.full = false;
  }

  async #end(session: Session): Promise<void> {
    this.signals.close();
    session.wakes.close();
    this.#time.stop();
    try {
      await this.presence.leave(session);
    } catch (error) {
      // What a server that is away, or a schema that is not ours any more, has of this instance the others sweep up.
      const away = error instanceof EngineError && error.retryable;
      if (!session.fault && !away) throw error;
    } finally {
      session.close();
    }
  }
}
