import { type Clock, systemClock } from "../../clock.ts";
import type { Capabilities, Engine, EngineStart } from "../../engine.ts";
import { EngineError } from "../../errors.ts";
import { makeClient } from "./client.ts";
import { RedisDeadLetters } from "./dead-letters.ts";
import { toFailure } from "./failures.ts";
import { examine } from "./guard.ts";
import { RedisLimits } from "./limits.ts";
import { Link } from "./link.ts";
import { type Place, placeOf } from "./place.ts";
import { RedisPresence } from "./presence.ts";
import { RedisQueue } from "./queue.ts";
import { RedisSchedules } from "./schedules.ts";
import { Seat } from "./seat.ts";
import { Session } from "./session.ts";
import { RedisSignals } from "./signals.ts";
import { RedisState } from "./state.ts";
import { RedisTransfer } from "./transfer.ts";

/** Options of {@link redisEngine}. */
export interface RedisEngineOptions {
  /** Goes instead of the server's clock: for tests that move time. @default the server's clock */
  readonly time?: Clock;
}

/**
 * The engine on a Redis or Valkey server, or a cluster of them: `redis://host:6379/0?prefix=app`.
 *
 * @throws {EngineError} `ENGINE_URL_INVALID` for a URL that cannot be read.
 * @example
 * const engine = redisEngine("redis://127.0.0.1:6379");
 */
export function redisEngine(url: string, options: RedisEngineOptions = {}): Engine {
  return new RedisEngine(placeOf(url), options.time);
}

class RedisEngine implements Engine {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly queue: RedisQueue;
  readonly deadLetters: RedisDeadLetters;
  readonly schedules: RedisSchedules;
  readonly limits: RedisLimits;
  readonly state: RedisState;
  readonly presence: RedisPresence;
  readonly signals: RedisSignals;
  readonly transfer: RedisTransfer;
  readonly #place: Place;
  readonly #time: Clock | undefined;
  readonly #seat = new Seat();
  #starting = false;
  /** What the server can lose, as it said at start. */
  #loss = "";

  constructor(place: Place, time: Clock | undefined) {
    this.#place = place;
    this.#time = time;
    this.name = place.scheme;
    this.capabilities = Object.freeze({ durable: true, shared: true, strict: place.strict });
    this.queue = new RedisQueue(this.#seat);
    this.deadLetters = new RedisDeadLetters(this.#seat);
    this.schedules = new RedisSchedules(this.#seat);
    this.limits = new RedisLimits(this.#seat);
    this.state = new RedisState(this.#seat);
    this.presence = new RedisPresence(this.#seat);
    this.signals = new RedisSignals(this.#seat);
    this.transfer = new RedisTransfer(this.#seat);
  }

  /** The URL without its password, and, once it is started, what the server can lose. */
  get location(): string {
    return this.#loss === "" ? this.#place.location : `${this.#place.location} (${this.#loss})`;
  }

  async start(options: EngineStart): Promise<void> {
    if (this.#seat.taken || this.#starting) {
      throw new EngineError("ENGINE_STARTED", "The redis engine is started already: call stop() first.");
    }
    this.#starting = true;
    const link = new Link(await makeClient(this.#place), this.#place);
    let session: Session | undefined;
    try {
      await link.ready();
      this.#loss = await examine(link);
      session = new Session(link, options, this.#time);
      await session.time.sync();
      await session.catalog.open();
      await session.wakes.start((text) => this.signals.heard(text));
      await this.presence.join(session);
      session.watch();
      this.#seat.take(session);
    } catch (error) {
      session?.close();
      link.close();
      throw toFailure(error, this.#place.location);
    } finally {
      this.#starting = false;
    }
  }

  async stop(): Promise<void> {
    const session = this.#seat.leave();
    if (!session) return;
    this.signals.close();
    session.wakes.close();
    try {
      await session.tracks.idle();
      await this.presence.leave(session);
    } catch (error) {
      // A server that cannot be reached gives back what this instance held when its lease has passed.
      if (!(error instanceof EngineError && error.retryable)) throw error;
    } finally {
      session.close();
    }
  }

  /** The server's time, which all replicas share. */
  now(): number {
    return this.#seat.taken ? this.#seat.session.now() : (this.#time ?? systemClock).now();
  }

  async check(): Promise<void> {
    await this.#seat.session.check();
  }
}
