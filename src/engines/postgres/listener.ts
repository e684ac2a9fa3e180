import { systemClock, type Timer } from "../../clock.ts";
import { Connection } from "./connection.ts";
import { toFailure } from "./failures.ts";
import type { Session } from "./session.ts";

/** How often all look for work where notices come, and where they do not. */
const POLL_MS = 5_000;
const POLL_WITHOUT_NOTICES_MS = 500;
/** How long the session may take to answer that it is there. */
const PING_TIMEOUT_MS = 4_000;
/** The wait before it is opened again: doubled each time, up to the second. */
const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 1_000;

/** Held as long as the session lives: who has it no more has no session, and may be dead. */
const HOLD = "select pg_try_advisory_lock(hashtext('{s}'), $1)";
const LISTENS = "update {s}.instance set listens = true where no = $1 and not listens";

/**
 * Hears the notices of other sessions, on a session of its own; and sees to it that one looks for work now and then
 * without a notice, too: each 5 s, and each half second while it cannot hear.
 */
export class Listener {
  /** When the present session began to hear, by performance.now(); infinite while there is none. */
  since = Number.POSITIVE_INFINITY;
  readonly #session: Session;
  readonly #hear: (word: string) => void;
  /** Called now and then: there may be something that no notice told of. */
  readonly #look: () => void;
  #connection: Connection | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(session: Session, hear: (word: string) => void, look: () => void) {
    this.#session = session;
    this.#hear = hear;
    this.#look = look;
  }

  /** Whether it has a way past the pooler, if there is one. */
  get possible(): boolean {
    const { pooled, listen } = this.#session.url;
    return !pooled || listen !== undefined;
  }

  /** Begins to hear. @throws {FrameworkError} when there can be no such session. */
  async open(): Promise<void> {
    try {
      if (this.possible) await this.#connect();
    } catch (error) {
      throw toFailure(error, this.#session.location);
    }
    this.#lookAgain();
  }

  /** Shows that this instance has a session. */
  async hold(): Promise<void> {
    const { sql, instance } = this.#session;
    const connection = this.#connection;
    if (!connection) return;
    const holds = sql.statement(HOLD, instance);
    const [[row] = []] = await connection.run([holds], PING_TIMEOUT_MS);
    if (row?.[0] === "t") await connection.run([sql.statement(LISTENS, instance)], PING_TIMEOUT_MS);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#connection?.close();
  }

  async #connect(): Promise<void> {
    const { url } = this.#session;
    const connection = await Connection.open(url, url.listen ?? url.connect);
    if (this.#closed) return connection.close();
    try {
      await connection.listen(url.schema, this.#hear);
      this.#connection = connection;
      await this.hold();
    } catch (error) {
      this.#connection = undefined;
      connection.close();
      throw error;
    }
    this.since = performance.now();
    connection.onEnd(() => void this.#reconnect());
    // What was said since the last session ended was not heard.
    this.#look();
  }

  async #reconnect(): Promise<void> {
    this.#connection = undefined;
    this.since = Number.POSITIVE_INFINITY;
    this.#lookAgain();
    for (let wait = FIRST_WAIT_MS; !this.#closed; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      try {
        return await this.#connect();
      } catch {
        // The pool meets the same, and says so.
      }
      await new Promise<void>(
        (resolve) => void systemClock.setTimer(resolve, wait * (0.5 + Math.random() / 2)),
      );
    }
  }

  /** Real time, whatever the app's clock says: the server is real. */
  #lookAgain(): void {
    this.#timer?.cancel();
    if (this.#closed) return;
    const wait = this.#connection ? POLL_MS : POLL_WITHOUT_NOTICES_MS;
    this.#timer = systemClock.setTimer(() => {
      this.#look();
      // One that does not answer is given up; who waits for its end opens another.
      this.hold().catch(() => this.#connection?.close());
      this.#lookAgain();
    }, wait);
  }
}
