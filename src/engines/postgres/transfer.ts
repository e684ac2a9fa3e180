import type { Seal, StoredRecord, Transfer } from "../../engine-transfer.ts";
import { type DeadReason, RUNS_KEPT, type TaskRun } from "../../engine.ts";
import { EngineError } from "../../errors.ts";
import { Connection } from "./connection.ts";
import { toFailure } from "./failures.ts";
import type { Seat } from "./seat.ts";
import type { Session } from "./session.ts";
import { shortKey } from "./short-key.ts";
import { numberOr, numbersOf, type Row, type Statement, withNul, withoutNul } from "./statement.ts";
import { CLEAR, DUMP, IS_EMPTY, LOAD, NOTE_FOREIGN, SEAL, STILL_OPEN } from "./transfer-script.ts";

const PAGE = 1_000;
const PAGE_TIMEOUT_MS = 60_000;

/** Carries over all that the schema holds. */
export class PostgresTransfer implements Transfer {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  /** On a connection of its own, which sees the schema as it was at the beginning while others go on writing. */
  async *dump(): AsyncGenerator<readonly StoredRecord[], void> {
    const { session } = this.#seat;
    const { sql, url } = session;
    const connection = await Connection.open(url).catch((error: unknown) => {
      throw toFailure(error, url.location);
    });
    try {
      await connection.run(
        [
          "begin isolation level repeatable read read only",
          "set local idle_in_transaction_session_timeout = 0",
        ].map((text) => sql.statement(text)),
        PAGE_TIMEOUT_MS,
      );
      for (const kind of KINDS) {
        // The first of all texts is the empty one.
        let page = DUMP[kind].replace(" > $1", " >= $1");
        for (let after: string = TEXT_KEYS.has(kind) ? "" : "0"; ; page = DUMP[kind]) {
          const [rows = []] = await connection.run([sql.statement(page, after, PAGE)], PAGE_TIMEOUT_MS);
          const last = rows.at(-1)?.[0];
          if (last === undefined || last === null) break;
          yield rows.map((row) => toRecord(session, kind, row));
          after = last;
        }
      }
    } catch (error) {
      throw toFailure(error, url.location);
    } finally {
      connection.close();
    }
  }

  async load(records: readonly StoredRecord[]): Promise<void> {
    const { session } = this.#seat;
    const statements = await loadStatements(session, records);
    // Not again when the answer is lost: what was stored would be stored twice.
    const options = { timeout: PAGE_TIMEOUT_MS, again: false };
    await session.pool.run([...statements, session.sql.statement(NOTE_FOREIGN)], options);
    await session.refresh();
    session.wakes.touch("all");
  }

  async isEmpty(): Promise<boolean> {
    return (await this.#seat.session.readSlowly(IS_EMPTY))[0]?.[0] === "t";
  }

  async clear(): Promise<void> {
    const { session } = this.#seat;
    await session.pool.run(
      CLEAR.map((text) => session.sql.statement(text)),
      { timeout: PAGE_TIMEOUT_MS },
    );
    await session.refresh();
  }

  /** Resolves when nobody can have a change under way any more. */
  async seal(seal: Seal): Promise<void> {
    const { session } = this.#seat;
    await session.call(SEAL, JSON.stringify(seal));
    const before = new Set((await session.call(STILL_OPEN)).map(([transaction]) => transaction));
    const deadline = performance.now() + session.url.timeout;
    while (before.size > 0) {
      const now = new Set((await session.call(STILL_OPEN)).map(([transaction]) => transaction));
      for (const transaction of before) if (!now.has(transaction)) before.delete(transaction);
      if (before.size === 0 || performance.now() < deadline) continue;
      await session.call(SEAL, null);
      throw new EngineError(
        "ENGINE_BUSY",
        `A transaction in which something was published stays open in ${session.location}: it was not sealed. End it, and try again.`,
        { retryable: true },
      );
    }
    await session.refresh();
  }

  async sealed(): Promise<Seal | undefined> {
    const { session } = this.#seat;
    await session.refresh();
    return session.seal === undefined ? undefined : (JSON.parse(session.seal) as Seal); // as it was given
  }

  async unseal(): Promise<void> {
    const { session } = this.#seat;
    await session.call(SEAL, null);
    await session.refresh();
  }
}

type Kind = keyof typeof DUMP;

const KINDS: readonly Kind[] = [
  "subscription",
  "delivery",
  "dead_letter",
  "dedupe",
  "schedule",
  "limit",
  "state",
];
const TEXT_KEYS: ReadonlySet<Kind> = new Set(["dedupe", "schedule", "limit", "state"]);

function toRecord(session: Session, kind: Kind, row: Row): StoredRecord {
  const [key = "", ...rest] = row.map((cell) => cell ?? undefined);
  switch (kind) {
    case "subscription":
      return { kind, handler: rest[0] ?? "", topic: rest[1] };
    case "delivery": {
      const [
        first,
        foreign,
        handler = "",
        event = "",
        payload = "",
        headers,
        attempt,
        priority,
        lane,
        published,
      ] = rest;
      const [due, next, expires, steps, errors] = rest.slice(10);
      return {
        kind,
        id: foreign ?? session.ownIdOf(Number(first)),
        handler,
        event,
        payload,
        headers,
        attempt: Number(attempt),
        priority: Number(priority),
        key: lane === undefined ? undefined : withNul(lane),
        publishedAt: Number(published),
        due: Number(due),
        next: Number(next),
        expires: numberOr(expires),
        steps,
        errors,
      };
    }
    case "dead_letter": {
      const [first, foreign, handler = "", to, event = "", payload = "", headers, attempt, priority, lane] =
        rest;
      const [published, due, died, reason, steps, errors] = rest.slice(10);
      return {
        kind,
        id: foreign ?? session.ownIdOf(Number(first)),
        handler,
        to,
        event,
        payload,
        headers,
        attempt: Number(attempt),
        priority: Number(priority),
        key: lane === undefined ? undefined : withNul(lane),
        publishedAt: Number(published),
        due: Number(due),
        diedAt: Number(died),
        reason: reason as DeadReason, // written by settle, publish or load
        steps,
        errors,
      };
    }
    case "dedupe": {
      const [first, foreign, until] = rest;
      return { kind, key: withNul(key), id: foreign ?? session.ownIdOf(Number(first)), until: Number(until) };
    }
    case "schedule": {
      const [hash = "", definition = "", next, paused, lastTick, lastSuccess, fired, runs = "[]"] = rest;
      return {
        kind,
        task: key,
        hash,
        definition,
        next: numberOr(next),
        paused: paused === "t",
        lastTick: numberOr(lastTick),
        lastSuccess: numberOr(lastSuccess),
        fired: Number(fired),
        runs: (JSON.parse(runs) as TaskRun[]).map((run) => ({ ...run, error: run.error ?? undefined })), // as the query builds it
      };
    }
    case "limit": {
      const of = key.startsWith("take:") ? "take" : "hit";
      return {
        kind,
        of,
        key: withNul(key.slice(of.length + 1)),
        uses: numbersOf(rest[1]),
        until: Number(rest[0]),
      };
    }
    case "state":
      return { kind, key: withNul(key), value: withNul(rest[0] ?? "") };
  }
}

/** The statements that store records, all or none. */
async function loadStatements(session: Session, records: readonly StoredRecord[]): Promise<Statement[]> {
  const of = <K extends StoredRecord["kind"]>(kind: K): Extract<StoredRecord, { kind: K }>[] =>
    records.filter((record): record is Extract<StoredRecord, { kind: K }> => record.kind === kind);
  const statements: Statement[] = [];
  const add = (text: string, rows: readonly object[], ...more: number[]): void => {
    if (rows.length > 0) statements.push(session.sql.statement(text, JSON.stringify(rows), ...more));
  };
  const withFirst = <T extends { readonly id: string; readonly key?: string | undefined }>(each: T) => ({
    ...each,
    key: each.key === undefined ? undefined : withoutNul(each.key),
    first: session.ownSeqOf(each.id),
  });
  const deliveries = of("delivery").map((one) => ({ ...withFirst(one), published: one.publishedAt }));
  const dead = of("dead_letter").map((one) => ({
    ...withFirst(one),
    published: one.publishedAt,
    died: one.diedAt,
    target: one.to,
  }));
  const dedupes = of("dedupe").map((one) => ({ ...withFirst(one), key: shortKey(one.key) }));
  const limits = of("limit").filter(({ uses }) => uses.length > 0);
  const nameOf = (one: { of: string; key: string }): string => shortKey(`${one.of}:${one.key}`);
  add(LOAD.ids, [...deliveries, ...dead, ...dedupes]);
  add(LOAD.subscriptions, of("subscription"));
  add(LOAD.handlers, deliveries);
  add(LOAD.deliveries, deliveries, session.now());
  add(LOAD.dead, dead);
  add(LOAD.dedupes, dedupes);
  add(
    LOAD.schedules,
    of("schedule").map((one) => ({
      ...one,
      last_tick: one.lastTick,
      last_success: one.lastSuccess,
      runs: one.runs.length,
    })),
  );
  add(
    LOAD.runs,
    of("schedule").flatMap(({ task, runs }) =>
      runs.map((run, at) => ({
        ...run,
        task,
        started: run.startedAt,
        no: runs.length - at,
        place: (runs.length - at) % RUNS_KEPT,
      })),
    ),
  );
  add(
    LOAD.limits,
    limits.map((one) => ({
      key: nameOf(one),
      size: one.uses.length,
      used: one.uses.length,
      last: one.uses.at(-1),
      until: one.until,
    })),
  );
  add(
    LOAD.uses,
    limits.flatMap((one) => one.uses.map((at, slot) => ({ key: nameOf(one), slot, at }))),
  );
  add(
    LOAD.states,
    of("state").map(({ key, value }) => ({ key: withoutNul(key), value: withoutNul(value) })),
  );
  return statements;
}
