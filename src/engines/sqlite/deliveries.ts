import type { DeliveryFilter, DeliveryInfo } from "../../engine.ts";
import type { Cell } from "./database.ts";
import type { Session } from "./session.ts";
import { removeDelivery } from "./settle.ts";
import { BLOCKED, READY, RUNNING, WAITING } from "./states.ts";

const DEFAULT_LIMIT = 100;

const COLUMNS = `d.seq, d.sub, d.state, d.event, d.payload, d.headers, d.attempt, d.priority, d.key, d.message, d.published,
  coalesce(d.until, d.due), d.expires, i.id, d.steps, d.errors`;
const FIND = `select ${COLUMNS} from delivery d left join instance i on i.no = d.owner where d.seq = ?1 and d.message is null
  union all select ${COLUMNS} from delivery d left join instance i on i.no = d.owner where d.message = ?1 order by 1`;
const STATE = `case when d.state = ${RUNNING} then 'running' when d.state = ${READY} or d.state = ${WAITING} and d.until <= ?1 then 'ready' else 'waiting' end`;
/** By name, since one of a subscription that was removed may still run. */
const MATCHING = `(?2 is null or d.sub = (select no from subscription where handler = ?2)) and (?3 is null or d.event = ?3) and (?4 is null or ${STATE} = ?4) order by d.seq limit ?5+0`;
/** In the order of the rows, so that it ends as soon as there are enough. */
const LIST = `select ${COLUMNS} from delivery d not indexed left join instance i on i.no = d.owner where ${MATCHING}`;
/** There are few running ones, wherever they are. */
const LIST_RUNNING = `select ${COLUMNS} from delivery d left join instance i on i.no = d.owner where d.sub in (select no from subscription) and d.state = ${RUNNING} and ${MATCHING}`;
/** Asked first: each tick of a timer asks whether the one before is still there, and mostly nothing is. */
const ANY_OF_HANDLER =
  "select 1 from delivery where sub = (select no from subscription where handler = ?) limit 1";
const WAITING_OF_MESSAGE = `select seq, sub, case when state = ${BLOCKED} then null else key end from delivery
  where (seq = ?1 and message is null or message = ?1) and state <> ${RUNNING} and (?2 is null or sub = ?2) order by seq`;

type InfoRow = [
  seq: number,
  sub: number,
  state: number,
  event: string,
  payload: string,
  headers: string | null,
  attempt: number,
  priority: number,
  key: string | null,
  message: number | null,
  published: number,
  due: number,
  expires: number | null,
  holder: string | null,
  steps: string | null,
  errors: string | null,
] &
  Cell[];

/** The deliveries of a message that are waiting or running. */
export function findDeliveries(session: Session, id: string): DeliveryInfo[] {
  const first = session.sequence.seqOf(id);
  if (first === undefined) return [];
  return session.db.all<InfoRow>(FIND, first).map((row) => toInfo(session, row));
}

/** Deliveries that are waiting or running, oldest first. */
export function listDeliveries(
  session: Session,
  { handler, event, state, limit = DEFAULT_LIMIT }: DeliveryFilter,
): DeliveryInfo[] {
  if (handler !== undefined && session.db.all(ANY_OF_HANDLER, handler).length === 0) return [];
  return session.db
    .all<InfoRow>(
      state === "running" ? LIST_RUNNING : LIST,
      session.now(),
      handler ?? null,
      event ?? null,
      state ?? null,
      rowLimit(limit),
    )
    .map((row) => toInfo(session, row));
}

/** Removes the deliveries of a message that do not run yet; answers how many. */
export function cancelWaiting(session: Session, id: string, handler: string | undefined): number {
  const first = session.sequence.seqOf(id);
  const sub = handler === undefined ? null : session.catalog.named(handler)?.no;
  if (first === undefined || sub === undefined) return 0;
  // Without the key of one that is blocked: when it goes, it is nobody else's turn.
  const waiting = session.db.all<[number, number, string | null]>(WAITING_OF_MESSAGE, first, sub);
  for (const [seq, subscription, key] of waiting) removeDelivery(session, seq, subscription, key);
  if (waiting.length > 0) session.due.forget();
  return waiting.length;
}

/** A limit as SQLite takes it: whole, and not infinite. */
export function rowLimit(limit: number): number {
  return Math.max(0, Math.min(Math.floor(limit), Number.MAX_SAFE_INTEGER));
}

function toInfo(session: Session, row: InfoRow): DeliveryInfo {
  // prettier-ignore
  const [seq, sub, state, event, payload, headers, attempt, priority, key, message, publishedAt, due, expires, holder, steps, errors] = row;
  return {
    id: session.sequence.idOf(message ?? seq),
    handler: session.catalog.numbered(sub).handler,
    event,
    state: stateOf(state, due, session.now()),
    payload,
    headers: headers ?? undefined,
    attempt,
    priority,
    key: key ?? undefined,
    publishedAt,
    due,
    expires: expires ?? undefined,
    holder: holder ?? undefined,
    steps: steps ?? undefined,
    errors: errors ?? undefined,
  };
}

function stateOf(state: number, due: number, now: number): DeliveryInfo["state"] {
  if (state === RUNNING) return "running";
  // One that has fallen due is made ready by the next claim.
  return state === READY || (state === WAITING && due <= now) ? "ready" : "waiting";
}
