import type { NewMessage, Published } from "../../engine.ts";
import { buryUnrouted } from "./bury.ts";
import type { Cell } from "./database.ts";
import type { Session } from "./session.ts";
import { BLOCKED, READY, type DeliveryState, WAITING } from "./states.ts";

const INSERT = `insert into delivery (seq, sub, state, priority, attempt, token, published, due, until, expires, message, key, event, headers, payload)
  values (?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
/** The common case: what is not bound is not paid for. */
const INSERT_PLAIN = `insert into delivery (seq, sub, state, priority, attempt, token, published, due, event, payload)
  values (?, ?, ${READY}, ?, 0, 0, ?, ?, ?, ?)`;
/** How many of those are stored by one statement, where there are many: each costs a fifth less. */
const MANY = 10;
const INSERT_MANY = INSERT_PLAIN + `,\n  (?, ?, ${READY}, ?, 0, 0, ?, ?, ?, ?)`.repeat(MANY - 1);
const KEY_IN_USE = "select 1 from delivery where sub = ? and key = ? limit 1";
const DEDUPE_HOLDER = "select id from dedupe where key = ? and until > ?";
const DEDUPE_HOLD = `insert into dedupe (key, id, until) values (?, ?, ?)
  on conflict (key) do update set id = excluded.id, until = excluded.until`;

/** Stores all messages, each for all who get it. Inside of the turn's transaction. */
export function publishAll(session: Session, messages: readonly NewMessage[]): Published[] {
  const now = session.now();
  const published: Published[] = [];
  const plain: Plain = { many: messages.length >= MANY, cells: [] };
  for (const message of messages) published.push(publishOne(session, message, now, plain));
  storeRest(session, plain);
  return published;
}

/** Rows of the common case that are yet to be stored: nothing that is stored in the same call depends on them. */
interface Plain {
  readonly many: boolean;
  cells: Cell[];
}

const CELLS = 7;

function storePlain(session: Session, plain: Plain, ...row: Cell[]): void {
  if (!plain.many) return void session.db.run(INSERT_PLAIN, ...row);
  plain.cells.push(...row);
  if (plain.cells.length < MANY * CELLS) return;
  session.db.run(INSERT_MANY, ...plain.cells);
  plain.cells = [];
}

function storeRest({ db }: Session, { cells }: Plain): void {
  for (let at = 0; at < cells.length; at += CELLS) db.run(INSERT_PLAIN, ...cells.slice(at, at + CELLS));
}

function publishOne(session: Session, message: NewMessage, now: number, plain: Plain): Published {
  const { db, sequence } = session;
  const { dedupe } = message;
  const holder = dedupe && db.get<[string]>(DEDUPE_HOLDER, dedupe.key, now);
  if (holder) return { id: holder[0], duplicate: true, deliveries: 0 };
  const receivers = session.catalog.receivers(message.event, message.to);
  const first = sequence.next();
  const id = sequence.idOf(first);
  if (dedupe && dedupe.until > now) db.run(DEDUPE_HOLD, dedupe.key, id, dedupe.until);
  let seq = first;
  for (const receiver of receivers) {
    if (seq === 0) seq = sequence.next();
    store(session, message, receiver.no, seq, seq === first ? null : first, now, plain);
    seq = 0;
  }
  if (receivers.length === 0) buryUnrouted(session, message, first, now);
  return { id, duplicate: false, deliveries: receivers.length };
}

/** @param first The number of the message's first delivery; null when it is this one. */
function store(
  session: Session,
  message: NewMessage,
  sub: number,
  seq: number,
  first: number | null,
  now: number,
  plain: Plain,
): void {
  const { db } = session;
  const { event, payload, headers, priority, due, key, expires } = message;
  const late = due > now;
  if (!late && first === null && key === undefined && expires === undefined && headers === undefined) {
    storePlain(session, plain, seq, sub, priority, now, due, event, payload);
    session.wakes.touch(sub);
    return;
  }
  let state: DeliveryState = late ? WAITING : READY;
  if (key !== undefined && db.get(KEY_IN_USE, sub, key)) state = BLOCKED;
  // prettier-ignore
  db.run(INSERT, seq, sub, state, priority, now, due, late ? due : null, expires ?? null, first, key ?? null, event, headers ?? null, payload);
  if (state === BLOCKED) return;
  if (late) session.due.add(due);
  session.wakes.touch(sub);
}
