import type { Session } from "./session.ts";
import { READY } from "./states.ts";

/** What is removed at a time, so that nobody waits for it. */
const BITE = 2_000;
/** By each instance; what has expired counts no more, removed or not. */
const EACH_MS = 20_000;
/** A lane that has been silent for so long has ended without a word. */
const LANE_LIFE_MS = 86_400_000;

const EXPIRED_DEDUPE = `delete from {s}.dedupe where key = any (array (select key from {s}.dedupe where until <= $1
  order by until limit ${BITE} for update skip locked))`;
const EXPIRED_LIMITERS = `with old as (delete from {s}.limiter where key = any (array (select key from {s}.limiter where until <= $1
  order by until limit ${BITE} for update skip locked)) returning key)
  delete from {s}.limiter_use where key in (select key from old)`;
const SILENT_LANES = "delete from {s}.lane where at <= $1";
/** Published in a transaction that ended after the subscription was removed. */
const WITHOUT_SUBSCRIPTION = `delete from {s}.delivery where seq = any (array (select d.seq from {s}.subscription b
  join {s}.delivery d on d.sub = b.no and d.state = ${READY} where not b.active limit ${BITE} for update of d skip locked))`;

/** Signals are for those who listen now; who is this late was not listening. */
const SIGNAL_LIFE_MS = 60_000;
const OLD_SIGNALS = "delete from {s}.signal where at <= $1";

const last = new WeakMap<Session, number>();

/** Removes some of what has expired, now and then. */
export async function tidy(session: Session): Promise<void> {
  const moment = performance.now();
  if (moment - (last.get(session) ?? 0) < EACH_MS) return;
  last.set(session, moment);
  const now = session.now();
  await session.call(EXPIRED_DEDUPE, now);
  await session.call(EXPIRED_LIMITERS, now);
  await session.call(SILENT_LANES, now - LANE_LIFE_MS);
  await session.call(OLD_SIGNALS, now - SIGNAL_LIFE_MS);
  await session.call(WITHOUT_SUBSCRIPTION);
}
