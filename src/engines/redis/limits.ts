import type { Limits, Taken } from "../../engine.ts";
import { TurnCalls } from "./turn-calls.ts";
import { script } from "./script.ts";
import type { Seat } from "./seat.ts";

/*
 * Strict sliding windows: a list of the moments of use, oldest first, behind the longest window that was asked for.
 * The server reads its clock itself: what processes believe it to show differs by milliseconds, and lets one too many through.
 */

/**
 * What is sealed is seen in the root, which a cluster's scripts cannot look at from here. ARGV: its name, or nothing; and
 * the moment of a test that moves time, or nothing.
 */
const OPEN_ROOT = `
local call = redis.call
local seal = ARGV[1] ~= '' and call('GET', ARGV[1] .. ':seal')
if seal then return redis.error_reply('SEALED ' .. seal) end
local now = tonumber(ARGV[2])
if not now then
  local time = call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
`;
/**
 * KEYS: the lists. ARGV: root, now, then of each limit, window, and how many uses are asked for. Answers nothing where all
 * were counted, else for each how many were, and the milliseconds until there is room for one more.
 */
const TAKE = script(
  OPEN_ROOT,
  `
local all, answers = true, {}
for k, K in ipairs(KEYS) do
  local limit, window, wanted = ARGV[3 * k] + 0, ARGV[3 * k + 1] + 0, ARGV[3 * k + 2] + 0
  local length, kept, latest, now = call('LLEN', K), 0, 0, now
  if length > 0 then
    kept, latest = call('LINDEX', K, 0) + 0, call('LINDEX', K, -1) + 0
    -- None lies before the last use, though somebody sets the clock back.
    if latest > now then now = latest end
  end
  local counted, wait = math.max(0, math.min(wanted, limit)), window
  while counted > 0 do
    -- There is room again when the use that is \`limit\` back from the latest leaves the window.
    local before = limit - counted + 1
    local last = length > before and call('LINDEX', K, -before)
    if not last or last + window <= now then break end
    counted, wait = counted - 1, last + window - now
  end
  if counted > 0 then
    if length == 0 then
      call('RPUSH', K, window)
    elseif kept < window then
      call('LSET', K, 0, window)
      latest = 0
    end
    if kept < window then kept = window end
    local uses = { now }
    for n = 2, counted do uses[n] = now end
    length = call('RPUSH', K, unpack(uses))
    if length > limit + 1 then
      -- What has left the longest window goes, one more than came: so the list shrinks again.
      local first, gone = call('LRANGE', K, 1, counted + 1), 0
      while first[gone + 1] and first[gone + 1] + 0 <= now - kept do gone = gone + 1 end
      if gone > 0 then
        call('LTRIM', K, gone, -1)
        call('LSET', K, 0, kept)
      end
    end
    -- By its own clock the server may forget it a little later than it counts, and never before: said once a second.
    if math.floor(now / 1000) > math.floor(latest / 1000) then call('PEXPIRE', K, kept + 60000) end
  end
  all = all and counted == wanted
  answers[2 * k - 1] = counted
  answers[2 * k] = math.ceil(wait)
end
return not all and answers`,
);
const GIVE_BACK = script(
  OPEN_ROOT,
  "local K, n = KEYS[1], redis.call('LLEN', KEYS[1]) if n > 2 then redis.call('RPOP', K) elseif n == 2 then redis.call('DEL', K) end return 1",
);
/** ARGV: root, now, count, window. */
const HIT = script(
  OPEN_ROOT,
  `
local K, count, window = KEYS[1], tonumber(ARGV[3]), tonumber(ARGV[4])
now = math.max(now, tonumber(call('LINDEX', K, -1)) or 0)
if count <= 1 then
  call('DEL', K)
  return 1
end
local first = call('LLEN', K) >= count and call('LINDEX', K, 1 - count)
if first and tonumber(first) > now - window then
  call('DEL', K)
  return 1
end
call('LPOP', K)
call('RPUSH', K, now)
call('LTRIM', K, 1 - count, -1)
call('LPUSH', K, window)
call('PEXPIRE', K, string.format('%d', window + 60000))
return 0`,
);

interface Use {
  readonly key: string;
  readonly limit: number;
  readonly window: number;
}

/** What is asked for several times at once is asked for once, as so many. */
interface Group {
  readonly use: Use;
  /** Places in the list. */
  readonly askers: number[];
}

const COUNTED: Taken = { ok: true, retryAfter: 0 };

function grouped(uses: readonly Use[]): Group[] {
  const [first] = uses;
  if (first && uses.length === 1) return [{ use: first, askers: [0] }];
  const groups = new Map<string, Group>();
  for (const [asker, use] of uses.entries()) {
    const id = `${use.limit} ${use.window} ${use.key}`;
    const group = groups.get(id);
    if (group) group.askers.push(asker);
    else groups.set(id, { use, askers: [asker] });
  }
  return [...groups.values()];
}

/** Limits that all replicas share, by the server's clock. */
export class RedisLimits implements Limits {
  readonly #seat: Seat;
  /** What is asked for in one turn of the event loop is one call to the server. */
  readonly #uses = new TurnCalls<Use, Taken>((uses) => this.#takeAll(uses));

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  take(key: string, limit: number, window: number): Promise<Taken> {
    return this.#uses.add({ key, limit, window });
  }

  async giveBack(key: string): Promise<void> {
    const { link, keys } = this.#seat.session;
    const args = [await this.#root()];
    await link.run({ script: GIVE_BACK, keys: [`${keys.ofLimit(key)}:used`], args }, { once: true });
  }

  async hit(key: string, count: number, window: number): Promise<boolean> {
    const session = this.#seat.session;
    const args = [await this.#root(), session.moment(), count, window];
    const keys = [`${session.keys.ofLimit(key)}:hits`];
    return (await session.link.run<number>({ script: HIT, keys, args }, { once: true })) === 1;
  }

  async #takeAll(uses: readonly Use[]): Promise<Taken[]> {
    const { link } = this.#seat.session;
    const root = await this.#root();
    const groups = grouped(uses);
    const parts = link.place.cluster ? groups.map((group) => [group]) : [groups];
    const taken: Taken[] = uses.map(() => COUNTED);
    await Promise.all(parts.map((part) => this.#takePart(part, root, taken)));
    return taken;
  }

  async #takePart(part: readonly Group[], root: string, taken: Taken[]): Promise<void> {
    const { link, keys, moment } = this.#seat.session;
    const answers = await link.run<number[] | null>(
      {
        script: TAKE,
        keys: part.map(({ use }) => `${keys.ofLimit(use.key)}:used`),
        args: [root, moment(), ...part.flatMap(({ use, askers }) => [use.limit, use.window, askers.length])],
      },
      // Done twice, it would count twice.
      { once: true },
    );
    if (answers === null) return;
    for (const [number, { askers }] of part.entries()) {
      const [counted, retryAfter = 0] = [answers[2 * number], answers[2 * number + 1]];
      for (const asker of askers.slice(counted)) taken[asker] = { ok: false, retryAfter };
    }
  }

  /** The root, for scripts that can look at it. @throws {SealedError} Where they cannot, and it is known to be sealed. */
  async #root(): Promise<string> {
    const { catalog, keys, link } = this.#seat.session;
    if (catalog.seal !== undefined) await catalog.needOpen();
    return link.place.cluster ? "" : keys.root;
  }
}
