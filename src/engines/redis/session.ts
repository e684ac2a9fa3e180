import { type Clock, systemClock, type Timer } from "../../clock.ts";
import type { EngineStart, InstanceInfo } from "../../engine.ts";
import { ServerClock } from "../../engine-kit/server-clock.ts";
import { EngineError } from "../../errors.ts";
import { Catalog } from "./catalog.ts";
import { storeLost, toFailure } from "./failures.ts";
import { checkPolicy } from "./guard.ts";
import { Holdings } from "./holdings.ts";
import { Keys } from "./keys.ts";
import type { Arg, Link } from "./link.ts";
import { OPEN, type Script, script } from "./script.ts";
import { Tracks } from "./tracks.ts";
import { Vigil } from "./vigil.ts";
import { Wakes } from "./wakes.ts";

/** How often the server is asked for its time, and whether it can still be trusted. */
const SYNC_MS = 30_000;
/** A server's clock that has moved by more was set by somebody. */
const JUMP_MS = 1_000;
/** So many handlers are asked about in one script, of those that may share one. */
const AT_ONCE = 200;

/** Whoever asks whether the engine is well does not wait for long. */
const CHECK_MS = 2_000;

const PROVE_WRITABLE = script(OPEN, "return redis.call('HINCRBY', KEYS[1] .. ':m', 'checks', 1)");
const TIME = script("return redis.call('TIME')");

/** One start of the engine on its server: the connections, and what is kept in memory of the store. */
export class Session {
  readonly link: Link;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly info: InstanceInfo;
  readonly lease: number;
  readonly time: ServerClock;
  /** For scripts that read the server's clock themselves: empty, unless a test moves time. */
  readonly moment: () => number | "";
  readonly catalog: Catalog;
  readonly holdings = new Holdings();
  readonly tracks: Tracks;
  readonly wakes: Wakes;
  readonly vigil: Vigil;
  /** This instance's number in the store; a new one when it had been given up as dead. */
  instance = 0;
  /** The handlers at whose store this instance is noted as one that runs something. */
  readonly joined = new Set<string>();
  /** The handlers of which the server may believe something else than this instance: see rescue.ts. */
  readonly doubted = new Set<string>();
  /** Why the server cannot be trusted any more; undefined while it can. */
  #fault: unknown = undefined;
  /** When the server's clock was last set by somebody, in elapsed time. */
  #jumpedAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  /** @param time Goes instead of the server's clock: for tests that move time. */
  constructor(link: Link, { clock, instance, lease }: EngineStart, time: Clock | undefined) {
    this.link = link;
    this.keys = new Keys(link.place.prefix, link.place.db);
    this.clock = clock;
    this.info = instance;
    this.lease = lease;
    this.moment = () => (time ? this.now() : "");
    this.time = new ServerClock(clock, time ? async () => time.now() : () => this.#askTime());
    this.catalog = new Catalog(link, this.keys);
    this.tracks = new Tracks(this);
    this.wakes = new Wakes(this);
    this.vigil = new Vigil(this);
  }

  now(): number {
    return this.time.now();
  }

  /** Whether the server's clock was set by somebody less than a lease ago: then no beat is as old as it seems. */
  get timeJumped(): boolean {
    return this.clock.elapsed() - this.#jumpedAt < this.lease;
  }

  /** Looks after the time and the trust in the server, from now on, and when the connection was lost and is there again. */
  watch(): void {
    this.link.client.on("ready", () => {
      for (const handler of this.joined) this.doubted.add(handler);
      void this.#sync();
      this.wakes.call();
    });
    this.#next();
  }

  /** This instance has a new number: it starts with nothing. */
  joinedAs(number: number): void {
    this.instance = number;
    this.holdings.clear();
    this.joined.clear();
    this.doubted.clear();
  }

  /** @throws {EngineError} `ENGINE_STORE_LOST` when what was stored is gone, `ENGINE_SCHEMA` when it is not ours to change. */
  checkTrust(): void {
    if (this.catalog.fault) throw this.catalog.fault;
    if (this.#fault instanceof EngineError && this.#fault.code === "ENGINE_STORE_LOST") throw this.#fault;
  }

  /** @throws {EngineError} When the server cannot be reached, written or trusted. */
  async check(): Promise<void> {
    const fault = this.catalog.fault ?? this.#fault;
    if (fault !== undefined) throw fault;
    await this.link.run({ script: PROVE_WRITABLE, keys: [this.keys.root], args: [] }, { patience: CHECK_MS });
  }

  /** Runs a script about the root of the store. */
  root<T>(script: Script, ...args: readonly Arg[]): Promise<T> {
    return this.link.run<T>({ script, keys: [this.keys.root], args });
  }

  /** Runs a script for each handler: it goes round all its keys and returns a list with an answer for each. */
  async each<T>(script: Script, handlers: readonly string[], ...args: readonly Arg[]): Promise<T[]> {
    const size = this.link.place.cluster ? 1 : AT_ONCE;
    const parts: Promise<T[]>[] = [];
    for (let at = 0; at < handlers.length; at += size) {
      const keys = handlers.slice(at, at + size).map((handler) => this.keys.of(handler));
      parts.push(this.link.run<T[]>({ script, keys, args }));
    }
    return (await Promise.all(parts)).flat();
  }

  /** What was stored is not there any more. */
  lost(): EngineError {
    const fault = storeLost(this.link.place.location);
    this.#fault = fault;
    return fault;
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.tracks.close();
    this.wakes.close();
    this.link.close();
  }

  #next(): void {
    // By the machine's clock, also where a test moves time: it is the server that is looked after.
    this.#timer = systemClock.setTimer(() => {
      void this.#sync();
      this.#next();
    }, SYNC_MS);
  }

  async #sync(): Promise<void> {
    try {
      const before = this.now();
      await this.time.sync();
      if (this.now() - before > JUMP_MS) this.#jumpedAt = this.clock.elapsed();
      await checkPolicy(this.link);
      await this.catalog.load();
      this.#fault = undefined;
    } catch (error) {
      // A server that cannot be reached is the next call's to notice.
      const failure = toFailure(error, this.link.place.location);
      if (!failure.retryable) this.#fault = failure;
    }
  }

  /** The clock of the server that has the root: those of a cluster's other nodes do not count. */
  async #askTime(): Promise<number> {
    const [seconds, micros] = await this.root<[string, string]>(TIME);
    return Number(seconds) * 1_000 + Number(micros) / 1_000;
  }
}
