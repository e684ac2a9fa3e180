import { BLOCK, numberAt } from "./blocks.ts";
import { HASH_OF_KEY } from "./key-order.ts";
import { PLAN_BY_INDEX } from "./plan-by-index.ts";
import { BLOCKED, READY, WAITING } from "./states.ts";

/*
 * What publishing does on the server. The client sends one array for each column, with one element for each delivery; the
 * server gives the numbers, so that whatever is published after something else has the greater number.
 */

const NEXT_BLOCKS = `select nextval('{s}.delivery_seq') from generate_series(1, (p_count - 1) / ${BLOCK} + 1)`;

/**
 * Gives the numbers of one publish, and notes them in the lane it came through: what comes again, because the connection
 * broke before the answer, gets the same numbers, and what comes late, after it came again, is refused.
 * A lane that is null notes nothing: the caller's own transaction says what counts.
 */
export const NUMBER = `create function {s}.number_1(p_lane uuid, p_batch bigint, p_now bigint, p_count int,
  out o_blocks bigint[], out o_again boolean) language plpgsql ${PLAN_BY_INDEX} as $$
declare v_batch bigint;
begin
  o_again := false;
  if p_lane is null then
    o_blocks := array(${NEXT_BLOCKS});
    return;
  end if;
  update {s}.lane l set batch = p_batch, blocks = array(${NEXT_BLOCKS}), at = p_now
    where l.id = p_lane and l.batch < p_batch returning l.blocks into o_blocks;
  if found then return; end if;
  insert into {s}.lane as l (id, batch, blocks, at) values (p_lane, p_batch, array(${NEXT_BLOCKS}), p_now)
    on conflict (id) do nothing returning l.blocks into o_blocks;
  if found then return; end if;
  select l.batch, l.blocks into v_batch, o_blocks from {s}.lane l where l.id = p_lane;
  if v_batch <> p_batch then raise exception 'a later publish of this lane came before'; end if;
  o_again := true;
end $$`;

/** What comes again, or after the subscriptions have changed, is not stored. */
const BEGIN_PLAIN = `declare v_blocks bigint[]; v_again boolean;
begin
  if p_catalog <> (select m.catalog from {s}.meta m) then return null; end if;
  select n.o_blocks, n.o_again into v_blocks, v_again from {s}.number_1(p_lane, p_batch, p_now, p_count) n;
  if v_again then return v_blocks; end if;`;

/** Plain messages of one event and one priority, which one subscription gets: most are published like that. Payloads are lines. */
export const PUBLISH_ALIKE = `create function {s}.publish_alike_1(p_lane uuid, p_batch bigint, p_me int, p_catalog bigint, p_now bigint, p_count int,
  p_sub int, p_priority bigint, p_event text, p_dues bigint[], p_payloads text) returns bigint[]
language plpgsql ${PLAN_BY_INDEX} as $$
${BEGIN_PLAIN}
  insert into {s}.delivery (seq, published, due, token, priority, sub, attempt, state, event, payload)
    select ${numberAt("ord")}, p_now, p_dues[ord], 0, p_priority, p_sub, 0, ${READY}, p_event, payload
    from unnest(string_to_array(p_payloads, e'\\n')) with ordinality r(payload, ord);
  perform {s}.tell_others_1(p_me, array[p_sub]);
  return v_blocks;
end $$`;

/** Messages without key, dedupe, delay, end or headers, all of which somebody gets. */
export const PUBLISH_PLAIN = `create function {s}.publish_plain_1(p_lane uuid, p_batch bigint, p_me int, p_catalog bigint, p_now bigint, p_count int,
  p_subs int[], p_firsts int[], p_priorities bigint[], p_dues bigint[], p_events text[], p_payloads text[]) returns bigint[]
language plpgsql ${PLAN_BY_INDEX} as $$
${BEGIN_PLAIN}
  insert into {s}.delivery (seq, published, due, message, token, priority, sub, attempt, state, event, payload)
    select ${numberAt("ord")}, p_now, due, case when ord <> first then ${numberAt("first")} end, 0, priority, sub, 0, ${READY}, event, payload
    from unnest(p_subs, p_firsts, p_priorities, p_dues, p_events, p_payloads) with ordinality
      r(sub, first, priority, due, event, payload, ord);
  perform {s}.tell_others_1(p_me, p_subs);
  return v_blocks;
end $$`;

/**
 * All others. A row without a subscription is a message nobody gets: it goes to the dead letters. Answers the blocks, and
 * behind them for each message the number of the one that holds its dedupe key: another's means that nothing was stored of it.
 *
 * In a transaction of the caller's (p_open) no key is locked, since that may stay open for long: what has a key is stored
 * as blocked, and activated by whoever claims next.
 */
export const PUBLISH = `create function {s}.publish_1(p_lane uuid, p_batch bigint, p_me int, p_catalog bigint, p_now bigint, p_count int,
  p_open boolean, p_subs int[], p_places int[], p_messages int[], p_priorities bigint[], p_dues bigint[], p_expires bigint[],
  p_events text[], p_targets text[], p_keys text[], p_headers text[], p_payloads text[],
  p_firsts int[], p_dedupes text[], p_untils bigint[]) returns bigint[]
language plpgsql ${PLAN_BY_INDEX} as $$
declare v_blocks bigint[]; v_seqs bigint[]; v_holders bigint[]; v_again boolean;
begin
  if p_catalog <> (select m.catalog from {s}.meta m) then return null; end if;
  select n.o_blocks, n.o_again into v_blocks, v_again from {s}.number_1(p_lane, p_batch, p_now, p_count) n;
  select array_agg(${numberAt("place")} order by place) into v_seqs from generate_series(1, p_count) place;
  if p_dedupes is not null then
    if not v_again then
      insert into {s}.dedupe as d (key, seq, until)
        select distinct on (w.key) w.key, v_seqs[p_firsts[w.ord]], w.until
        from unnest(p_dedupes, p_untils) with ordinality w(key, until, ord)
        where w.key is not null and w.until > p_now order by w.key, w.ord
        on conflict (key) do update set seq = excluded.seq, until = excluded.until where d.until <= p_now;
    end if;
    -- One that stands behind it in the same call is no holder for it.
    select array_agg(case when d.seq <= v_seqs[p_firsts[w.ord]] or d.seq <> all (v_seqs) then d.seq end order by w.ord) into v_holders
      from unnest(p_dedupes) with ordinality w(key, ord) left join {s}.dedupe d on d.key = w.key and d.until > p_now;
  end if;
  if v_again then return v_blocks || v_holders; end if;
  if not p_open then perform {s}.lock_keys_1(p_subs, p_keys); end if;
  insert into {s}.delivery (seq, published, due, until, expires, message, token, priority, sub, attempt, state, event, key, headers, payload)
    select v_seqs[place], p_now, due, case when due > p_now then due end, expires,
      case when place <> p_firsts[message] then v_seqs[p_firsts[message]] end, 0, priority, sub, 0,
      case when key is not null and (p_open or row_number() over (partition by sub, key order by place) > 1
        or exists (select from {s}.delivery d where d.sub = r.sub and hashtextextended(d.key, 0) = hashtextextended(r.key, 0)
          and d.key = r.key and d.key is not null and d.state <> ${BLOCKED})
        or exists (select from {s}.delivery d where d.sub = r.sub and hashtextextended(d.key, 0) = hashtextextended(r.key, 0)
          and d.key = r.key and d.key is not null and d.state = ${BLOCKED})) then ${BLOCKED}
        when due > p_now then ${WAITING} else ${READY} end,
      event, key, headers, payload
    from unnest(p_subs, p_places, p_messages, p_priorities, p_dues, p_expires, p_events, p_keys, p_headers, p_payloads)
      r(sub, place, message, priority, due, expires, event, key, headers, payload)
    where sub is not null and coalesce(v_holders[message], v_seqs[p_firsts[message]]) = v_seqs[p_firsts[message]];
  if p_open then
    insert into {s}.pending_key (sub, key)
      select distinct sub, key from unnest(p_subs, p_keys) r(sub, key) where sub is not null and key is not null;
  end if;
  insert into {s}.dead_letter (seq, published, due, died, priority, attempt, handler, target, event, key, reason, headers, payload)
    select v_seqs[place], p_now, due, p_now, priority, 0, '', target, event, key, 'unrouted', headers, payload
    from unnest(p_subs, p_places, p_messages, p_priorities, p_dues, p_events, p_targets, p_keys, p_headers, p_payloads)
      r(sub, place, message, priority, due, event, target, key, headers, payload)
    where sub is null and coalesce(v_holders[message], v_seqs[p_firsts[message]]) = v_seqs[p_firsts[message]] order by place;
  perform {s}.tell_others_1(p_me, array_remove(p_subs, null));
  return v_blocks || v_holders;
end $$`;

/** Of a publish that is a part of something: what is not stored, since the subscriptions have changed, undoes the rest. */
export const MUST = `create function {s}.must_1(p_seqs bigint[]) returns text language plpgsql as $$
begin
  if p_seqs is null then raise exception 'the subscriptions have changed' using errcode = 'DF001'; end if;
  return p_seqs::text;
end $$`;

/** Where a key of a subscription is found: the active one, and those behind it. */
export const KEY_INDEXES = [
  `create index delivery_key_active on {s}.delivery (sub, (${HASH_OF_KEY})) where key is not null and state <> ${BLOCKED}`,
  `create index delivery_key_blocked on {s}.delivery (sub, (${HASH_OF_KEY}), seq) where key is not null and state = ${BLOCKED}`,
] as const;
