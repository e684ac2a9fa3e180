import type { Claim, Claims, Settlement, Want } from "../../engine.ts";
import { EngineError } from "../../errors.ts";
import { claimsOf, claimStatement, inOrder } from "./claim.ts";
import type { Session } from "./session.ts";
import { settledOf, settleStatement } from "./settle.ts";
import type { Row, Statement } from "./statement.ts";

interface Settling {
  readonly settlements: readonly Settlement[];
  readonly resolve: (settled: readonly boolean[]) => void;
  readonly reject: (error: unknown) => void;
}

interface Claiming {
  readonly wants: readonly Want[];
  /** Its number in the attempt that is under way. */
  call: number;
  readonly resolve: (claims: Claims) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Settlements and claims, which go together: what ended in one turn of the event loop is told to the server with the next
 * claim, in one transaction and one round trip.
 */
export class WorkLane {
  readonly #session: Session;
  #settling: Settling[] = [];
  #claiming: Claiming[] = [];
  /** Settlements whose answer was lost: they may have counted. */
  readonly #doubtful = new Set<string>();
  #soon = false;
  #busy = false;
  #calls = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  settle(settlements: readonly Settlement[]): Promise<readonly boolean[]> {
    if (settlements.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#settling.push({ settlements, resolve, reject });
      this.#flushSoon();
    });
  }

  claim(wants: readonly Want[]): Promise<Claims> {
    return new Promise((resolve, reject) => {
      this.#claiming.push({ wants, call: 0, resolve, reject });
      this.#flushSoon();
    });
  }

  /** This instance was given up: what it settles now, and is not there, is somebody else's. */
  lost(): void {
    this.#doubtful.clear();
  }

  /** At the end of the turn: the consumer settles what has ended, and then claims. */
  #flushSoon(): void {
    if (this.#soon || this.#busy) return;
    this.#soon = true;
    setImmediate(() => {
      this.#soon = false;
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#settling.length + this.#claiming.length > 0) {
      const settling = this.#settling;
      const claiming = this.#claiming;
      this.#settling = [];
      this.#claiming = [];
      await this.#send(settling, claiming);
    }
    this.#busy = false;
  }

  async #send(settling: readonly Settling[], claiming: readonly Claiming[]): Promise<void> {
    try {
      await this.#sendTogether(settling, claiming);
    } catch (error) {
      const lasts = error instanceof EngineError && error.code === "ENGINE_UNAVAILABLE";
      if (settling.length + claiming.length === 1 || lasts) {
        for (const { reject } of [...settling, ...claiming]) reject(error);
        return;
      }
      // What is wrong with one must not fail the others.
      for (const one of settling) await this.#send([one], []);
      for (const one of claiming) await this.#send([], [one]);
    }
  }

  async #sendTogether(settling: readonly Settling[], claiming: readonly Claiming[]): Promise<void> {
    const session = this.#session;
    const settlements = settling.flatMap((each) => each.settlements);
    const { rows, tokens } = await this.#run(settlements, claiming);
    if (settling.length > 0) {
      const settled = settledOf(session, settlements, tokens, rows.shift()?.[0], this.#doubtful);
      for (const { claim } of settlements) this.#doubtful.delete(String(claim.token));
      let from = 0;
      for (const { settlements: own, resolve } of settling)
        resolve(settled.slice(from, (from += own.length)));
    }
    for (const each of claiming) this.#answer(each, rows.shift() ?? []);
  }

  /** Sends all until an answer comes; what a claim took whose answer was lost is given back with the next. */
  async #run(
    settlements: readonly Settlement[],
    claiming: readonly Claiming[],
  ): Promise<{ rows: Row[][]; tokens: readonly string[] }> {
    const session = this.#session;
    const deadline = performance.now() + session.url.timeout;
    for (;;) {
      const lost = session.lostClaims.news();
      const statements: Statement[] = [...lost];
      const { statement, tokens } = settleStatement(session, settlements);
      if (settlements.length > 0) statements.push(statement);
      for (const each of claiming) {
        each.call = ++this.#calls;
        statements.push(claimStatement(session, each.wants, each.call));
      }
      try {
        const timeout = Math.max(1, deadline - performance.now());
        const rows = await session.pool.run(statements, { again: false, timeout });
        if (lost.length > 0) session.lostClaims.told();
        return { rows: rows.slice(lost.length), tokens };
      } catch (error) {
        if (!(error instanceof EngineError) || error.code !== "ENGINE_UNAVAILABLE") throw error;
        for (const { claim } of settlements) this.#doubtful.add(String(claim.token));
        for (const { call } of claiming) session.lostClaims.add(call);
        if (performance.now() >= deadline || session.over) throw error;
      }
    }
  }

  #answer({ wants, call, resolve, reject }: Claiming, rows: readonly Row[]): void {
    const unknown = wants.filter(({ handler }) => !this.#session.catalog.named(handler));
    const { claims, nextDue, stale } = claimsOf(this.#session, rows, call);
    const found = inOrder(claims, wants);
    if (stale) this.#claimUnknown(unknown, wants, found, nextDue).then(resolve, reject);
    else this.#session.named(found).then((named) => resolve({ claims: named, nextDue }), reject);
  }

  /** Of what others have subscribed since the subscriptions were read. */
  async #claimUnknown(
    unknown: readonly Want[],
    wants: readonly Want[],
    found: readonly Claim[],
    nextDue: number | undefined,
  ): Promise<Claims> {
    await this.#session.refresh();
    const claims = await this.#session.named(found);
    const known = unknown.filter(({ handler }) => this.#session.catalog.named(handler));
    if (known.length === 0) return { claims, nextDue };
    const more = await this.claim(known);
    return { claims: inOrder([...claims, ...more.claims], wants), nextDue: more.nextDue };
  }
}
