import type { SubscriptionInfo } from "../../engine.ts";
import { readRecord } from "./record.ts";
import { OPEN, RECORDS, script } from "./script.ts";
import type { Session } from "./session.ts";

/** Removes all that waits for a handler, and leaves what runs. ARGV: now. */
const DROP = script(
  OPEN,
  RECORDS,
  `
local H, running, keys = KEYS[1], {}, {}
for _, no in ipairs(call('HKEYS', H .. ':o')) do
  for _, rec in ipairs(call('HVALS', H .. ':h:' .. no)) do
    running[numberOf(rec)] = true
    keys[keyOf(rec)] = true
  end
end
call('UNLINK', H .. ':a', H .. ':r', H .. ':d', H .. ':w')
for _, key in ipairs(call('HKEYS', H .. ':l')) do
  call('UNLINK', H .. ':b:' .. key)
  if not keys[key] then call('HDEL', H .. ':l', key) end
end
for _, field in ipairs(call('HKEYS', H .. ':x')) do
  local n = sub(field, 1, 13)
  if not running[n] and call('HEXISTS', H .. ':y', n) == 0 then call('HDEL', H .. ':x', field) end
end
return 1`,
);

/** What there is of each handler: ready, waiting, running, dead, and the first ready one of each priority. ARGV: now. */
const COUNT = script(
  RECORDS,
  `
local answers = {}
for k, H in ipairs(KEYS) do
  -- What has fallen due is counted as ready. A part of it is made so: all would hold up the server.
  for _, n in ipairs(call('ZRANGEBYSCORE', H .. ':w', '-inf', now, 'LIMIT', 0, 1000)) do
    local rec = takeWaiting(H, n)
    if rec then call('ZADD', H .. ':r', 0, rec) else call('ZREM', H .. ':w', n) end
  end
  local due, running = call('ZCOUNT', H .. ':w', '-inf', now), 0
  for _, no in ipairs(call('HKEYS', H .. ':o')) do running = running + call('HLEN', H .. ':h:' .. no) end
  local answer = { call('ZCARD', H .. ':r') + due, call('ZCARD', H .. ':d') - due, running, call('ZCARD', H .. ':z') }
  local from = '-'
  while true do
    local rec = call('ZRANGEBYLEX', H .. ':r', from, '+', 'LIMIT', 0, 1)[1]
    if not rec then break end
    answer[#answer + 1] = sub(rec, 1, find(rec, '\\n', find(rec, ' ', 26, true), true))
    from = '(' .. sub(rec, 1, 11) .. '\\255'
  end
  answers[k] = answer
end
return answers`,
);

/** Removes a subscription and its waiting deliveries; false when there is none. */
export async function unsubscribe(session: Session, handler: string): Promise<boolean> {
  const removed = await session.catalog.remove(handler);
  if (removed) await session.each(DROP, [handler], session.now());
  return removed;
}

/** All subscriptions, with what waits for them. */
export async function describeSubscriptions(session: Session): Promise<SubscriptionInfo[]> {
  await session.catalog.load();
  const { active } = session.catalog;
  type Answer = [ready: number, waiting: number, running: number, dead: number, ...first: string[]];
  const handlers = active.map(({ handler }) => handler);
  const counts = await session.each<Answer>(COUNT, handlers, session.now());
  return active.map((subscription, at) => {
    const [ready = 0, waiting = 0, running = 0, dead = 0, ...first] = counts[at] ?? [];
    const moments = first.map((record) => readRecord(record).publishedAt);
    const oldest = moments.length === 0 ? undefined : Math.min(...moments);
    return { ...subscription, ready, waiting, running, dead, oldest };
  });
}
