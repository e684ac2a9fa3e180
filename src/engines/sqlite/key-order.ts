import type { Session } from "./session.ts";
import { BLOCKED, type DeliveryState, READY, RUNNING, WAITING } from "./states.ts";

const FIRST_OF_KEY = "select seq, state, until from delivery where sub = ? and key = ? order by seq limit 1";
const ACTIVE_OF_KEY = `select seq, state from delivery where sub = ? and key = ? and state <> ${BLOCKED} order by seq limit 1`;
const SET_STATE = "update delivery set state = ? where seq = ?";

/*
 * Of the deliveries of one subscription and key, one is active (ready, waiting or running) and all others are blocked.
 * The active one keeps its place while it is retried or snoozed; when it is gone, the next in the order published follows.
 */

/** Makes the next delivery of a key active, after the active one is gone. */
export function activateNext(session: Session, subscription: number, key: string | null): void {
  if (key === null) return;
  const row = session.db.get<[number, number, number | null]>(FIRST_OF_KEY, subscription, key);
  if (row === undefined) return;
  const [seq, state, until] = row;
  if (state !== BLOCKED) return;
  const late = until !== null && until > session.now();
  session.db.run(SET_STATE, late ? WAITING : READY, seq);
  if (late) session.due.add(until);
  session.wakes.touch(subscription);
}

/**
 * The state of a delivery that comes back from the dead letters: it was published before those that wait behind its key,
 * so it goes before them; only a running one is not overtaken.
 */
export function stateOnReturn(
  session: Session,
  subscription: number,
  key: string | null,
  seq: number,
): DeliveryState {
  if (key === null) return READY;
  const row = session.db.get<[number, number]>(ACTIVE_OF_KEY, subscription, key);
  if (row === undefined) return READY;
  const [activeSeq, activeState] = row;
  if (activeState === RUNNING || activeSeq < seq) return BLOCKED;
  session.db.run(SET_STATE, BLOCKED, activeSeq);
  session.due.forget();
  return READY;
}
