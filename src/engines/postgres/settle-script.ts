import { MUST_BE_OPEN } from "./open.ts";
import { PLAN_BY_INDEX } from "./plan-by-index.ts";
import { READY, RUNNING, WAITING } from "./states.ts";

/** How an attempt ended, as the server is told. */
export const KINDS = { done: 0, retry: 1, snooze: 2, release: 3, dead: 4 } as const;

/** Puts one more element at the end of a JSON array; null stays what there is. */
const errorsWith = (errors: string, error: string): string =>
  `case when ${error} is null then ${errors} when ${errors} is null then '[' || ${error} || ']'
    else left(${errors}, -1) || ',' || ${error} || ']' end`;

/** Whether the instance holds it; "is true", so that it is found by its number, and not among all that the instance holds. */
const OWN = "(d.owner = p_me) is true";

/**
 * Ends attempts that did what they should; answers the places of those that were still held. The next of their keys is
 * activated.
 */
export const SETTLE_DONE = `create function {s}.settle_done_1(p_me int, p_now bigint, p_seqs bigint[], p_tokens bigint[],
  out o_settled bigint[], out o_touched int[]) language plpgsql ${PLAN_BY_INDEX} as $$
declare v_subs int[]; v_keys text[]; v_seal text;
begin
  ${MUST_BE_OPEN}
  with gone as (delete from {s}.delivery d using unnest(p_seqs, p_tokens) with ordinality s(seq, token, ord)
    where d.seq = s.seq and d.token = s.token and ${OWN} and d.state = ${RUNNING} returning s.ord, d.sub, d.key)
  select array_agg(ord), array_agg(sub) filter (where key is not null), array_agg(key) filter (where key is not null)
    into o_settled, v_subs, v_keys from gone;
  if v_keys is null then return; end if;
  perform {s}.lock_keys_1(v_subs, v_keys);
  o_touched := {s}.activate_next_1(v_subs, v_keys, p_now);
  perform {s}.tell_others_1(p_me, o_touched);
end $$`;

/** Ends attempts in any way. What goes back to a subscription that was removed meanwhile goes for good. */
export const SETTLE = `create function {s}.settle_1(p_me int, p_now bigint, p_seqs bigint[], p_tokens bigint[], p_kinds int[],
  p_ats bigint[], p_reasons text[], p_errors text[], out o_settled bigint[], out o_touched int[])
language plpgsql ${PLAN_BY_INDEX} as $$
declare v_subs int[]; v_keys text[]; v_back bigint[]; v_gone bigint[]; v_seal text;
begin
  ${MUST_BE_OPEN}
  with gone as (delete from {s}.delivery d
      using unnest(p_seqs, p_tokens, p_kinds, p_reasons, p_errors) with ordinality s(seq, token, kind, reason, error, ord)
    where d.seq = s.seq and d.token = s.token and ${OWN} and d.state = ${RUNNING}
      and (s.kind in (${KINDS.done}, ${KINDS.dead}) or not (select b.active from {s}.subscription b where b.no = d.sub))
    returning d.*, s.kind, s.reason, s.error, s.ord),
  buried as (insert into {s}.dead_letter (seq, message, handler, event, attempt, priority, key, published, due, died, reason, headers, steps, errors, payload)
    select g.seq, g.message, (select b.handler from {s}.subscription b where b.no = g.sub), g.event, g.attempt, g.priority, g.key,
      g.published, g.due, p_now, g.reason, g.headers, g.steps, ${errorsWith("g.errors", "g.error")}, g.payload
    from gone g where g.kind = ${KINDS.dead} order by g.ord)
  select array_agg(ord), array_agg(sub) filter (where key is not null), array_agg(key) filter (where key is not null)
    into v_gone, v_subs, v_keys from gone;
  with back as (update {s}.delivery d
      set state = case when s.at > p_now then ${WAITING} else ${READY} end, until = coalesce(s.at, d.until), owner = null,
        attempt = d.attempt - (s.kind <> ${KINDS.retry})::int, errors = ${errorsWith("d.errors", "s.error")}
      from unnest(p_seqs, p_tokens, p_kinds, p_ats, p_errors) with ordinality s(seq, token, kind, at, error, ord)
    where d.seq = s.seq and d.token = s.token and ${OWN} and d.state = ${RUNNING}
      and s.kind in (${KINDS.retry}, ${KINDS.snooze}, ${KINDS.release})
    returning s.ord, d.sub)
  select array_agg(ord), array_agg(distinct sub) into v_back, o_touched from back;
  if v_keys is not null then
    perform {s}.lock_keys_1(v_subs, v_keys);
    o_touched := o_touched || {s}.activate_next_1(v_subs, v_keys, p_now);
  end if;
  o_settled := v_gone || v_back;
  perform {s}.tell_others_1(p_me, o_touched);
end $$`;

/**
 * Makes running deliveries claimable again, or removes them where their subscription was removed; answers how many.
 * p_spent: 0 where the attempt counts, 1 where it does not.
 */
export const GIVE_BACK = `create function {s}.give_back_1(p_me int, p_now bigint, p_owners int[], p_tokens bigint[], p_spent int,
  out o_count int, out o_touched int[]) language plpgsql ${PLAN_BY_INDEX} as $$
declare v_seqs bigint[]; v_subs int[]; v_keys text[];
begin
  select array_agg(seq) into v_seqs from (select d.seq from {s}.delivery d
    where d.state = ${RUNNING} and d.owner = any (p_owners) and (p_tokens is null or d.token = any (p_tokens))
    order by d.seq for update skip locked) held;
  o_count := coalesce(cardinality(v_seqs), 0);
  if o_count = 0 then return; end if;
  with gone as (delete from {s}.delivery d where d.seq = any (v_seqs)
    and not (select b.active from {s}.subscription b where b.no = d.sub) returning d.sub, d.key)
  select array_agg(sub), array_agg(key) into v_subs, v_keys from gone where key is not null;
  with back as (update {s}.delivery d set state = ${READY}, owner = null, attempt = d.attempt - p_spent
    where d.seq = any (v_seqs) returning d.sub)
  select array_agg(distinct sub) into o_touched from back;
  if v_keys is not null then
    perform {s}.lock_keys_1(v_subs, v_keys);
    perform {s}.activate_next_1(v_subs, v_keys, p_now);
  end if;
  perform {s}.tell_others_1(p_me, o_touched);
end $$`;
