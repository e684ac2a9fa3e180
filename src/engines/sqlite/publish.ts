import type { NewMessage, Published } from "../../engine.ts";
import { buryUnrouted } from "./bury.ts";
import type { CatalogEntry } from "./catalog.ts";
import type { Session } from "./session.ts";
import { BLOCKED, READY, type DeliveryState, WAITING } from "./states.ts";

const INSERT = `insert into delivery (seq, sub, state, priority, attempt, token, published, due, until, expires, message, key, event, headers, payload)
  values (?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const KEY_IN_USE = "select 1 from delivery where sub = ? and key = ? limit 1";
const DEDUPE_HOLDER = "select id from dedupe where key = ? and until > ?";
const DEDUPE_HOLD = `insert into dedupe (key, id, until) values (?, ?, ?)
  on conflict (key) do update set id = excluded.id, until = excluded.until`;

/** Stores all messages, each for all who get it. Inside of the turn's transaction. */
export function publishAll(session: Session, messages: readonly NewMessage[]): Published[] {
  const now = session.now();
  const published: Published[] = [];
  for (const message of messages) published.push(publishOne(session, message, now));
  return published;
}

function publishOne(session: Session, message: NewMessage, now: number): Published {
  const { db, sequence } = session;
  const { dedupe } = message;
  const holder = dedupe && db.get<[string]>(DEDUPE_HOLDER, dedupe.key, now);
  if (holder) return { id: holder[0], duplicate: true, deliveries: 0 };
  const receivers = session.catalog.receivers(message.event, message.to);
  const first = sequence.next();
  const id = sequence.idOf(first);
  if (dedupe && dedupe.until > now) db.run(DEDUPE_HOLD, dedupe.key, id, dedupe.until);
  receivers.forEach((receiver, at) => {
    if (at === 0) store(session, message, receiver, first, null, now);
    else store(session, message, receiver, sequence.next(), first, now);
  });
  if (receivers.length === 0) buryUnrouted(session, message, first, now);
  return { id, duplicate: false, deliveries: receivers.length };
}

/** @param first The number of the message's first delivery; null when it is this one. */
function store(
  session: Session,
  message: NewMessage,
  { no }: CatalogEntry,
  seq: number,
  first: number | null,
  now: number,
): void {
  const { db } = session;
  const { due, key } = message;
  const late = due > now;
  let state: DeliveryState = late ? WAITING : READY;
  if (key !== undefined && db.get(KEY_IN_USE, no, key)) state = BLOCKED;
  // prettier-ignore
  db.run(INSERT, seq, no, state, message.priority, now, due, late ? due : null, message.expires ?? null, first, key ?? null,
    message.event, message.headers ?? null, message.payload);
  if (state === BLOCKED) return;
  if (late) session.due.add(due);
  session.wakes.touch(no);
}
