import type { Subscription, SubscriptionInfo } from "../../engine.ts";
import type { Session } from "./session.ts";
import { numberOr, texts } from "./statement.ts";
import { BLOCKED, READY, RUNNING, WAITING } from "./states.ts";

const SUBSCRIBE = "select {s}.subscribe_1($1, $2)";
const UNSUBSCRIBE = `with gone as (update {s}.subscription set active = false where handler = $1 and active returning no),
  raised as (update {s}.meta set catalog = catalog + 1 where exists (select from gone)) select no from gone`;
const DELETE_WAITING = `delete from {s}.delivery where seq = any (array (select seq from {s}.delivery
  where sub = $1 and state <> ${RUNNING} limit $2 for update skip locked)) returning seq`;
/** How many go in one transaction. */
const BITE = 5_000;
/** What has fallen due counts as ready: the next claim makes it so. */
const DESCRIBE = `with counted as (select sub,
    count(*) filter (where state = ${READY} or state = ${WAITING} and until <= $1) as ready,
    count(*) filter (where state = ${BLOCKED} or state = ${WAITING} and until > $1) as waiting,
    count(*) filter (where state = ${RUNNING}) as running,
    min(published) filter (where state = ${READY} or state = ${WAITING} and until <= $1) as oldest
  from {s}.delivery group by sub)
  select b.handler, b.topic, coalesce(c.ready, 0), coalesce(c.waiting, 0), coalesce(c.running, 0),
    (select count(*) from {s}.dead_letter l where l.handler = b.handler), c.oldest
  from {s}.subscription b left join counted c on c.sub = b.no where b.active order by b.no`;

/** Adds subscriptions, or changes their topics; who reads them in parallel waits for the one row that says so. */
export const SUBSCRIBE_SCRIPT = `create function {s}.subscribe_1(p_handlers text[], p_topics text[]) returns void language plpgsql as $$
begin
  if not exists (select from unnest(p_handlers, p_topics) n(handler, topic)
    where not exists (select from {s}.subscription b where b.handler = n.handler and b.active and b.topic is not distinct from n.topic))
  then return; end if;
  update {s}.meta set catalog = catalog + 1;
  insert into {s}.subscription as b (handler, topic, active)
    select handler, topic, true from unnest(p_handlers, p_topics) with ordinality n(handler, topic, ord) order by ord
    on conflict (handler) do update set topic = excluded.topic, active = true;
end $$`;

/** Registers subscriptions durably. */
export async function subscribe(session: Session, subscriptions: readonly Subscription[]): Promise<void> {
  // Of two for one handler the last counts.
  const byHandler = new Map(subscriptions.map(({ handler, topic }) => [handler, topic]));
  await session.change(SUBSCRIBE, texts([...byHandler.keys()]), texts([...byHandler.values()]));
  await session.refresh();
}

/** Removes a subscription and what waits for it; false when there is none. */
export async function unsubscribe(session: Session, handler: string): Promise<boolean> {
  const [row] = await session.change(UNSUBSCRIBE, handler);
  await session.refresh();
  if (!row) return false;
  for (let gone = BITE; gone === BITE;)
    gone = (await session.readSlowly(DELETE_WAITING, row[0], BITE)).length;
  return true;
}

/** All subscriptions, with what waits for them. */
export async function describeSubscriptions(session: Session): Promise<SubscriptionInfo[]> {
  const rows = await session.readSlowly(DESCRIBE, session.now());
  return rows.map(([handler, topic, ready, waiting, running, dead, oldest]) => ({
    handler: handler ?? "",
    topic: topic ?? undefined,
    ready: Number(ready),
    waiting: Number(waiting),
    running: Number(running),
    dead: Number(dead),
    oldest: numberOr(oldest),
  }));
}
