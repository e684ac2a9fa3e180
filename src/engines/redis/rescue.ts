import { KEY_ORDER, RECORDS, script } from "./script.ts";
import type { Session } from "./session.ts";

/** Gives back all that instances held which are not among the living. ARGV: now, channel, the latest instance known, the living. */
const RESCUE = script(
  RECORDS,
  KEY_ORDER,
  `
local alive, counts = {}, {}
for i = 4, #ARGV do alive[ARGV[i]] = true end
for k, H in ipairs(KEYS) do
  counts[k] = 0
  for _, no in ipairs(call('HKEYS', H .. ':o')) do
    if not alive[no] and tonumber(no) <= tonumber(ARGV[3]) then
      for _, rec in ipairs(call('HVALS', H .. ':h:' .. no)) do
        giveBack(H, rec, true)
        counts[k] = counts[k] + 1
      end
      call('DEL', H .. ':h:' .. no)
      call('HDEL', H .. ':o', no)
    end
  end
  -- What dead publishers brought last is remembered for a day: one of them may only have been very slow.
  if call('HLEN', H .. ':in') > 200 then
    local lanes = call('HGETALL', H .. ':in')
    for i = 1, #lanes, 2 do
      local lane, last = lanes[i], lanes[i + 1]
      if not alive[sub(lane, 1, find(lane, '.', 1, true) - 1)] and now - tonumber(sub(last, find(last, ' ', 1, true) + 1)) > 86400000 then
        call('HDEL', H .. ':in', lane)
      end
    end
  end
end
tell(ARGV[2])
return counts`,
);

/** Gives back all that an instance holds, without spending an attempt. ARGV: now, channel, instance. */
const LEAVE = script(
  RECORDS,
  KEY_ORDER,
  `
local counts = {}
for k, H in ipairs(KEYS) do
  local held = H .. ':h:' .. ARGV[3]
  counts[k] = 0
  for _, rec in ipairs(call('HVALS', held)) do
    giveBack(H, rec, false)
    counts[k] = counts[k] + 1
  end
  call('DEL', held)
  call('HDEL', H .. ':o', ARGV[3])
end
tell(ARGV[2])
return counts`,
);

/** Gives back what the server holds for an instance that does not know of it. ARGV: now, channel, instance, the first token that it cannot know yet, the tokens that it knows. */
const RECONCILE = script(
  RECORDS,
  KEY_ORDER,
  `
local H, held, known = KEYS[1], KEYS[1] .. ':h:' .. ARGV[3], {}
for i = 5, #ARGV do known[ARGV[i]] = true end
for _, token in ipairs(call('HKEYS', held)) do
  if not known[token] and tonumber(token) < tonumber(ARGV[4]) then
    local rec = call('HGET', held, token)
    call('HDEL', held, token)
    giveBack(H, rec, false)
  end
end
tell(ARGV[2])
return 1`,
);

/** Gives back what dead instances held; answers how many. @param latest The highest number of an instance when the living were counted. */
export async function rescue(session: Session, latest: number, alive: readonly string[]): Promise<number> {
  const { catalog, keys } = session;
  const counts = await session.each<number>(
    RESCUE,
    catalog.handlers,
    session.now(),
    keys.wakes,
    latest,
    ...alive,
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Gives back all that this instance holds. */
export async function leaveAll(session: Session): Promise<void> {
  const { joined, keys, instance } = session;
  await session.each(LEAVE, [...joined], session.now(), keys.wakes, instance);
}

/**
 * Gives back what the server believes that this instance holds, and this instance does not: the answer to a claim was
 * lost with its connection, or a server that died had not synced the settlement.
 */
export async function reconcile(session: Session): Promise<void> {
  const { doubted, holdings, keys, link, instance } = session;
  await Promise.all(
    [...doubted].map(async (handler) => {
      const { known, below } = holdings.tokensOf(handler);
      await link.run({
        script: RECONCILE,
        keys: [keys.of(handler)],
        args: [session.now(), keys.wakes, instance, below, ...known],
      });
      doubted.delete(handler);
    }),
  );
}
