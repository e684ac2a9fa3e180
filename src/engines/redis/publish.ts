import type { Published } from "../../engine.ts";
import type { Route } from "./catalog.ts";
import { givenUp } from "./failures.ts";
import type { Arg, Command } from "./link.ts";
import type { Condition, Job } from "./parcel.ts";
import { idOf, numberText } from "./record.ts";
import { BURIAL, KEY_ORDER, RECORDS, script } from "./script.ts";
import type { Session } from "./session.ts";
import type { Lane } from "./tracks.ts";

/*
 * What is published on one server is stored by one script, whoever gets it.
 *
 *   ARGV: now, channel, version of the catalog, lane, number of the batch, whether it is sent again, condition (5), …
 *
 * It answers with the number of the first message, and for each that is a duplicate its place and the number of the one
 * that was there before: `41 3 0000000000017`. Or with one word: `stale` (the catalog), `refused` (the condition),
 * `gone` (sent again by one that was given up meanwhile, so that nobody knows whether it was done).
 */

/** Answers a batch that was stored before, and makes sure that the publisher knows the subscriptions. Leaves `R` and `total`. */
export const ADMIT = `
local R = KEYS[1]
local lane, batch = ARGV[4], ARGV[5]
if ARGV[6] == '1' then
  local receipt = call('HGET', R .. ':b', lane)
  if receipt and sub(receipt, 1, #batch + 1) == batch .. ' ' then return sub(receipt, #batch + 2) end
  if call('HEXISTS', R .. ':i', sub(lane, 1, find(lane, '.', 1, true) - 1)) == 0 then return 'gone' end
end
if call('HGET', R .. ':m', 'version') ~= ARGV[3] then return 'stale' end
local condition, total = ARGV[7], tonumber(ARGV[12])
if condition == 'fire' then
  local task = R .. ':t:' .. ARGV[8]
  local stored = call('HMGET', task, 'hash', 'next', 'paused')
  if stored[1] ~= ARGV[9] or stored[2] ~= ARGV[10] or stored[3] == '1' then return 'refused' end
  call('HSET', task, 'next', ARGV[11], 'lastTick', ARGV[10])
  call('HINCRBY', task, 'fired', total)
elseif condition == 'revive' then
  local letter = call('HGET', R .. ':y', ARGV[8])
  if not letter then return 'refused' end
  call('HDEL', R .. ':y', ARGV[8])
  call('ZREM', R .. ':z', sub(letter, 1, 39))
end
local first = call('INCRBY', R .. ':n', total) - total + 1
local answer = { fmt('%d', first) }
local function isDuplicate(at, n, key, till)
  local ends = call('ZSCORE', R .. ':qe', key)
  if ends and tonumber(ends) > now then
    answer[#answer + 1] = at
    answer[#answer + 1] = call('HGET', R .. ':q', key)
    return true
  end
  if tonumber(till) > now then
    call('HSET', R .. ':q', key, n)
    call('ZADD', R .. ':qe', till, key)
  end
  for _, over in ipairs(call('ZRANGEBYSCORE', R .. ':qe', '-inf', now, 'LIMIT', 0, 2)) do
    call('ZREM', R .. ':qe', over)
    call('HDEL', R .. ':q', over)
  end
  return false
end
`;

/** Groups of equal ones (`p`), and single ones that need a look (`s`). */
const PUBLISH = script(
  RECORDS,
  KEY_ORDER,
  BURIAL,
  ADMIT,
  `
local at = 13
local routes = {}
for i = 1, tonumber(ARGV[at]) do
  local size = tonumber(ARGV[at + 1])
  local route = {}
  for j = 1, size do route[j] = ARGV[at + 1 + j] end
  routes[i] = route
  at = at + 1 + size
end
at = at + 1
local place_ = 0
while ARGV[at] do
  local kind, route, priority = ARGV[at], routes[tonumber(ARGV[at + 1])], ARGV[at + 2]
  if kind == 'p' then
    local count = tonumber(ARGV[at + 3])
    local members = {}
    for j = 1, count do
      members[2 * j - 1] = 0
      members[2 * j] = priority .. fmt('%013d', first + place_) .. ARGV[at + 3 + j]
      place_ = place_ + 1
    end
    for _, H in ipairs(route) do
      if call('EXISTS', H .. ':r') == 0 then woken[H] = true end
      for j = 1, 2 * count, 2000 do
        call('ZADD', H .. ':r', unpack(members, j, math.min(j + 1999, 2 * count)))
      end
    end
    if #route == 0 then for j = 2, 2 * count, 2 do bury(R, members[j], 0, 'unrouted', R .. ':k') end end
    at = at + 4 + count
  else
    local n = fmt('%013d', first + place_)
    if condition == 'revive' then n = ARGV[8] end
    if ARGV[at + 4] == '' or not isDuplicate(place_, n, ARGV[at + 4], ARGV[at + 5]) then
      local rec, due = priority .. n .. ARGV[at + 6], tonumber(ARGV[at + 3])
      for _, H in ipairs(route) do add(H, rec, due) end
      if #route == 0 then bury(R, rec, 0, 'unrouted', R .. ':k') end
    end
    place_ = place_ + 1
    at = at + 7
  end
end
local receipt = table.concat(answer, ' ')
call('HSET', R .. ':b', lane, batch .. ' ' .. receipt)
tell(ARGV[2])
return receipt`,
);

/*
 * The common case, which would pay for what it does not need: messages that all go the same way, without anything special.
 *
 *   KEYS: the root, and those who get it. ARGV: version of the catalog, lane, number of the batch, channel, priority, tails.
 */
const PUBLISH_PLAIN = script(`
local call, R, total, woken = redis.call, KEYS[1], #ARGV - 5, nil
if call('HGET', R .. ':m', 'version') ~= ARGV[1] then return 'stale' end
local last = call('INCRBY', R .. ':n', total)
local members = {}
for i = 1, total do
  members[2 * i - 1] = 0
  members[2 * i] = ARGV[5] .. string.format('%013d', last - total + i) .. ARGV[5 + i]
end
for k = 2, #KEYS do
  local ready = KEYS[k] .. ':r'
  if call('EXISTS', ready) == 0 then woken = woken and woken .. '\\n' .. KEYS[k] or KEYS[k] end
  for i = 1, 2 * total, 2000 do call('ZADD', ready, unpack(members, i, math.min(i + 1999, 2 * total))) end
end
local receipt = string.format('%d', last - total + 1)
call('HSET', R .. ':b', ARGV[2], ARGV[3] .. ' ' .. receipt)
if woken then call('PUBLISH', ARGV[4], woken) end
return receipt`);

/** Stores jobs together on one server, and answers those who wait for them. */
export async function storeOn(session: Session, lane: Lane, jobs: readonly Job[]): Promise<void> {
  const [condition] = jobs.map((job) => job.condition);
  let plan: Plan;
  const answer = await admitted(session, lane, (name) => {
    plan = planOf(session, jobs);
    const whole = { script: PUBLISH, more: [...headOf(condition), plan.total, ...plan.args] };
    return plan.plain && !condition ? { ...whole, first: plainCommand(session, lane, name, plan) } : whole;
  });
  answerAll(session, jobs, answer, (at) => plan.routes[at]?.handlers.length ?? 0);
}

function plainCommand(
  { keys, catalog }: Session,
  lane: Lane,
  name: string,
  { routes: [route], args }: Plan,
): Command {
  const [, size = 0] = args;
  // Behind the number of routes, the only one, and the head of the only group.
  const [, , priority = "", , ...tails] = args.slice(2 + Number(size));
  return {
    script: PUBLISH_PLAIN,
    keys: [keys.root, ...(route?.bases ?? [])],
    args: [catalog.version, name, lane.number, keys.wakes, priority, ...tails],
  };
}

/** Sends a batch that must be admitted by the root, with what is made of the subscriptions as they are now. */
export async function admitted(
  session: Session,
  lane: Lane,
  make: (name: string) => {
    readonly script: Command["script"];
    readonly more: readonly Arg[];
    /** What to send at first instead. */
    readonly first?: Command;
  },
): Promise<string> {
  const { keys, catalog, link } = session;
  const name = `${session.instance}.${lane.name}`;
  lane.number++;
  for (;;) {
    if (catalog.seal !== undefined) await catalog.needOpen();
    const { script: wanted, more, first } = make(name);
    const command = (again: 0 | 1): Command => ({
      script: wanted,
      keys: [keys.root],
      args: [session.now(), keys.wakes, catalog.version, name, lane.number, again, ...more],
    });
    const answer = await link.run<string>(first ?? command(0), {
      again: () => command(1),
      replicas: link.place.wait,
    });
    if (answer !== "stale") return answer;
    await catalog.load();
  }
}

/** The condition as the scripts read it. */
export function headOf(condition: Condition | undefined): Arg[] {
  if (!condition) return ["", "", "", "", ""];
  if (condition.kind === "revive") return ["revive", condition.number, "", "", ""];
  const { task, hash, tick, next } = condition;
  return ["fire", task, hash, tick, next ?? ""];
}

/** What the root said of a batch: the number of its first message, and who is the duplicate of whom. */
export interface Answer {
  readonly first: number;
  readonly duplicates: ReadonlyMap<number, string>;
}

export function readAnswer(text: string): Answer {
  const [first = "", ...rest] = text.split(" ");
  const duplicates = new Map<number, string>();
  for (let at = 0; at < rest.length; at += 2) duplicates.set(Number(rest[at]), rest[at + 1] ?? "");
  return { first: Number(first), duplicates };
}

/** Answers all who wait. @param deliveries How many subscriptions got the message at a place. */
export function answerAll(
  { catalog, link }: Session,
  jobs: readonly Job[],
  text: string,
  deliveries: (at: number) => number,
): void {
  if (text === "refused") {
    for (const { resolve } of jobs) resolve(undefined);
    return;
  }
  if (text === "gone") throw givenUp(link.place.location);
  const { first, duplicates } = readAnswer(text);
  let at = 0;
  for (const { parcels, resolve } of jobs) {
    const published: Published[] = [];
    for (let end = at + parcels.length; at < end; at++) {
      const holder = duplicates.get(at);
      published.push({
        id: idOf(catalog.store, holder ?? numberText(first + at)),
        duplicate: holder !== undefined,
        deliveries: holder === undefined ? deliveries(at) : 0,
      });
    }
    resolve(published);
  }
}

interface Plan {
  readonly total: number;
  readonly args: Arg[];
  /** Of each message. */
  readonly routes: readonly Route[];
  /** Whether all are alike and go the same way, to somebody. */
  readonly plain: boolean;
}

function planOf({ catalog }: Session, jobs: readonly Job[]): Plan {
  const known = new Map<Route, number>();
  const head: Arg[] = [];
  const args: Arg[] = [];
  const routes: Route[] = [];
  let groups = 0;
  let group: { readonly route: number; readonly priority: string; readonly sizeAt: number } | undefined;
  const revives = jobs[0]?.condition?.kind === "revive";
  for (const { parcels } of jobs) {
    for (const { event, to, priority, tail, due, special, dedupe } of parcels) {
      const route = catalog.route(event, to);
      routes.push(route);
      let no = known.get(route);
      if (no === undefined) {
        known.set(route, (no = known.size + 1));
        head.push(route.bases.length, ...route.bases);
      }
      if (special || revives) {
        args.push("s", no, priority, due, dedupe?.key ?? "", dedupe?.until ?? "", tail);
        group = undefined;
        groups++;
      } else if (group?.route === no && group.priority === priority) {
        args.push(tail);
        args[group.sizeAt] = Number(args[group.sizeAt]) + 1;
      } else {
        group = { route: no, priority, sizeAt: args.length + 3 };
        groups++;
        args.push("p", no, priority, 1, tail);
      }
    }
  }
  const plain = groups === 1 && group !== undefined && (routes[0]?.bases.length ?? 0) > 0;
  return { total: routes.length, args: [known.size, ...head, ...args], routes, plain };
}
