import type { Claim, Claims, Want } from "../../engine.ts";
import type { Cell } from "./database.ts";
import type { Session } from "./session.ts";
import { READY, RUNNING, WAITING } from "./states.ts";
import { MUST_WRITE } from "./turn.ts";

/** How many deliveries that have fallen due are made ready at a time. */
const PROMOTED_AT_ONCE = 1_000;
/** From so many wants on it is cheaper to ask first which subscriptions have anything at all. */
const MANY_WANTS = 8;

const PROMOTE = `update delivery set state = ${READY}
  where seq in (select seq from delivery where state = ${WAITING} and until <= ? order by until limit ?+0) returning sub`;
const NEXT_WITH_BACKLOG = "select sub from delivery where sub > ? order by sub limit 1";
const HAS_READY = `select 1 from delivery where state = ${READY} and sub = ? limit 1`;
const READ_READY = `select seq, event, payload, headers, attempt, priority, key, message, published, due, expires, steps, errors
  from delivery where state = ${READY} and sub = ? order by priority, seq limit ?+0`;
const TAKE = `update delivery set state = ${RUNNING}, owner = ?, token = ?, attempt = attempt + 1 where seq = ?`;
/**
 * One statement for many rows costs half of what one for each does. They are the first ready ones of their priority, so
 * that the last says which they are; a row's token is its number and what the claim adds to it.
 */
const TAKE_MANY = `update delivery set state = ${RUNNING}, owner = ?, token = ? + seq, attempt = attempt + 1
  where sub = ? and state = ${READY} and priority = ? and seq <= ?`;

type ReadyRow = [
  seq: number,
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
  steps: string | null,
  errors: string | null,
] &
  Cell[];

const SEQ = 0;
const PRIORITY = 5;

const NOTHING: readonly Claim[] = [];

/** Takes ready deliveries for this instance. Inside of the turn's transaction. */
export function claimAll(session: Session, wants: readonly Want[]): Claims {
  // Given up as dead: it gets nothing until its next beat has told it so.
  if (session.givenUp) return { claims: NOTHING, nextDue: undefined };
  promote(session);
  const claims: Claim[] = [];
  const backlog = wants.length < MANY_WANTS ? undefined : withBacklog(session);
  for (const want of wants) {
    const entry = session.catalog.named(want.handler);
    if (!entry || (backlog && !backlog.has(entry.no)) || want.limit <= 0) continue;
    const rows = session.db.all<ReadyRow>(READ_READY, entry.no, want.limit);
    for (const alike of byPriority(rows)) {
      const base = take(session, entry.no, alike);
      for (const row of alike) claims.push(toClaim(session, want.handler, base + row[SEQ], row));
    }
  }
  return { claims, nextDue: nextDue(session) };
}

/** The same for one who will probably find nothing: without the write lock, unless there is something to take. */
export function claimNothing(session: Session, wants: readonly Want[]): Claims | typeof MUST_WRITE {
  if (session.givenUp) return { claims: NOTHING, nextDue: undefined };
  if (session.due.next <= session.now()) return MUST_WRITE;
  const backlog = wants.length < MANY_WANTS ? undefined : withBacklog(session);
  for (const { handler } of wants) {
    const no = session.catalog.named(handler)?.no;
    if (no === undefined || (backlog && !backlog.has(no))) continue;
    if (session.db.get(HAS_READY, no)) return MUST_WRITE;
  }
  return { claims: NOTHING, nextDue: nextDue(session) };
}

/** Parts of the rows, in their order, that have one priority each. */
function byPriority(rows: readonly ReadyRow[]): readonly (readonly ReadyRow[])[] {
  if (rows.length === 0) return [];
  if (rows[0]?.[PRIORITY] === rows.at(-1)?.[PRIORITY]) return [rows];
  return [...Map.groupBy(rows, (row) => row[PRIORITY]).values()];
}

/** Marks the first ready rows of a priority as held by this instance; returns what makes fencing tokens of their numbers. */
function take({ db, instance, tokens }: Session, sub: number, rows: readonly ReadyRow[]): number {
  const [first, last] = [rows[0] as ReadyRow, rows.at(-1) as ReadyRow]; // a part is never empty
  const base = tokens.next(last[SEQ] - first[SEQ] + 1) - first[SEQ];
  if (rows.length === 1) db.run(TAKE, instance, base + first[SEQ], first[SEQ]);
  else db.run(TAKE_MANY, instance, base, sub, last[PRIORITY], last[SEQ]);
  return base;
}

/** Makes ready what has fallen due, for all subscriptions; the rest, if there is more, at the next claim. */
function promote(session: Session): void {
  const now = session.now();
  if (session.due.next > now) return;
  for (const [sub] of session.db.all<[number]>(PROMOTE, now, PROMOTED_AT_ONCE)) session.wakes.touch(sub);
  session.due.forget();
}

/** The subscriptions that have any delivery, at a cost that grows with their number only. */
function withBacklog({ db }: Session): ReadonlySet<number> {
  const found = new Set<number>();
  let row = db.get<[number]>(NEXT_WITH_BACKLOG, 0);
  for (; row; row = db.get<[number]>(NEXT_WITH_BACKLOG, row[0])) found.add(row[0]);
  return found;
}

function nextDue({ due }: Session): number | undefined {
  return due.next === Number.POSITIVE_INFINITY ? undefined : due.next;
}

function toClaim(session: Session, handler: string, token: number, row: ReadyRow): Claim {
  // prettier-ignore
  const [seq, event, payload, headers, attempt, priority, key, message, publishedAt, due, expires, steps, errors] = row;
  return {
    id: session.sequence.idOf(message ?? seq),
    handler,
    seq,
    token,
    event,
    payload,
    headers: headers ?? undefined,
    attempt: attempt + 1,
    priority,
    key: key ?? undefined,
    publishedAt,
    due,
    expires: expires ?? undefined,
    steps: steps ?? undefined,
    errors: errors ?? undefined,
  };
}
