import { REFUSE_SEALED } from "./open.ts";
import { PLAN_BY_INDEX } from "./plan-by-index.ts";
import { READY, RUNNING, WAITING } from "./states.ts";

/** How many deliveries that have fallen due are made ready at a time. */
const PROMOTED_AT_ONCE = 1_000;

/**
 * Takes ready deliveries for an instance: up to a limit for each subscription. The last row has no number; it has the
 * version of the subscriptions, the moment at which the next waiting delivery falls due, and whether the instance is given up.
 *
 * "= any (array (select … for update skip locked))": an "in" would lock more than it takes, and several who claim at the
 * same time would wait for each other in a circle. Who promotes waits for others who do: what they make ready is there for
 * both. A claim whose number was called void takes nothing: see LostClaims.
 */
export const CLAIM = `create function {s}.claim_1(p_me int, p_call bigint, p_now bigint, p_subs int[], p_limits int[])
returns table (seq bigint, sub int, attempt int, priority bigint, message bigint, published bigint, due bigint, expires bigint,
  key text, event text, headers text, steps text, errors text, payload text)
language plpgsql ${PLAN_BY_INDEX} as $$
#variable_conflict use_column
declare v_void bigint; v_next bigint; v_given_up boolean; v_catalog bigint; v_seal text;
begin
  select m.catalog, m.seal, i.void, i.no is null into v_catalog, v_seal, v_void, v_given_up
    from {s}.meta m left join {s}.instance i on i.no = p_me;
  ${REFUSE_SEALED}
  if not v_given_up then
    if exists (select from {s}.pending_key) then perform {s}.activate_pending_1(p_now); end if;
    select w.until into v_next from {s}.delivery w where w.state = ${WAITING} order by w.until limit 1;
    if v_next <= p_now then
      update {s}.delivery d set state = ${READY} where d.seq = any (array (select w.seq from {s}.delivery w
        where w.state = ${WAITING} and w.until <= p_now order by w.until limit ${PROMOTED_AT_ONCE} for update));
      select w.until into v_next from {s}.delivery w where w.state = ${WAITING} order by w.until limit 1;
    end if;
    if p_call > v_void then
      return query update {s}.delivery d set state = ${RUNNING}, owner = p_me, token = p_call, attempt = d.attempt + 1
        where d.seq = any (array (select r.seq from unnest(p_subs, p_limits) w(sub, most) cross join lateral
          (select x.seq from {s}.delivery x where x.state = ${READY} and x.sub = w.sub
            order by x.priority, x.seq limit w.most for update skip locked) r))
        returning d.seq, d.sub, d.attempt, d.priority, d.message, d.published, d.due, d.expires, d.key, d.event, d.headers,
          d.steps, d.errors, d.payload;
    end if;
  end if;
  return query select null::bigint, v_given_up::int, null::int, null::bigint, null::bigint,
    v_catalog, v_next, null::bigint, null, null, null, null, null, null;
end $$`;
