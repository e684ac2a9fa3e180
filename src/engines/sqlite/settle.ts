import type { ClaimRef, Settlement } from "../../engine.ts";
import { bury } from "./bury.ts";
import { activateNext } from "./key-order.ts";
import type { Session } from "./session.ts";
import { READY, WAITING } from "./states.ts";

/** The common case: it has no key, so nothing else depends on it. */
const DELETE_DONE = "delete from delivery where seq = ? and token = ? and owner = ? and key is null";
const READ_HELD = "select sub, key from delivery where seq = ? and token = ? and owner = ?";
const DELETE = "delete from delivery where seq = ?";
const RETRY = `update delivery set state = ?, until = ?, owner = null,
  errors = case when errors is null then '[' || ?3 || ']' else substr(errors, 1, length(errors) - 1) || ',' || ?3 || ']' end
  where seq = ?4`;
const PUT_BACK =
  "update delivery set state = ?, until = coalesce(?, until), owner = null, attempt = attempt - 1 where seq = ?";
const SAVE_STEP = `update delivery set
  steps = case when steps is null then '{' || ?1 || '}' else substr(steps, 1, length(steps) - 1) || ',' || ?1 || '}' end
  where seq = ?2 and token = ?3 and owner = ?4`;

/** Ends an attempt; false when it was not its holder's to end any more. Inside of the turn's transaction. */
export function settleOne(session: Session, settlement: Settlement): boolean {
  const { db } = session;
  const { claim } = settlement;
  const seq = Number(claim.seq);
  const token = Number(claim.token);
  if (settlement.kind === "done" && db.run(DELETE_DONE, seq, token, session.instance) === 1) {
    session.sequence.retire(seq);
    return true;
  }
  const held = db.get<[number, string | null]>(READ_HELD, seq, token, session.instance);
  if (!held) return false;
  const [sub, key] = held;
  if (settlement.kind === "dead")
    bury(session, seq, session.catalog.numbered(sub).handler, settlement.reason, settlement.error);
  if (settlement.kind === "done" || settlement.kind === "dead") {
    removeDelivery(session, seq, sub, key);
  } else if (session.catalog.numbered(sub).active) {
    putBack(session, settlement, seq, sub);
  } else {
    // Its subscription was removed while it ran, and its waiting deliveries with it.
    removeDelivery(session, seq, sub, key);
  }
  return true;
}

/** Stores a step's result; stored again, it comes later in the text, and the last one counts. */
export function saveStep(session: Session, { seq, token }: ClaimRef, name: string, result: string): boolean {
  const step = `${JSON.stringify(name)}:${result}`;
  return session.db.run(SAVE_STEP, step, Number(seq), Number(token), session.instance) === 1;
}

/** Removes a delivery for good, and makes the next of its key active. */
export function removeDelivery(
  session: Session,
  seq: number,
  subscription: number,
  key: string | null,
): void {
  session.sequence.retire(seq);
  session.db.run(DELETE, seq);
  activateNext(session, subscription, key);
}

/** Makes a running delivery claimable again; it stays the active one of its key. */
function putBack(
  session: Session,
  settlement: Extract<Settlement, { kind: "retry" | "snooze" | "release" }>,
  seq: number,
  subscription: number,
): void {
  const at = settlement.kind === "release" ? null : settlement.at;
  const late = at !== null && at > session.now();
  const state = late ? WAITING : READY;
  if (settlement.kind === "retry") {
    session.db.run(RETRY, state, settlement.at, JSON.stringify(settlement.error), seq);
  } else {
    session.db.run(PUT_BACK, state, at, seq);
  }
  if (late) session.due.add(at);
  session.wakes.touch(subscription);
}
