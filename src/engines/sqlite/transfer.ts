import type { Seal, StoredDelivery, StoredRecord, Transfer } from "../../engine-transfer.ts";
import type { DeadReason } from "../../engine.ts";
import { UNROUTED_ROOM } from "./bury.ts";
import { Database, type Cell } from "./database.ts";
import { storeLimit, storedLimits } from "./limits.ts";
import { storeSchedule, storedSchedules } from "./schedules.ts";
import type { Seat } from "./seat.ts";
import { Sequence } from "./sequence.ts";
import type { Session } from "./session.ts";
import { BLOCKED, READY, WAITING } from "./states.ts";

const PIECE = 1_000;

const READ_NAME = "select name, coalesce((select max(seq) from foreign_id), 0) from meta";
const SUBSCRIPTIONS = "select handler, topic from subscription where active = 1 order by no";
const DELIVERIES = `select d.seq, d.message, s.handler, d.event, d.payload, d.headers, d.attempt, d.priority, d.key, d.published,
  d.due, coalesce(d.until, d.due), d.expires, d.steps, d.errors
  from delivery d join subscription s on s.no = d.sub and s.active = 1 where d.seq > ? order by d.seq limit ${PIECE}`;
const DEAD_LETTERS = `select no, seq, message, handler, target, event, payload, headers, attempt, priority, key, published, due, died,
  reason, steps, errors from dead_letter where no > ? order by no limit ${PIECE}`;
const DEDUPE = "select key, id, until from dedupe where key > ? order by key limit 1000";
const STATE = "select key, value from state where key > ? order by key limit 1000";

const INSERT_DELIVERY = `insert into delivery (seq, sub, state, priority, attempt, token, published, due, until, expires, message, key, event, headers, steps, errors, payload)
  values (?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const INSERT_DEAD = `insert into dead_letter (seq, message, handler, target, event, attempt, priority, key, published, due, died, reason, headers, steps, errors, payload)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const KEY_IN_USE = "select 1 from delivery where sub = ? and key = ? limit 1";
const INSERT_DEDUPE = "insert or replace into dedupe (key, id, until) values (?, ?, ?)";
const INSERT_STATE = "insert or replace into state (key, value) values (?, ?)";

const TABLES = [
  "subscription",
  "delivery",
  "dead_letter",
  "dedupe",
  "schedule",
  "limiter",
  "limiter_use",
  "state",
];
const IS_EMPTY = `select ${TABLES.map((table) => `not exists (select 1 from ${table}${table === "subscription" ? " where active = 1" : ""})`).join(" and ")}`;
const CLEAR = [
  ...TABLES.filter((table) => table !== "subscription").map((table) => `delete from ${table}`),
  "delete from foreign_id",
  "update subscription set active = 0",
  "update meta set subscriptions = subscriptions + 1",
];
const HIGHEST = "select max(seq) from delivery";
const SEAL = "update meta set seal = ?";

/** Carries over all that the data file holds. */
export class SqliteTransfer implements Transfer {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  /** On a connection of its own, which sees the file as it was at the beginning while others go on writing. */
  async *dump(): AsyncGenerator<readonly StoredRecord[], void> {
    const { path } = this.#seat.session;
    // What was asked for before is to be in it.
    await this.#seat.read(() => {});
    const { DatabaseSync } = await import("node:sqlite");
    const db = new Database(new DatabaseSync(path, { readOnly: true, timeout: 1_000 }));
    try {
      db.exec("begin");
      for (const piece of piecesOf(db)) {
        yield piece;
        // So that a reader that never waits does not hold up the event loop.
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      db.close();
    }
  }

  load(records: readonly StoredRecord[]): Promise<void> {
    return this.#seat.write((session) => {
      for (const record of records) loadRecord(session, record);
    });
  }

  isEmpty(): Promise<boolean> {
    return this.#seat.read(({ db }) => db.get<[number]>(IS_EMPTY)?.[0] === 1);
  }

  clear(): Promise<void> {
    return this.#seat.write((session) => {
      const [highest] = session.db.get<[number | null]>(HIGHEST) ?? [null];
      if (highest !== null) session.sequence.retire(highest);
      for (const statement of CLEAR) session.db.run(statement);
      session.due.forget();
      session.forget();
    });
  }

  seal(seal: Seal): Promise<void> {
    return this.#seal(JSON.stringify(seal));
  }

  sealed(): Promise<Seal | undefined> {
    // As it was given to seal().
    return this.#seat.read(({ seal }) => (seal === undefined ? undefined : (JSON.parse(seal) as Seal)));
  }

  unseal(): Promise<void> {
    return this.#seal(null);
  }

  #seal(seal: string | null): Promise<void> {
    return this.#seat.write((session) => {
      session.db.run(SEAL, seal);
      session.seal = seal ?? undefined;
    });
  }
}

function* piecesOf(db: Database): Generator<readonly StoredRecord[], void> {
  const [name, foreignUpTo] = db.get<[string, number]>(READ_NAME) ?? ["", 0];
  const sequence = new Sequence(db);
  sequence.load(name, 0, 0, foreignUpTo);
  yield db
    .all<[string, string | null]>(SUBSCRIPTIONS)
    .map(([handler, topic]) => ({ kind: "subscription", handler, topic: topic ?? undefined }));
  yield* pages<DeliveryRow>(db, DELIVERIES, 0, (row) => toDelivery(sequence, row));
  yield* pages<DeadRow>(db, DEAD_LETTERS, 0, (row) => toDeadLetter(sequence, row));
  yield* pages<[string, string, number]>(db, DEDUPE, "", ([key, id, until]) => ({
    kind: "dedupe",
    key,
    id,
    until,
  }));
  yield storedSchedules(db);
  yield storedLimits(db);
  yield* pages<[string, string]>(db, STATE, "", ([key, value]) => ({ kind: "state", key, value }));
}

/** Reads a table in the order of its first column, some rows at a time. */
function* pages<Row extends [Cell, ...Cell[]]>(
  db: Database,
  sql: string,
  first: Cell,
  toRecord: (row: Row) => StoredRecord,
): Generator<readonly StoredRecord[], void> {
  // The first of all texts is the empty one.
  for (let after = first, page = sql.replace(" > ?", " >= ?"); ; page = sql) {
    const rows = db.all<Row>(page, after);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map(toRecord);
    after = last[0];
  }
}

type DeliveryRow = [
  seq: number,
  message: number | null,
  handler: string,
  event: string,
  payload: string,
  headers: string | null,
  attempt: number,
  priority: number,
  key: string | null,
  published: number,
  due: number,
  next: number,
  expires: number | null,
  steps: string | null,
  errors: string | null,
];

function toDelivery(sequence: Sequence, row: DeliveryRow): StoredRecord {
  // prettier-ignore
  const [seq, message, handler, event, payload, headers, attempt, priority, key, publishedAt, due, next, expires, steps, errors] = row;
  return {
    kind: "delivery",
    id: sequence.idOf(message ?? seq),
    handler,
    event,
    payload,
    headers: headers ?? undefined,
    attempt,
    priority,
    key: key ?? undefined,
    publishedAt,
    due,
    next,
    expires: expires ?? undefined,
    steps: steps ?? undefined,
    errors: errors ?? undefined,
  };
}

type DeadRow = [
  no: number,
  seq: number,
  message: number | null,
  handler: string,
  target: string | null,
  event: string,
  payload: string,
  headers: string | null,
  attempt: number,
  priority: number,
  key: string | null,
  published: number,
  due: number,
  died: number,
  reason: DeadReason,
  steps: string | null,
  errors: string | null,
];

function toDeadLetter(sequence: Sequence, row: DeadRow): StoredRecord {
  // prettier-ignore
  const [, seq, message, handler, target, event, payload, headers, attempt, priority, key, publishedAt, due, diedAt, reason, steps, errors] = row;
  return {
    kind: "dead_letter",
    id: sequence.idOf(message ?? seq),
    handler,
    to: target ?? undefined,
    event,
    payload,
    headers: headers ?? undefined,
    attempt,
    priority,
    key: key ?? undefined,
    publishedAt,
    due,
    diedAt,
    reason,
    steps: steps ?? undefined,
    errors: errors ?? undefined,
  };
}

function loadRecord(session: Session, record: StoredRecord): void {
  const { db, catalog, sequence } = session;
  switch (record.kind) {
    case "subscription":
      return catalog.add([record]);
    case "delivery":
      return loadDelivery(session, record);
    case "dead_letter": {
      const [seq, message] = numbersOf(sequence, record.id);
      const { handler, to, event, attempt, priority, key, publishedAt, due, diedAt, reason } = record;
      const { headers, steps, errors, payload } = record;
      // prettier-ignore
      db.run(INSERT_DEAD, seq, message, handler, to ?? null, event, attempt, priority, key ?? null, publishedAt, due, diedAt, reason, headers ?? null, steps ?? null, errors ?? null, payload);
      if (handler === "") sequence.reserve(seq, UNROUTED_ROOM);
      return;
    }
    case "dedupe":
      return void db.run(INSERT_DEDUPE, record.key, record.id, record.until);
    case "schedule":
      return storeSchedule(db, record);
    case "limit":
      return storeLimit(db, record);
    case "state":
      return void db.run(INSERT_STATE, record.key, record.value);
  }
}

function loadDelivery(session: Session, record: StoredDelivery): void {
  const { db, catalog, sequence } = session;
  const { handler, event, payload, headers, attempt, priority, key } = record;
  const { publishedAt, due, next, expires, steps, errors } = record;
  if (!catalog.named(handler)) catalog.add([{ handler, topic: undefined }]);
  const sub = catalog.named(handler)?.no ?? 0;
  const [seq, message] = numbersOf(sequence, record.id);
  const late = next > session.now();
  const blocked = key !== undefined && db.get(KEY_IN_USE, sub, key) !== undefined;
  const state = blocked ? BLOCKED : late ? WAITING : READY;
  // prettier-ignore
  db.run(INSERT_DELIVERY, seq, sub, state, priority, attempt, publishedAt, due, late ? next : null, expires ?? null, message, key ?? null, event, headers ?? null, steps ?? null, errors ?? null, payload);
  if (state === WAITING) session.due.add(next);
  session.wakes.touch(sub);
}

/** The row's own number and that of its message's first row; null when it is that itself. */
function numbersOf(sequence: Sequence, id: string): [seq: number, message: number | null] {
  const first = sequence.seqOf(id);
  return first === undefined ? [sequence.adopt(id), null] : [sequence.next(), first];
}
