import { type Clock, systemClock, type Timer } from "../../clock.ts";
import { ServerClock } from "../../engine-kit/server-clock.ts";
import type { Row, Statement } from "./statement.ts";

const ASK: Statement = { text: "select extract(epoch from clock_timestamp()) * 1000", values: [] };
/** Two quartzes drift apart by a few ms an hour. */
const SYNC_EACH_MS = 30_000;
/** A server's clock that moves by more at once was set by somebody. */
const JUMP_MS = 1_000;

/** Runs statements somewhere. */
type Run = (statements: readonly Statement[]) => Promise<Row[][]>;

/** The server's time, which all replicas share, and whether somebody has set it. */
export class ServerTime {
  readonly #given: Clock | undefined;
  readonly #server: ServerClock;
  #run: Run | undefined;
  #timer: Timer | undefined;
  #synced = false;
  #offset: number | undefined;
  #jumpedAt = Number.NEGATIVE_INFINITY;

  /** @param given Of tests: the time instead of the server's. */
  constructor(given: Clock | undefined) {
    this.#given = given;
    this.#server = new ServerClock(systemClock, async () => {
      const [rows] = (await this.#run?.([ASK])) ?? [];
      return Number(rows?.[0]?.[0]);
    });
  }

  now(): number {
    if (this.#given) return this.#given.now();
    return this.#synced ? this.#server.now() : systemClock.now();
  }

  /** The moment of a test that moves time; undefined where the server's own clock counts. */
  get moved(): number | undefined {
    return this.#given?.now();
  }

  /** Asks the server. */
  async sync(run: Run): Promise<void> {
    if (this.#given) return;
    this.#run = run;
    await this.#server.sync();
    this.#synced = true;
  }

  /** Asks the server now and then until it is stopped; what it was last told goes on while the server does not answer. */
  keep(run: Run): void {
    this.#timer = systemClock.setTimer(() => {
      this.sync(run).catch(() => {});
      this.keep(run);
    }, SYNC_EACH_MS);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Whether the server's clock was set within the last `span` ms: then what others have written of time does not tell their age. */
  jumpedWithin(span: number): boolean {
    const elapsed = (this.#given ?? systemClock).elapsed();
    const offset = this.now() - elapsed;
    if (this.#offset !== undefined && Math.abs(offset - this.#offset) > JUMP_MS) this.#jumpedAt = elapsed;
    this.#offset = offset;
    return elapsed - this.#jumpedAt < span;
  }
}
