import { hash } from "node:crypto";

/** A Lua script, which the server runs as one step. It is sent once, and then named by its hash. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

export function script(...parts: readonly string[]): Script {
  const text = parts.join("\n");
  return { text, sha: hash("sha1", text) };
}

/** The end of a name that no key has. */
export const NEVER = ":-";
const undivided = new WeakMap<Script, Script>();

/**
 * The same for a cluster, where one more key is given to it, which is never there. While a slot moves, each of two servers has
 * some of its keys; the scripts would run on what the one has, unless it sees that one of several keys is missing and answers
 * TRYAGAIN.
 */
export function inCluster(given: Script): Script {
  let made = undivided.get(given);
  if (!made) undivided.set(given, (made = script("local KEYS = { unpack(KEYS, 1, #KEYS - 1) }", given.text)));
  return made;
}

/*
 * What a handler has, all under its own hash tag H = {prefix:handler}, so that a cluster keeps it together:
 *
 *   H:a            exists while it is subscribed
 *   H:r            sorted set: the records that are ready; all scores are 0, so that the text is the order
 *   H:d            sorted set: number + record of those that wait for their moment or behind another of their key
 *   H:w            sorted set: the number of each that waits for its moment, by that moment
 *   H:l            hash: of each key, the number of the delivery whose turn it is
 *   H:b:KEY        sorted set: number + moment of those behind it
 *   H:h:INSTANCE   hash: the record that an instance runs, by its fencing token
 *   H:o            hash: the instances that have run something here
 *   H:x            hash: of deliveries that have been tried, their attempts :a, errors :e, steps :s and moment :u
 *   H:z, H:y       dead letters: sorted set in the order of death, and hash of the letters
 *   H:in           hash: the last batch that each publisher has stored here; of a cluster only
 *   H:seal         why nothing of it may be changed
 *
 * A record is one text: priority (11 characters), number (13), a flag (1: it has something in H:x), `-` or `k` and its
 * key, a space, its facts as JSON, a line break, its payload. See record.ts.
 */

/** Refuses a change of what is sealed; every script that changes what is stored begins with it. */
export const OPEN = `
for _, base in ipairs(KEYS) do
  local seal = redis.call('GET', base .. ':seal')
  if seal then return redis.error_reply('SEALED ' .. seal) end
end
`;

/**
 * Before numbers are given out, in the root: a server that has come back, or that follows another, may have lost the last
 * ones, while other servers and living processes have them. None may be given twice.
 */
export const RENEWED = `
local life = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if redis.call('HGET', KEYS[1] .. ':m', 'life') ~= life then
  redis.call('HSET', KEYS[1] .. ':m', 'life', life)
  redis.call('INCRBY', KEYS[1] .. ':n', 100000000)
  redis.call('HINCRBY', KEYS[1] .. ':m', 'instances', 1000000)
end
`;

/** Reading and moving records; begins every script about a handler's deliveries. `now` is the script's to set. */
export const RECORDS = `
local call, sub, find, fmt = redis.call, string.sub, string.find, string.format
local now = tonumber(ARGV[1])
local woken = {}
local function numberOf(rec) return sub(rec, 12, 24) end
local function keyOf(rec) return sub(rec, 26, find(rec, ' ', 26, true) - 1) end
local function flagged(rec) return sub(rec, 25, 25) == '1' end
local function flag(rec) return sub(rec, 1, 24) .. '1' .. sub(rec, 26) end
local function starting(set, text)
  return call('ZRANGEBYLEX', set, '[' .. text, '(' .. text .. '\\255', 'LIMIT', 0, 1)[1]
end
local function place(H, rec, due)
  if due > now then
    local n = numberOf(rec)
    call('ZADD', H .. ':d', 0, n .. rec)
    call('ZADD', H .. ':w', due, n)
    if call('ZRANGE', H .. ':w', 0, 0)[1] == n then woken[H] = true end
  else
    if call('EXISTS', H .. ':r') == 0 then woken[H] = true end
    call('ZADD', H .. ':r', 0, rec)
  end
end
local function takeParked(H, n)
  local member = starting(H .. ':d', n)
  if not member then return nil end
  call('ZREM', H .. ':d', member)
  return sub(member, 14)
end
local function findReady(H, n)
  local from = '-'
  while true do
    local first = call('ZRANGEBYLEX', H .. ':r', from, '+', 'LIMIT', 0, 1)[1]
    if not first then return nil end
    local rec = starting(H .. ':r', sub(first, 1, 11) .. n)
    if rec then return rec end
    from = '(' .. sub(first, 1, 11) .. '\\255'
  end
end
local function takeWaiting(H, n)
  local rec = takeParked(H, n)
  if rec then
    local due = call('ZSCORE', H .. ':w', n)
    if due then call('ZREM', H .. ':w', n) end
    return rec, due and tonumber(due)
  end
  rec = findReady(H, n)
  if rec then call('ZREM', H .. ':r', rec) end
  return rec, 0
end
local function forget(H, n) call('HDEL', H .. ':x', n .. ':a', n .. ':e', n .. ':s', n .. ':u') end
local function tell(channel)
  local handlers = {}
  for H in pairs(woken) do handlers[#handlers + 1] = H end
  if #handlers > 0 then call('PUBLISH', channel, table.concat(handlers, '\\n')) end
end
`;

/** The order of a key: one delivery of it has its turn, whatever its state, and the others stand behind it. */
export const KEY_ORDER = `
local function block(H, key, n, rec, due)
  call('ZADD', H .. ':d', 0, n .. rec)
  call('ZADD', H .. ':b:' .. key, 0, n .. fmt('%.17g', due))
end
local function add(H, rec, due)
  local key = keyOf(rec)
  if key == '-' then return place(H, rec, due) end
  local n, first = numberOf(rec), call('HGET', H .. ':l', key)
  if first and first < n then return block(H, key, n, rec, due) end
  if first then
    -- An older one comes back. It goes before what waits, and behind what runs.
    local other, its = takeWaiting(H, first)
    if not other then return block(H, key, n, rec, due) end
    block(H, key, first, other, its)
  end
  call('HSET', H .. ':l', key, n)
  place(H, rec, due)
end
local function nextOfKey(H, key)
  local member = call('ZPOPMIN', H .. ':b:' .. key)[1]
  if not member then
    call('HDEL', H .. ':l', key)
    return
  end
  local n = sub(member, 1, 13)
  call('HSET', H .. ':l', key, n)
  place(H, takeParked(H, n), tonumber(sub(member, 14)))
end
local function remove(H, rec)
  if flagged(rec) then forget(H, numberOf(rec)) end
  local key = keyOf(rec)
  if key ~= '-' then nextOfKey(H, key) end
end
local function giveBack(H, rec, spent)
  if call('EXISTS', H .. ':a') == 0 then return remove(H, rec) end
  local n = numberOf(rec)
  if flagged(rec) then
    if not spent then call('HINCRBY', H .. ':x', n .. ':a', -1) end
  elseif spent then
    call('HSET', H .. ':x', n .. ':a', 1)
    rec = flag(rec)
  end
  place(H, rec, 0)
end
`;

/** Dead letters. `counter` names the count of all deaths, which is their order in one millisecond; without it, as in a cluster, it is that of publishing. */
export const BURIAL = `
local function bury(H, rec, attempt, reason, counter)
  local n = numberOf(rec)
  local at = fmt('%013d%013d', now, counter ~= '' and call('INCR', counter) or tonumber(n)) .. n
  call('ZADD', H .. ':z', 0, at)
  call('HSET', H .. ':y', n, at .. ' ' .. attempt .. ' ' .. reason .. ' ' .. rec)
end
`;

/** ARGV: the seal, or nothing. */
export const SEAL = script(`
local done = {}
for k, base in ipairs(KEYS) do
  if ARGV[1] ~= '' then redis.call('SET', base .. ':seal', ARGV[1]) else redis.call('DEL', base .. ':seal') end
  if redis.call('EXISTS', base .. ':m') == 1 then redis.call('HINCRBY', base .. ':m', 'version', 1) end
  done[k] = 1
end
return done`);
