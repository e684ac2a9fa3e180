import type { Limits, Taken } from "../../engine.ts";
import { TurnCalls } from "./turn-calls.ts";
import { script } from "./script.ts";
import type { Seat } from "./seat.ts";

/*
 * Strict sliding windows: a list of the moments of use, oldest first, behind the longest window that was asked for.
 * The server reads its clock itself: what processes believe it to show differs by milliseconds, and lets one too many through.
 */

/** What is sealed is seen in the root, which a cluster's scripts cannot look at from here. ARGV: its name, or nothing. */
const OPEN_ROOT = `
local seal = ARGV[1] ~= '' and redis.call('GET', ARGV[1] .. ':seal')
if seal then return redis.error_reply('SEALED ' .. seal) end
-- ARGV[2]: the moment of a test that moves time. None lies before the last use, though somebody sets the clock back.
local function nowAfter(last)
  local time = redis.call('TIME')
  return math.max(tonumber(ARGV[2]) or time[1] * 1000 + math.floor(time[2] / 1000), tonumber(last) or 0)
end
`;
/** KEYS: the lists. ARGV: root, now, then limit and window of each. Answers for each the milliseconds to wait, or -1 when it was counted. */
const TAKE = script(
  OPEN_ROOT,
  `
local call, answers = redis.call, {}
for k, K in ipairs(KEYS) do
  local limit, window = tonumber(ARGV[2 * k + 1]), tonumber(ARGV[2 * k + 2])
  local head = call('LRANGE', K, 0, 1)
  local now = nowAfter(call('LINDEX', K, -1))
  local kept = tonumber(head[1] or 0)
  -- There is room again when the use that is \`limit\` back from the latest leaves the window.
  local last = limit <= 0 and now or call('LLEN', K) > limit and tonumber(call('LINDEX', K, -limit)) or nil
  if last and last + window > now then
    answers[k] = string.format('%d', last + window - now)
  else
    if not head[1] then call('RPUSH', K, window) end
    call('RPUSH', K, now)
    if window > kept then
      call('LSET', K, 0, window)
      kept = window
    end
    -- What has left the longest window goes, two at a time.
    for _ = 1, 2 do
      if not head[2] or tonumber(head[2]) > now - kept then break end
      call('LPOP', K)
      call('LSET', K, 0, kept)
      head = call('LRANGE', K, 0, 1)
    end
    -- By its own clock the server may forget it a little later than it counts, and never before.
    call('PEXPIRE', K, string.format('%d', kept + 60000))
    answers[k] = '-1'
  end
end
return answers`,
);
const GIVE_BACK = script(
  OPEN_ROOT,
  "local K, n = KEYS[1], redis.call('LLEN', KEYS[1]) if n > 2 then redis.call('RPOP', K) elseif n == 2 then redis.call('DEL', K) end return 1",
);
/** ARGV: root, now, count, window. */
const HIT = script(
  OPEN_ROOT,
  `
local call, K, count, window = redis.call, KEYS[1], tonumber(ARGV[3]), tonumber(ARGV[4])
local now = nowAfter(call('LINDEX', K, -1))
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

/** Limits that all replicas share, by the server's clock. */
export class RedisLimits implements Limits {
  readonly #seat: Seat;
  /** What is asked for in one turn of the event loop is one call to the server. */
  readonly #uses = new TurnCalls<Use, Taken>((uses) => this.#takeAll(uses));

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  async take(key: string, limit: number, window: number): Promise<Taken> {
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
    const { session } = this.#seat;
    const root = await this.#root();
    const parts = session.link.place.cluster ? uses.map((use) => [use]) : [uses];
    const answers = parts.map((part) =>
      session.link.run<string[]>(
        {
          script: TAKE,
          keys: part.map(({ key }) => `${session.keys.ofLimit(key)}:used`),
          args: [root, session.moment(), ...part.flatMap(({ limit, window }) => [limit, window])],
        },
        // Done twice, it would count twice.
        { once: true },
      ),
    );
    const waits = (await Promise.all(answers)).flat().map(Number);
    return waits.map((wait) => ({ ok: wait < 0, retryAfter: Math.max(0, wait) }));
  }

  /** The root, for scripts that can look at it. @throws {SealedError} Where they cannot, and it is known to be sealed. */
  async #root(): Promise<string> {
    const { catalog, keys, link } = this.#seat.session;
    if (catalog.seal !== undefined) await catalog.needOpen();
    return link.place.cluster ? "" : keys.root;
  }
}
