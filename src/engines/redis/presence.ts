import type { Instance, InstanceInfo, Presence } from "../../engine.ts";
import { EngineError } from "../../errors.ts";
import { leaveAll, rescue } from "./rescue.ts";
import { RENEWED, script } from "./script.ts";
import type { Seat } from "./seat.ts";
import type { Session } from "./session.ts";

/** A write that frees memory comes first: then the server takes the others, too, when its memory is full. */
const ROOM = "redis.call('HDEL', KEYS[1] .. ':s', '0')";

/** ARGV: now, lease, name of the store, id, what there is to know. Answers the instance's number; 0 when the id is taken, -1 when the store is another. */
const REGISTER = script(`
local R = KEYS[1]
${ROOM}
if redis.call('HGET', R .. ':m', 'name') ~= ARGV[3] then return -1 end
${RENEWED}
for _, other in ipairs(redis.call('HVALS', R .. ':i')) do
  if string.sub(other, 1, #ARGV[4] + 1) == ARGV[4] .. '\\n' then return 0 end
end
local no = redis.call('HINCRBY', R .. ':m', 'instances', 1)
redis.call('HSET', R .. ':i', no, ARGV[4] .. '\\n' .. ARGV[5])
redis.call('HSET', R .. ':s', no, ARGV[1] .. ' ' .. ARGV[2])
return no`);
/** ARGV: now, lease, instance. */
const BEAT = script(`
local R = KEYS[1]
${ROOM}
if redis.call('HEXISTS', R .. ':i', ARGV[3]) == 0 then return 0 end
redis.call('HSET', R .. ':s', ARGV[3], ARGV[1] .. ' ' .. ARGV[2])
return 1`);
/**
 * Strikes off those whose lease has passed, and of those whose connection is gone the ones that have given no sign for as
 * long as ARGV[3]. ARGV: now, instance, which gives a sign by this, that time, those whose connection is gone.
 * Answers how many, the latest number, and the living.
 */
const STRIKE = script(`
local R, struck, gone = KEYS[1], 0, {}
${ROOM}
for i = 4, #ARGV do gone[ARGV[i]] = tonumber(redis.call('HGET', R .. ':v', ARGV[i]) or ARGV[1]) end
if redis.call('HEXISTS', R .. ':v', ARGV[2]) == 1 then redis.call('HSET', R .. ':v', ARGV[2], ARGV[1]) end
local seen = redis.call('HGETALL', R .. ':s')
for i = 1, #seen, 2 do
  local split = string.find(seen[i + 1], ' ', 1, true)
  local last, lease = tonumber(string.sub(seen[i + 1], 1, split - 1)), tonumber(string.sub(seen[i + 1], split + 1))
  local silence = tonumber(ARGV[1]) - last
  local sign = math.max(last, gone[seen[i]] or tonumber(ARGV[1]))
  if (silence > lease or tonumber(ARGV[1]) - sign > tonumber(ARGV[3])) and seen[i] ~= ARGV[2] then
    for _, part in ipairs({ 'i', 's', 'v' }) do redis.call('HDEL', R .. ':' .. part, seen[i]) end
    struck = struck + 1
  end
end
return { struck, tonumber(redis.call('HGET', R .. ':m', 'instances') or 0), unpack(redis.call('HKEYS', R .. ':i')) }`);
/** What publishers that are gone had noted in the root, and the dedupe keys whose windows are over. ARGV: now, the living. */
const TIDY = script(`
local alive = {}
for i = 2, #ARGV do alive[ARGV[i]] = true end
for _, over in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1] .. ':qe', '-inf', ARGV[1], 'LIMIT', 0, 5000)) do
  redis.call('ZREM', KEYS[1] .. ':qe', over)
  redis.call('HDEL', KEYS[1] .. ':q', over)
end
for _, lane in ipairs(redis.call('HKEYS', KEYS[1] .. ':b')) do
  if not alive[string.match(lane, '^%d+')] then redis.call('HDEL', KEYS[1] .. ':b', lane) end
end
return 1`);
const LEAVE_ROOT = script(`
for _, lane in ipairs(redis.call('HKEYS', KEYS[1] .. ':b')) do
  if string.match(lane, '^%d+') == ARGV[1] then redis.call('HDEL', KEYS[1] .. ':b', lane) end
end
redis.call('HDEL', KEYS[1] .. ':s', ARGV[1])
redis.call('HDEL', KEYS[1] .. ':v', ARGV[1])
return redis.call('HDEL', KEYS[1] .. ':i', ARGV[1])`);
const INSTANCES = script(
  "return { redis.call('HGETALL', KEYS[1] .. ':i'), redis.call('HGETALL', KEYS[1] .. ':s') }",
);
const RUNNING = script(`
local answers = {}
for k, H in ipairs(KEYS) do
  answers[k] = {}
  for _, no in ipairs(redis.call('HKEYS', H .. ':o')) do
    table.insert(answers[k], no)
    table.insert(answers[k], redis.call('HLEN', H .. ':h:' .. no))
  end
end
return answers`);

/** Of so many sweeps that strike nobody off, one looks through the handlers all the same. */
const FULL_SWEEP = 6;

/** A living instance sweeps every five seconds, which is a sign; this much later one that is not connected is dead. */
const SIGN_MS = 7_000;

/** Who is alive: by heartbeat, and by the connection that ends with its process: see {@link Vigil}. */
export class RedisPresence implements Presence {
  readonly #seat: Seat;
  /** Since the handlers were last looked through to the end. */
  #sweeps = 0;
  /** When this process last gave a sign of life, by a clock that no test moves: it may have been suspended. */
  #lastSign = 0;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  /** Registers this instance as a new one. @throws {EngineError} `ENGINE_INSTANCE_TAKEN`, `ENGINE_STORE_LOST`. */
  async join(session: Session): Promise<void> {
    const { info, lease, catalog } = session;
    const number = await session.root<number>(
      REGISTER,
      session.now(),
      lease,
      catalog.store,
      info.id,
      JSON.stringify(info),
    );
    if (number < 0) throw session.lost();
    if (number === 0) {
      throw new EngineError(
        "ENGINE_INSTANCE_TAKEN",
        `An instance with the id ${info.id} is registered in ${session.link.place.location}: give each start a new id.`,
      );
    }
    session.joinedAs(number);
    await session.vigil.keep();
    this.#lastSign = performance.now();
  }

  /** Gives back all this instance holds without spending an attempt, and ends its presence. */
  async leave(session: Session): Promise<void> {
    await leaveAll(session);
    await session.root(LEAVE_ROOT, session.instance);
  }

  async beat(): Promise<boolean> {
    const { session } = this.#seat;
    session.checkTrust();
    const alive = await session.root<number>(BEAT, session.now(), session.lease, session.instance);
    this.#lastSign = performance.now();
    if (alive === 1) return true;
    await this.join(session);
    return false;
  }

  async sweep(): Promise<number> {
    const { session } = this.#seat;
    session.checkTrust();
    // It was suspended itself, or somebody has set the server's clock: the others get the time to say that they are alive.
    if (session.timeJumped || performance.now() - this.#lastSign > session.lease / 2) {
      await this.beat();
      return 0;
    }
    const [struck = 0, latest = 0, ...alive] = await session.root<number[]>(
      STRIKE,
      session.now(),
      session.instance,
      SIGN_MS,
      ...(await session.vigil.gone()),
    );
    // Only where somebody has gone is there anything to find, unless whoever struck him off went in the middle of it.
    if (struck === 0 && this.#sweeps++ % FULL_SWEEP !== 0) return 0;
    this.#sweeps = 0;
    const living = alive.map(String);
    if (session.link.place.cluster) await session.tracks.finishOthers(new Set(living));
    await session.root(TIDY, session.now(), ...living);
    const rescued = await rescue(session, latest, living);
    this.#sweeps = 1;
    return rescued;
  }

  async instances(): Promise<readonly Instance[]> {
    const { session } = this.#seat;
    const [infos, seen] = await session.root<[string[], string[]]>(INSTANCES);
    const running = new Map<string, number>();
    for (const counts of await session.each<(string | number)[]>(RUNNING, session.catalog.handlers)) {
      for (let at = 0; at < counts.length; at += 2) {
        const no = String(counts[at]);
        running.set(no, (running.get(no) ?? 0) + Number(counts[at + 1]));
      }
    }
    const lastSeen = new Map(pairs(seen));
    return pairs(infos).map(([no, text]) => ({
      ...(JSON.parse(text.slice(text.indexOf("\n") + 1)) as InstanceInfo), // written by `join`
      lastSeen: Number(lastSeen.get(no)?.split(" ")[0]),
      running: running.get(no) ?? 0,
    }));
  }
}

function pairs(flat: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let at = 0; at < flat.length; at += 2) found.push([flat[at] ?? "", flat[at + 1] ?? ""]);
  return found;
}
