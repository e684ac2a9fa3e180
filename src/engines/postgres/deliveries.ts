import type { DeliveryFilter, DeliveryInfo } from "../../engine.ts";
import { rowLimit } from "./dead-letters.ts";
import { PLAN_BY_INDEX } from "./plan-by-index.ts";
import type { Session } from "./session.ts";
import { numberOr, numbersOf, type Row, withNul } from "./statement.ts";
import { BLOCKED, READY, RUNNING, WAITING } from "./states.ts";

const DEFAULT_LIMIT = 100;

const STATE = `case when d.state = ${RUNNING} then 'running'
  when d.state = ${READY} or d.state = ${WAITING} and d.until <= $1 then 'ready' else 'waiting' end`;
const COLUMNS = `d.seq, b.handler, ${STATE}, d.event, d.payload, d.headers, d.attempt, d.priority, d.key, d.message, d.published,
  coalesce(d.until, d.due), d.expires, i.id, d.steps, d.errors`;
const TABLES = `from {s}.delivery d join {s}.subscription b on b.no = d.sub left join {s}.instance i on i.no = d.owner`;
const FIND = `select ${COLUMNS} ${TABLES} where d.seq = $2 and d.message is null or d.message = $2 order by d.seq`;
/** By name, since one of a subscription that was removed may still run. */
const MATCHING = `($2::text is null or b.handler = $2) and ($3::text is null or d.event = $3) and ($4::text is null or ${STATE} = $4)`;
const LIST = `select ${COLUMNS} ${TABLES} where ${MATCHING} order by d.seq limit $5`;
/** There are few running ones, wherever they are. */
const LIST_RUNNING = `select ${COLUMNS} ${TABLES} where d.state = ${RUNNING} and ${MATCHING} order by d.seq limit $5`;
/** Asked first: each tick of a timer asks whether the one before is still there, and mostly nothing is. */
const ANY_OF_HANDLER = "select {s}.has_any_1($1)";
const CANCEL = "select o_count, o_touched from {s}.cancel_1($1, $2, $3, $4)";

/** Whether a handler has any delivery, found by the indexes of the states. */
export const HAS_ANY = `create function {s}.has_any_1(p_handler text) returns boolean language plpgsql ${PLAN_BY_INDEX} as $$
declare v_sub int;
begin
  select b.no into v_sub from {s}.subscription b where b.handler = p_handler;
  return exists (select from {s}.delivery d where d.sub = v_sub and d.state = ${READY})
    or exists (select from {s}.delivery d where d.sub = v_sub and d.state = ${RUNNING})
    or exists (select from {s}.delivery d where d.sub = v_sub and d.state = ${WAITING})
    or exists (select from {s}.delivery d where d.sub = v_sub and d.state = ${BLOCKED} and d.key is not null);
end $$`;

/** Removes the deliveries of a message that do not run; when a blocked one goes, it is nobody else's turn. */
export const CANCEL_SCRIPT = `create function {s}.cancel_1(p_me int, p_now bigint, p_seq bigint, p_handler text,
  out o_count int, out o_touched int[]) language plpgsql ${PLAN_BY_INDEX} as $$
declare v_seqs bigint[]; v_subs int[]; v_keys text[];
begin
  select array_agg(d.seq), array_agg(d.sub), array_agg(d.key) into v_seqs, v_subs, v_keys from (
    select d.* from {s}.delivery d where d.seq = p_seq and d.message is null
    union all select d.* from {s}.delivery d where d.message = p_seq) d
    where p_handler is null or d.sub = (select b.no from {s}.subscription b where b.handler = p_handler and b.active);
  perform {s}.lock_keys_1(v_subs, v_keys);
  with gone as (delete from {s}.delivery d where d.seq = any (v_seqs) and d.state <> ${RUNNING} returning d.sub, d.key)
  select count(*), array_agg(sub), array_agg(key) into o_count, v_subs, v_keys from gone;
  o_touched := {s}.activate_next_1(v_subs, v_keys, p_now);
  perform {s}.tell_others_1(p_me, o_touched);
end $$`;

/** The deliveries of a message that are waiting or running. */
export async function findDeliveries(session: Session, id: string): Promise<readonly DeliveryInfo[]> {
  const first = await session.seqOf(id);
  if (first === undefined) return [];
  const rows = await session.call(FIND, session.now(), first);
  return await session.named(rows.map((row) => toInfo(session, row)));
}

/** Deliveries that are waiting or running, oldest first. */
export async function listDeliveries(
  session: Session,
  { handler, event, state, limit = DEFAULT_LIMIT }: DeliveryFilter,
): Promise<readonly DeliveryInfo[]> {
  if (handler !== undefined && (await session.call(ANY_OF_HANDLER, handler))[0]?.[0] !== "t") return [];
  const list = state === "running" ? LIST_RUNNING : LIST;
  const rows = await session.readSlowly(list, session.now(), handler, event, state, rowLimit(limit));
  return await session.named(rows.map((row) => toInfo(session, row)));
}

/** Removes the deliveries of a message that do not run yet; answers how many. */
export async function cancelWaiting(
  session: Session,
  id: string,
  handler: string | undefined,
): Promise<number> {
  const first = await session.seqOf(id);
  if (first === undefined) return 0;
  const [row] = await session.change(CANCEL, session.instance, session.now(), first, handler);
  session.wakes.touch(numbersOf(row?.[1]));
  return Number(row?.[0]);
}

function toInfo(session: Session, row: Row): DeliveryInfo {
  // prettier-ignore
  const [seq, handler, state, event, payload, headers, attempt, priority, key, message, published, due, expires, holder, steps, errors] = row;
  return {
    id: session.ownIdOf(Number(message ?? seq)),
    handler: handler ?? "",
    event: event ?? "",
    state: state as DeliveryInfo["state"], // one of the words of STATE
    payload: payload ?? "",
    headers: headers ?? undefined,
    attempt: Number(attempt),
    priority: Number(priority),
    key: key === null || key === undefined ? undefined : withNul(key),
    publishedAt: Number(published),
    due: Number(due),
    expires: numberOr(expires),
    holder: holder ?? undefined,
    steps: steps ?? undefined,
    errors: errors ?? undefined,
  };
}
