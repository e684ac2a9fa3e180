import type { AttemptError, DeadReason, NewMessage } from "../../engine.ts";
import type { Session } from "./session.ts";

const BURY = `insert into dead_letter (seq, message, handler, event, attempt, priority, key, published, due, died, reason, headers, steps, errors, payload)
  select seq, message, ?, event, attempt, priority, key, published, due, ?, ?, headers, steps,
    case when ?4 is null then errors when errors is null then '[' || ?4 || ']' else substr(errors, 1, length(errors) - 1) || ',' || ?4 || ']' end,
    payload
  from delivery where seq = ?5`;
const BURY_UNROUTED = `insert into dead_letter (seq, handler, target, event, attempt, priority, key, published, due, died, reason, headers, payload)
  values (?, '', ?, ?, 0, ?, ?, ?, ?, ?, 'unrouted', ?, ?)`;

/** An unrouted message keeps so many numbers, one for each who may get it in a replay: then it comes in its old place to all of them. */
export const UNROUTED_ROOM = 64;

/** Copies a delivery to the dead letters; its own row is for the caller to remove. */
export function bury(
  session: Session,
  seq: number,
  handler: string,
  reason: DeadReason,
  error: AttemptError | undefined,
): void {
  session.db.run(BURY, handler, session.now(), reason, error ? JSON.stringify(error) : null, seq);
}

/** Puts a message that nobody is subscribed to among the dead letters. */
export function buryUnrouted(session: Session, message: NewMessage, seq: number, now: number): void {
  const { event, payload, headers, priority, due, key, to } = message;
  // prettier-ignore
  session.db.run(BURY_UNROUTED, seq, to ?? null, event, priority, key ?? null, now, due, now, headers ?? null, payload);
  session.sequence.reserve(seq, UNROUTED_ROOM);
}
