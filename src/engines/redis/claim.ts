import type { Claim, Claims, Want } from "../../engine.ts";
import type { Command } from "./link.ts";
import { reconcile } from "./rescue.ts";
import { claimOf, encodeKey, errorsText, readRecord, stepsText } from "./record.ts";
import { OPEN, script } from "./script.ts";
import type { Session } from "./session.ts";

/*
 * Takes what is ready: for each handler up to its limit. The server keeps each record under its fencing token.
 *
 *   KEYS: the handlers. ARGV: now, channel, instance, its root or nothing in a cluster, then for each handler: limit,
 *   first token.
 *
 * It answers for each handler with the next moment at which something falls due, and the records; one that was tried
 * before as a list with its attempts, errors and steps. Or with nothing for a handler that does not know the instance.
 */
const CLAIM = script(
  OPEN,
  `
local call, sub = redis.call, string.sub
local now, me, root, answers, woken = tonumber(ARGV[1]), ARGV[3], ARGV[4], {}, nil
if root ~= '' and call('HEXISTS', root .. ':i', me) == 0 then return answers end
for k, H in ipairs(KEYS) do
  local limit, token, ready = tonumber(ARGV[3 + 2 * k]), tonumber(ARGV[4 + 2 * k]), H .. ':r'
  local answer, promoted = { '' }, false
  answers[k] = answer
  local due = call('ZRANGE', H .. ':w', 0, 0, 'WITHSCORES')
  if due[2] and tonumber(due[2]) <= now then
    promoted = true
    for _, n in ipairs(call('ZRANGEBYSCORE', H .. ':w', '-inf', now, 'LIMIT', 0, 1000)) do
      call('ZREM', H .. ':w', n)
      local member = call('ZRANGEBYLEX', H .. ':d', '[' .. n, '(' .. n .. '\\255', 'LIMIT', 0, 1)[1]
      if member then
        call('ZREM', H .. ':d', member)
        call('ZADD', ready, 0, sub(member, 14))
      end
    end
    due = call('ZRANGE', H .. ':w', 0, 0, 'WITHSCORES')
  end
  if root == '' and limit > 0 and call('EXISTS', ready) == 1 and call('HEXISTS', H .. ':o', me) == 0 then
    answers[k] = {}
    limit = 0
  end
  while limit > 0 do
    local found = call('ZPOPMIN', ready, math.min(limit, 1000))
    if #found == 0 then break end
    local held = {}
    for i = 1, #found, 2 do
      local rec = found[i]
      held[i], held[i + 1] = token, rec
      token = token + 1
      if sub(rec, 25, 25) == '1' then
        local n = sub(rec, 12, 24)
        local attempt = call('HINCRBY', H .. ':x', n .. ':a', 1)
        local more = call('HMGET', H .. ':x', n .. ':e', n .. ':s')
        rec = { rec, attempt, more[1], more[2] }
      end
      answer[#answer + 1] = rec
    end
    call('HSET', H .. ':h:' .. me, unpack(held))
    call('HSET', H .. ':o', me, 1)
    limit = limit - #found / 2
  end
  if promoted and call('EXISTS', ready) == 1 then woken = woken and woken .. '\\n' .. H or H end
  if due[2] then answer[1] = due[2] end
end
if woken then call('PUBLISH', ARGV[2], woken) end
return answers`,
);

/** Notes an instance at a handler's store of a cluster, which cannot look into the root. */
const JOIN = script("return redis.call('HSET', KEYS[1] .. ':o', ARGV[1], 1)");

type Stored = string | [record: string, attempt: number, errors: string | null, steps: string | null];
type Answer = readonly [nextDue?: string, ...records: Stored[]];

const NOTHING: Claims = { claims: [], nextDue: undefined };

/** Takes ready deliveries for this instance. */
export async function claimAll(session: Session, wants: readonly Want[]): Promise<Claims> {
  session.checkTrust();
  if (wants.length === 0) return NOTHING;
  if (session.doubted.size > 0) await reconcile(session);
  const parts = session.link.place.cluster ? wants.map((want) => [want]) : [wants];
  const found = await Promise.all(parts.map((part) => claimPart(session, part)));
  const moments = found.flatMap(({ nextDue }) => nextDue ?? []);
  return {
    claims: found.flatMap(({ claims }) => claims),
    nextDue: moments.length === 0 ? undefined : Math.min(...moments),
  };
}

async function claimPart(session: Session, wants: readonly Want[]): Promise<Claims> {
  const { holdings, joined, link } = session;
  const total = wants.reduce((sum, { limit }) => sum + Math.max(0, limit), 0);
  const first = holdings.begin(total);
  const { instance } = session;
  try {
    const answers = await link.run<Answer[]>(claimCommand(session, wants, first), {
      // The first try may have taken some: they are given back by `reconcile`, and the second takes others.
      once: true,
    });
    if (instance !== session.instance) return NOTHING;
    if (answers[0]?.length === 0) return await joinAndClaim(session, wants);
    const claims: Claim[] = [];
    let nextDue = Number.POSITIVE_INFINITY;
    let token = first;
    for (const [at, { handler, limit }] of wants.entries()) {
      const [due, ...records] = answers[at] ?? [];
      if (records.length > 0) joined.add(handler);
      if (due) nextDue = Math.min(nextDue, Number(due));
      for (const [place, record] of records.entries())
        claims.push(take(session, handler, token + place, record));
      token += Math.max(0, limit);
    }
    return { claims, nextDue: nextDue === Number.POSITIVE_INFINITY ? undefined : nextDue };
  } catch (error) {
    for (const { handler } of wants) session.doubted.add(handler);
    throw error;
  } finally {
    holdings.end(first);
  }
}

/** The handler's server of a cluster does not know this instance: it is told, if the root does. */
async function joinAndClaim(session: Session, wants: readonly Want[]): Promise<Claims> {
  const { keys, link, instance } = session;
  const [handler = ""] = wants.map((want) => want.handler);
  if ((await link.call("hexists", `${keys.root}:i`, instance)) !== 1) return NOTHING;
  await link.run({ script: JOIN, keys: [keys.of(handler)], args: [instance] });
  return claimPart(session, wants);
}

function claimCommand(session: Session, wants: readonly Want[], first: number): Command {
  const { keys } = session;
  let token = first;
  const each = wants.flatMap(({ limit }) => {
    const from = token;
    token += Math.max(0, limit);
    return [Math.max(0, limit), from];
  });
  const root = session.link.place.cluster ? "" : keys.root;
  return {
    script: CLAIM,
    keys: wants.map(({ handler }) => keys.of(handler)),
    args: [session.now(), keys.wakes, session.instance, root, ...each],
  };
}

function take(
  { catalog, holdings, instance }: Session,
  handler: string,
  token: number,
  stored: Stored,
): Claim {
  const [record, attempt, errors, steps] = typeof stored === "string" ? [stored, 1, null, null] : stored;
  const read = readRecord(record);
  const { number, flagged, key } = read;
  const name = key === undefined ? undefined : encodeKey(key);
  const unique = `${instance}.${token}`;
  holdings.add(unique, { token, handler, number, key: name, flagged, ending: false });
  const extras = { attempt, errors: errorsText(errors), steps: stepsText(steps) };
  return claimOf(catalog.store, handler, unique, read, extras);
}
