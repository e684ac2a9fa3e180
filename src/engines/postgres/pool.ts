import { systemClock } from "../../clock.ts";
import { Connection, settings } from "./connection.ts";
import { isConflict, isLost, isPassing, toFailure, unavailable } from "./failures.ts";
import type { ServerUrl } from "./server-url.ts";
import type { Row, Statement } from "./statement.ts";

/** The wait before the server is asked for a connection again: doubled each time, up to the second. */
const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 1_000;
/** A call that meets other transactions again and again is told so. */
const CONFLICTS = 10;

/** How a call is made. */
export interface CallOptions {
  /** May be made again where it is not known whether it counted. @default true */
  readonly again?: boolean;
  /** In milliseconds. @default the URL's */
  readonly timeout?: number;
}

type Waiting = (connection: Connection | undefined) => void;

/**
 * A few connections, each opened when all others are busy and opened anew when it is lost. A call waits for a free one,
 * and while there is none at all, up to its timeout; then it fails as `ENGINE_UNAVAILABLE`.
 */
export class Pool {
  /** Whether the server has refused a call since it had no room left; ended by whoever proves that there is room. */
  full = false;
  readonly #url: ServerUrl;
  /** Called for each new connection, before it is used. */
  readonly #greet: (connection: Connection) => Promise<void>;
  /** What goes before the statements of each transaction. */
  readonly #before: readonly Statement[];
  readonly #free: Connection[] = [];
  readonly #all = new Set<Connection>();
  readonly #waiting: Waiting[] = [];
  #opening = 0;
  #closed = false;
  /** Why the last connect failed; undefined since one succeeded. */
  #refusal: unknown;

  constructor(url: ServerUrl, greet: (connection: Connection) => Promise<void>) {
    this.#url = url;
    this.#greet = greet;
    this.#before = url.pooled ? [settings(url, true)] : [];
  }

  /** Runs statements in one transaction; answers the rows of each. @throws {FrameworkError} */
  async run(statements: readonly Statement[], options: CallOptions = {}): Promise<Row[][]> {
    const { again = true, timeout = this.#url.timeout } = options;
    const deadline = performance.now() + timeout;
    let fault: unknown;
    for (let conflicts = 0; ;) {
      const connection = await this.#acquire(deadline);
      const left = deadline - performance.now();
      if (!connection || left <= 0) {
        if (connection) this.#release(connection);
        throw this.#timedOut(timeout, fault);
      }
      try {
        const rows = await connection.run([...this.#before, ...statements], left);
        return rows.slice(this.#before.length);
      } catch (error) {
        fault = error;
        if (isConflict(error) && ++conflicts < CONFLICTS) continue;
        if (!isLost(error)) {
          const failure = toFailure(error, this.#url.location);
          this.full ||= failure.code === "ENGINE_FULL";
          throw failure;
        }
        connection.close();
        if (!again) throw unavailable(this.#url.location, timeout, error, true);
      } finally {
        this.#release(connection);
      }
    }
  }

  /** Makes the first connection, so that a start that cannot succeed fails at once. */
  async open(): Promise<void> {
    const deadline = performance.now() + this.#url.timeout;
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      try {
        this.#release(await this.#connect());
        return;
      } catch (error) {
        // The server is starting, or full for the moment; for all else a person is needed.
        const passing = ["57P03", "53300"].includes((error as { code?: string }).code ?? "");
        if (!passing || performance.now() > deadline) throw toFailure(error, this.#url.location);
      }
      await pause(wait);
    }
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#all) connection.close();
    for (const wake of this.#waiting.splice(0)) wake(undefined);
  }

  #timedOut(timeout: number, fault: unknown): Error {
    const cause = fault ?? this.#refusal;
    if (fault === undefined && cause !== undefined && !isPassing(cause))
      return toFailure(cause, this.#url.location);
    return unavailable(this.#url.location, timeout, cause, fault !== undefined);
  }

  /** A free connection; undefined when there is none in time. */
  #acquire(deadline: number): Promise<Connection | undefined> | Connection | undefined {
    for (let free = this.#free.pop(); free; free = this.#free.pop()) if (!free.fault) return free;
    if (this.#closed) return undefined;
    return new Promise((resolve) => {
      const late = setTimeout(
        () => {
          this.#waiting.splice(this.#waiting.indexOf(wake), 1);
          resolve(undefined);
        },
        Math.max(0, deadline - performance.now()),
      );
      const wake: Waiting = (connection) => {
        clearTimeout(late);
        resolve(connection);
      };
      this.#waiting.push(wake);
      if (this.#all.size + this.#opening < this.#url.connections) void this.#grow();
    });
  }

  #release(connection: Connection): void {
    if (connection.fault) {
      this.#all.delete(connection);
      if (this.#waiting.length > 0) void this.#grow();
      return;
    }
    const next = this.#waiting.shift();
    if (next) next(connection);
    else this.#free.push(connection);
  }

  /** Opens one more for those who wait; tries as long as anybody does. */
  async #grow(): Promise<void> {
    if (this.#opening > 0 && this.#all.size === 0) return; // one that tries is enough while the server is away
    this.#opening++;
    for (let wait = FIRST_WAIT_MS; this.#waiting.length > 0 && !this.#closed;) {
      try {
        const connection = await this.#connect();
        this.#opening--;
        this.#release(connection);
        return;
      } catch (error) {
        this.#refusal = error;
        // Others are there, whose turn will come.
        if (this.#all.size > 0) break;
      }
      await pause(wait / 2 + (Math.random() * wait) / 2);
      wait = Math.min(2 * wait, LONGEST_WAIT_MS);
    }
    this.#opening--;
  }

  async #connect(): Promise<Connection> {
    const connection = await Connection.open(this.#url);
    try {
      await this.#greet(connection);
      if (this.#closed) throw new Error("the engine was stopped");
    } catch (error) {
      connection.close();
      throw error;
    }
    this.#refusal = undefined;
    this.#all.add(connection);
    connection.onEnd(() => {
      this.#all.delete(connection);
      const at = this.#free.indexOf(connection);
      if (at >= 0) this.#free.splice(at, 1);
    });
    return connection;
  }
}

/** Real time, whatever the app's clock says: the server is real. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void systemClock.setTimer(resolve, ms, true));
}
