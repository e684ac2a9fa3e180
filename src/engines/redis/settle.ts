import type { ClaimRef, Settlement } from "../../engine.ts";
import type { Arg, Command } from "./link.ts";
import { BURIAL, KEY_ORDER, OPEN, RECORDS, script } from "./script.ts";
import type { Session } from "./session.ts";
import type { Holding } from "./holdings.ts";

/*
 * Ends attempts. Those that are simply done are one call, whatever their number; the others are looked at one by one.
 *
 *   KEYS: the handlers. ARGV: now, channel, instance, count of deaths (nothing in a cluster), whether it is sent again,
 *   how many others there are in all, then for each handler: how many are done, their tokens, how many others, and of each its kind, token, key and two more.
 *
 * It answers for each handler whether those that are done were held, and the same of each of the others. A token that is
 * held is in the hash of the instance, and nowhere once it was given to somebody else. When it is sent again, one that is
 * missing was ended the first time: for as long as the instance is noted there, nobody has taken anything from it.
 */
const SETTLE = script(
  OPEN,
  `
local me, again, answers, at, call = ARGV[3], ARGV[5] == '1', {}, 7, redis.call
local kept = {}
for k, H in ipairs(KEYS) do kept[k] = again and call('HEXISTS', H .. ':o', me) == 1 end
if ARGV[6] == '0' then
  for k, H in ipairs(KEYS) do
    local count, gone = tonumber(ARGV[at]), 0
    for i = at + 1, at + count, 1000 do
      gone = gone + call('HDEL', H .. ':h:' .. me, unpack(ARGV, i, math.min(i + 999, at + count)))
    end
    answers[k] = { (gone == count or kept[k]) and 1 or 0 }
    at = at + count + 2
  end
  return answers
end
`,
  RECORDS,
  KEY_ORDER,
  BURIAL,
  `
for k, H in ipairs(KEYS) do
  local answer, held, x = { 1 }, H .. ':h:' .. me, H .. ':x'
  answers[k] = answer
  local count, gone = tonumber(ARGV[at]), 0
  for i = at + 1, at + count, 1000 do
    gone = gone + call('HDEL', held, unpack(ARGV, i, math.min(i + 999, at + count)))
  end
  if gone < count and not kept[k] then answer[1] = 0 end
  at = at + count + 2
  for i = 1, tonumber(ARGV[at - 1]) do
    local kind, token, key, a, b = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
    at = at + 5
    local rec = call('HGET', held, token)
    if rec then
      call('HDEL', held, token)
      local n = numberOf(rec)
      if kind ~= 'done' and kind ~= 'dead' and call('EXISTS', H .. ':a') == 0 then kind = 'done' end
      if kind == 'done' then
        remove(H, rec)
      elseif kind == 'release' then
        giveBack(H, rec, false)
      else
        if b ~= '' then
          local before = call('HGET', x, n .. ':e')
          call('HSET', x, n .. ':e', before and before .. ',' .. b or b)
        end
        if kind == 'dead' then
          bury(H, b ~= '' and flag(rec) or rec, flagged(rec) and call('HGET', x, n .. ':a') or 1, a, ARGV[4])
          if key ~= '-' then nextOfKey(H, key) end
        else
          local attempt = flagged(rec) and tonumber(call('HGET', x, n .. ':a')) or 1
          if kind == 'snooze' then attempt = attempt - 1 end
          call('HSET', x, n .. ':a', attempt, n .. ':u', a)
          place(H, flag(rec), tonumber(a))
        end
      end
    end
    answer[i + 1] = (rec or kept[k]) and 1 or 0
  end
end
tell(ARGV[2])
return answers`,
);

/** ARGV: instance, token, number, step. */
const SAVE_STEP = script(
  OPEN,
  `
local H, held, x = KEYS[1], KEYS[1] .. ':h:' .. ARGV[1], KEYS[1] .. ':x'
local rec = redis.call('HGET', held, ARGV[2])
if not rec then return 0 end
local before = redis.call('HGET', x, ARGV[3] .. ':s')
redis.call('HSET', x, ARGV[3] .. ':s', before and before .. ',' .. ARGV[4] or ARGV[4])
if string.sub(rec, 25, 25) == '0' then
  redis.call('HSET', x, ARGV[3] .. ':a', 1)
  redis.call('HSET', held, ARGV[2], string.sub(rec, 1, 24) .. '1' .. string.sub(rec, 26))
end
return 1`,
);

/** One settlement: its place in the call, and its token as it was given out and as the server knows it. */
interface Ended {
  readonly at: number;
  readonly claim: ClaimRef;
  readonly token: number;
}

/** The settlements of one handler, with their places in the call. */
interface Part {
  readonly handler: string;
  readonly done: Ended[];
  readonly others: (Ended & { readonly args: Arg[] })[];
}

/** Ends attempts, those of one handler in one step; on one server all of them. Answers for each whether it was held. */
export async function settleAll(session: Session, settlements: readonly Settlement[]): Promise<boolean[]> {
  session.checkTrust();
  const answers = settlements.map(() => false);
  const held: Holding[] = [];
  const parts = new Map<string, Part>();
  for (const [at, settlement] of settlements.entries()) {
    const holding = session.holdings.find(settlement.claim);
    if (!holding) continue;
    holding.ending = true;
    held.push(holding);
    sort(partOf(parts, holding.handler), at, settlement, holding);
  }
  try {
    const all = [...parts.values()];
    const calls = session.link.place.cluster ? all.map((part) => [part]) : [all];
    // All are waited for, so that those which were settled are not held any more, though others were not.
    const ended = await Promise.allSettled(calls.map((some) => settleParts(session, some, answers)));
    for (const end of ended) if (end.status === "rejected") throw end.reason;
    return answers;
  } finally {
    // What could not be settled may be tried again.
    for (const holding of held) holding.ending = false;
  }
}

/** Stores a step's result; stored again, it comes later in the text, and the last one counts. */
export async function saveStep(
  session: Session,
  claim: ClaimRef,
  name: string,
  result: string,
): Promise<boolean> {
  const { holdings, keys, link, instance } = session;
  const holding = holdings.find(claim);
  if (!holding) return false;
  const { handler, number, token } = holding;
  const step = `${JSON.stringify(name)}:${result}`;
  holding.flagged = true;
  const args = [instance, token, number, step];
  return (await link.run<number>({ script: SAVE_STEP, keys: [keys.of(handler)], args })) === 1;
}

async function settleParts(session: Session, parts: readonly Part[], answers: boolean[]): Promise<void> {
  if (parts.length === 0) return;
  const { keys, link, instance, holdings } = session;
  const counter = link.place.cluster ? "" : `${keys.root}:k`;
  const args = parts.flatMap((part) => [
    part.done.length,
    ...part.done.map(({ token }) => token),
    part.others.length,
    ...part.others.flatMap((other) => other.args),
  ]);
  const others = parts.reduce((sum, part) => sum + part.others.length, 0);
  const command = (again: 0 | 1): Command => ({
    script: SETTLE,
    keys: parts.map(({ handler }) => keys.of(handler)),
    args: [session.now(), keys.wakes, instance, counter, again, others, ...args],
  });
  const settled = await link.run<number[][]>(command(0), { again: () => command(1) });
  for (const [place, part] of parts.entries()) {
    const [first, ...rest] = settled[place] ?? [];
    for (const { at } of part.done) answers[at] = first === 1;
    for (const [which, { at }] of part.others.entries()) answers[at] = rest[which] === 1;
    for (const { claim } of part.done) holdings.remove(claim.token);
    for (const { claim } of part.others) holdings.remove(claim.token);
  }
}

function partOf(parts: Map<string, Part>, handler: string): Part {
  let part = parts.get(handler);
  if (!part) parts.set(handler, (part = { handler, done: [], others: [] }));
  return part;
}

function sort(part: Part, at: number, settlement: Settlement, { key, flagged, token }: Holding): void {
  const { claim } = settlement;
  if (settlement.kind === "done" && key === undefined && !flagged) {
    part.done.push({ at, claim, token });
    return;
  }
  const [a, b] = detailsOf(settlement);
  part.others.push({ at, claim, token, args: [settlement.kind, token, key ?? "-", a, b] });
}

/** When it comes again or why it died, and its error. */
function detailsOf(settlement: Settlement): [Arg, Arg] {
  switch (settlement.kind) {
    case "retry":
      return [settlement.at, JSON.stringify(settlement.error)];
    case "snooze":
      return [settlement.at, ""];
    case "dead":
      return [settlement.reason, settlement.error ? JSON.stringify(settlement.error) : ""];
    default:
      return ["", ""];
  }
}
