import type { Session } from "./session.ts";
import { numbers, type Statement } from "./statement.ts";

/** For so long a call whose connection broke may still reach the server, or end there. */
const MEMORY_MS = 60_000;

const VOID = "update {s}.instance set void = greatest(void, $1) where no = $2";
const GIVE_BACK = "select o_count from {s}.give_back_1($1, $2, $3, $4, 1)";

/**
 * Claims whose answer was lost: what they took is held by this instance, which lives and does not know of it. It is given
 * back with the next claim, and for a while again with each sign of life, in case the call came late.
 */
export class LostClaims {
  readonly #session: Session;
  #calls: { readonly call: number; readonly at: number }[] = [];
  #told = true;

  constructor(session: Session) {
    this.#session = session;
  }

  add(call: number): void {
    this.#calls.push({ call, at: performance.now() });
    this.#told = false;
  }

  /** What gives back those that the server was not told of. */
  news(): Statement[] {
    return this.#told ? [] : this.all();
  }

  /** What gives back all of the last time. */
  all(): Statement[] {
    this.#calls = this.#calls.filter(({ at }) => performance.now() - at < MEMORY_MS);
    if (this.#calls.length === 0) return [];
    const { sql, instance } = this.#session;
    const calls = this.#calls.map(({ call }) => call);
    return [
      sql.statement(VOID, Math.max(...calls), instance),
      sql.statement(GIVE_BACK, instance, this.#session.now(), numbers([instance]), numbers(calls)),
    ];
  }

  told(): void {
    this.#told = true;
  }
}
