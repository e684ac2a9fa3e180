import { PLAN_BY_INDEX } from "./plan-by-index.ts";
import { BLOCKED, READY, RUNNING, WAITING } from "./states.ts";

/*
 * Of the deliveries of one subscription and key, one is active (ready, waiting or running) and all others are blocked.
 * The active one keeps its place while it is retried or snoozed; when it is gone, the next in the order published follows.
 *
 * Who adds a delivery with a key, or takes an active one away, first locks the key until its transaction ends: of two who
 * look at the same moment, neither would see what the other is about to do. Several keys are locked in the order of their
 * hashes, by everybody, so that nobody waits in a circle.
 */

/** A key's hash, by which it is locked and found; a key itself may be longer than an index takes. */
export const HASH_OF_KEY = "hashtextextended(key, 0)";

/** Locks keys in order. */
export const LOCK_KEYS = `create function {s}.lock_keys_1(p_subs int[], p_keys text[]) returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hash) from (
    select distinct hashtextextended('{s}' || sub || ':' || key, 0) as hash
    from unnest(p_subs, p_keys) k(sub, key) where key is not null order by 1) l;
end $$`;

/** Makes the next delivery of each key active that has none; answers for whom. The keys are locked. */
export const ACTIVATE_NEXT = `create function {s}.activate_next_1(p_subs int[], p_keys text[], p_now bigint) returns int[]
language plpgsql ${PLAN_BY_INDEX} as $$
declare v_sub int; v_key text; v_seq bigint; v_until bigint; v_touched int[];
begin
  for v_sub, v_key in select distinct sub, key from unnest(p_subs, p_keys) k(sub, key) where key is not null loop
    continue when exists (select from {s}.delivery d
      where d.sub = v_sub and hashtextextended(d.key, 0) = hashtextextended(v_key, 0) and d.key = v_key
        and d.key is not null and d.state <> ${BLOCKED});
    select d.seq, d.until into v_seq, v_until from {s}.delivery d
      where d.sub = v_sub and hashtextextended(d.key, 0) = hashtextextended(v_key, 0) and d.key = v_key
        and d.key is not null and d.state = ${BLOCKED} order by d.seq limit 1;
    continue when not found;
    update {s}.delivery d set state = case when v_until > p_now then ${WAITING} else ${READY} end where d.seq = v_seq;
    v_touched := v_touched || v_sub;
  end loop;
  return v_touched;
end $$`;

/**
 * The state of a delivery that comes back from the dead letters: it was published before those that wait behind its key,
 * so it goes before them; only a running one is not overtaken. The key is locked.
 */
export const STATE_ON_RETURN = `create function {s}.state_on_return_1(p_sub int, p_key text, p_seq bigint) returns smallint
language plpgsql ${PLAN_BY_INDEX} as $$
declare v_seq bigint; v_state smallint;
begin
  if p_key is null then return ${READY}; end if;
  select d.seq, d.state into v_seq, v_state from {s}.delivery d
    where d.sub = p_sub and hashtextextended(d.key, 0) = hashtextextended(p_key, 0) and d.key = p_key
      and d.key is not null and d.state <> ${BLOCKED} limit 1;
  if not found then return ${READY}; end if;
  if v_state = ${RUNNING} or v_seq < p_seq then return ${BLOCKED}; end if;
  update {s}.delivery d set state = ${BLOCKED} where d.seq = v_seq and d.state in (${READY}, ${WAITING});
  -- It may have been claimed since.
  if found then return ${READY}; end if;
  return ${BLOCKED};
end $$`;

/** Activates what transactions of others have left, which lock no key: as many as are free. */
export const ACTIVATE_PENDING = `create function {s}.activate_pending_1(p_now bigint) returns void language plpgsql as $$
declare v_no bigint; v_sub int; v_key text;
begin
  for v_no, v_sub, v_key in select p.no, p.sub, p.key from {s}.pending_key p order by p.no limit 1000 for update skip locked loop
    continue when not pg_try_advisory_xact_lock(hashtextextended('{s}' || v_sub || ':' || v_key, 0));
    perform {s}.activate_next_1(array[v_sub], array[v_key], p_now);
    delete from {s}.pending_key p where p.no = v_no;
  end loop;
end $$`;
