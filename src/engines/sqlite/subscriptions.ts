import type { SubscriptionInfo } from "../../engine.ts";
import type { Session } from "./session.ts";
import { BLOCKED, READY, RUNNING, WAITING } from "./states.ts";

/** Answered from an index alone. */
const COUNT = "select sub, state, count(*) from delivery group by sub, state";
const COUNT_DUE = `select sub, count(*), min(published) from delivery where state = ${WAITING} and until <= ? group by sub`;
const COUNT_DEAD = "select count(*) from dead_letter where handler = ?";
const OLDEST_OF_NEXT_PRIORITY = `select priority, published from delivery where state = ${READY} and sub = ? and priority > ? order by priority, seq limit 1`;
const HIGHEST_WAITING = `select max(seq) from delivery where sub = ? and state <> ${RUNNING}`;
const DELETE_WAITING = `delete from delivery where sub = ? and state <> ${RUNNING}`;

/** Removes a subscription and what waits for it; false when there is none. */
export function unsubscribe(session: Session, handler: string): boolean {
  const entry = session.catalog.named(handler);
  if (!entry) return false;
  const [highest] = session.db.get<[number | null]>(HIGHEST_WAITING, entry.no) ?? [null];
  if (highest !== null) session.sequence.retire(highest);
  session.db.run(DELETE_WAITING, entry.no);
  session.due.forget();
  session.catalog.remove(entry);
  return true;
}

/** All subscriptions, with what waits for them. */
export function describeSubscriptions(session: Session): SubscriptionInfo[] {
  const counts = new Map<number, number[]>();
  const countsOf = (sub: number): number[] => {
    const known = counts.get(sub);
    if (known) return known;
    const fresh = [0, 0, 0, 0];
    counts.set(sub, fresh);
    return fresh;
  };
  for (const [sub, state, count] of session.db.all<[number, number, number]>(COUNT))
    countsOf(sub)[state] = count;
  const oldestDue = new Map<number, number>();
  for (const [sub, count, oldest] of session.db.all<[number, number, number]>(COUNT_DUE, session.now())) {
    // Fallen due since the last claim.
    oldestDue.set(sub, oldest);
    const of = countsOf(sub);
    of[WAITING] = (of[WAITING] ?? 0) - count;
    of[READY] = (of[READY] ?? 0) + count;
  }
  return Array.from(session.catalog.active(), ({ no, handler, topic }) => {
    const of = countsOf(no);
    return {
      handler,
      topic,
      ready: of[READY] ?? 0,
      waiting: (of[WAITING] ?? 0) + (of[BLOCKED] ?? 0),
      running: of[RUNNING] ?? 0,
      dead: session.db.get<[number]>(COUNT_DEAD, handler)?.[0] ?? 0,
      oldest: oldestReady(session, no, oldestDue.get(no)),
    };
  });
}

/** Of each priority the oldest is the first in the index, so it takes one look for each. */
function oldestReady({ db }: Session, sub: number, due: number | undefined): number | undefined {
  let oldest = due;
  let after = Number.NEGATIVE_INFINITY;
  for (;;) {
    const row = db.get<[number, number]>(OLDEST_OF_NEXT_PRIORITY, sub, after);
    if (!row) return oldest;
    if (oldest === undefined || row[1] < oldest) oldest = row[1];
    after = row[0];
  }
}
