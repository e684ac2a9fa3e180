import type { State } from "../../engine.ts";
import { OPEN, script } from "./script.ts";
import type { Seat } from "./seat.ts";

/** ARGV: key, value, what is expected as `+text`, or nothing for one that is not there. */
const SWAP = script(
  OPEN,
  `
local F = KEYS[1] .. ':f'
local stored = redis.call('HGET', F, ARGV[1])
if (stored and '+' .. stored or '') ~= ARGV[3] then return 0 end
redis.call('HSET', F, ARGV[1], ARGV[2])
return 1`,
);
const SET = script(OPEN, "return redis.call('HSET', KEYS[1] .. ':f', ARGV[1], ARGV[2])");
const DELETE = script(OPEN, "return redis.call('HDEL', KEYS[1] .. ':f', ARGV[1])");

const AT_ONCE = 1_000;

/** Texts by key. */
export class RedisState implements State {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#call<string | null>("hget", key)) ?? undefined;
  }

  async set(key: string, value: string): Promise<void> {
    await this.#seat.session.root(SET, key, value);
  }

  async swap(key: string, expected: string | undefined, value: string): Promise<boolean> {
    const { link, keys } = this.#seat.session;
    const args = [key, value, expected === undefined ? "" : `+${expected}`];
    // Done twice, it would seem to have been refused.
    return (await link.run<number>({ script: SWAP, keys: [keys.root], args }, { once: true })) === 1;
  }

  async delete(key: string): Promise<void> {
    await this.#seat.session.root(DELETE, key);
  }

  async list(prefix: string): Promise<readonly (readonly [key: string, value: string])[]> {
    const found = new Map<string, string>();
    const pattern = `${prefix.replace(/[\\*?[\]]/g, String.raw`\$&`)}*`;
    for (let cursor = "0"; ;) {
      const [next, flat] = await this.#call<[string, string[]]>(
        "hscan",
        cursor,
        "MATCH",
        pattern,
        "COUNT",
        AT_ONCE,
      );
      for (let at = 0; at < flat.length; at += 2) found.set(flat[at] ?? "", flat[at + 1] ?? "");
      if (next === "0") break;
      cursor = next;
    }
    return [...found].sort(([one], [other]) => (one < other ? -1 : 1));
  }

  async #call<T>(name: string, ...args: readonly (string | number)[]): Promise<T> {
    const { link, keys } = this.#seat.session;
    return link.call<T>(name, `${keys.root}:f`, ...args);
  }
}
