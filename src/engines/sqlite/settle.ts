import type { ClaimRef, Settlement } from "../../engine.ts";
import { bury } from "./bury.ts";
import { activateNext } from "./key-order.ts";
import type { Session } from "./session.ts";
import { READY, WAITING } from "./states.ts";

/** The common case: it has no key, so nothing else depends on it. */
const DELETE_DONE = "delete from delivery where seq = ? and token = ? and owner = ? and key is null";
/** The same for some that were claimed together, whose tokens lie equally far from their numbers; it costs a third less. */
const DELETE_DONE_MANY =
  "delete from delivery where seq in (select value from json_each(?)) and token = ? + seq and owner = ? and key is null";
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

/** From so many on it is cheaper to remove them together. */
const MANY = 8;

/** Ends attempts; false for those that were not their holder's to end any more. Inside of the turn's transaction. */
export function settleAll(session: Session, settlements: readonly Settlement[]): boolean[] {
  const settled: boolean[] = [];
  while (settled.length < settlements.length) {
    const left = settlements.slice(settled.length);
    const others = left.findIndex((settlement) => !isDoneLike(settlement, left[0]));
    const alike = others < 0 ? left : left.slice(0, Math.max(others, 1));
    const together = alike.length >= MANY && deleteTogether(session, alike);
    for (const settlement of alike) settled.push(together || settleOne(session, settlement));
  }
  return settled;
}

/** Whether both can be removed by one statement: done, without a key, and with a token as far from their number. */
function isDoneLike({ kind, claim }: Settlement, first: Settlement | undefined): boolean {
  return kind === "done" && claim.key === undefined && baseOf(claim) === (first && baseOf(first.claim));
}

function baseOf({ token, seq }: ClaimRef): number {
  return Number(token) - Number(seq);
}

/** All, or, when one of them is not held any more, none. */
function deleteTogether({ db, sequence, instance }: Session, done: readonly Settlement[]): boolean {
  const seqs = done.map(({ claim }) => Number(claim.seq));
  const base = done[0] ? baseOf(done[0].claim) : 0;
  sequence.retire(Math.max(...seqs));
  db.run("savepoint together");
  const whole = db.run(DELETE_DONE_MANY, JSON.stringify(seqs), base, instance) === done.length;
  if (!whole) db.run("rollback to together");
  db.run("release together");
  return whole;
}

/** Ends an attempt; false when it was not its holder's to end any more. Inside of the turn's transaction. */
function settleOne(session: Session, settlement: Settlement): boolean {
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
