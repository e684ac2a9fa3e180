import type { Session } from "./session.ts";

/** What is removed at a time, so that the event loop is not held up. */
const BITE = 500;
/** Signals are for those who listen now; who is this late was not listening. */
const SIGNAL_LIFE_MS = 60_000;

const EXPIRED_DEDUPE =
  "delete from dedupe where key in (select key from dedupe where until <= ? order by until limit ?+0)";
const EXPIRED_LIMITERS = "select key from limiter where until <= ? order by until limit ?+0";
const DELETE_USES = "delete from limiter_use where key = ?";
const DELETE_LIMITER = "delete from limiter where key = ?";
const OLD_SIGNALS =
  "delete from signal where id in (select id from signal where at <= ? order by id limit ?+0)";

/** Removes some of what has expired. */
export function tidy({ db, clock }: Session): void {
  const now = clock.now();
  db.run(EXPIRED_DEDUPE, now, BITE);
  db.run(OLD_SIGNALS, now - SIGNAL_LIFE_MS, BITE);
  for (const [key] of db.all<[string]>(EXPIRED_LIMITERS, now, BITE)) {
    db.run(DELETE_USES, key);
    db.run(DELETE_LIMITER, key);
  }
}
