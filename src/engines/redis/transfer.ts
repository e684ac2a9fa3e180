import type { Seal, StoredDelivery, StoredRecord, Transfer } from "../../engine-transfer.ts";
import type { DeliveryInfo } from "../../engine.ts";
import { isCluster } from "./client.ts";
import { matching } from "./dead-letters.ts";
import { findNumbered, type Numbered, pagesOf } from "./deliveries.ts";
import { loadAll } from "./load.ts";
import { idOf } from "./record.ts";
import { runsOf, schedulesIn } from "./schedules.ts";
import { SEAL, script } from "./script.ts";
import type { Seat } from "./seat.ts";
import type { Session } from "./session.ts";

/** Removes all that a handler, or the root, has of what is carried over. */
const CLEAR_HANDLER = script(`
local done = {}
for k, H in ipairs(KEYS) do
  for _, key in ipairs(redis.call('HKEYS', H .. ':l')) do redis.call('UNLINK', H .. ':b:' .. key) end
  for _, no in ipairs(redis.call('HKEYS', H .. ':o')) do redis.call('UNLINK', H .. ':h:' .. no) end
  for _, part in ipairs({ 'a', 'r', 'd', 'w', 'l', 'o', 'x', 'y', 'z' }) do redis.call('UNLINK', H .. ':' .. part) end
  done[k] = 1
end
return done`);
const CLEAR_ROOT = script(`
local R = KEYS[1]
for _, task in ipairs(redis.call('SMEMBERS', R .. ':t')) do redis.call('UNLINK', R .. ':t:' .. task, R .. ':u:' .. task) end
for _, part in ipairs({ 't', 'q', 'qe', 'f', 'y', 'z', 'subs', 'x' }) do redis.call('UNLINK', R .. ':' .. part) end
redis.call('HDEL', R .. ':m', 'foreign')
return redis.call('HINCRBY', R .. ':m', 'version', 1)`);

const PIECE = 1_000;
/** The handler of a message that nobody gets. */
const UNROUTED = "";

/** Carries over all that the store holds. */
export class RedisTransfer implements Transfer {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  /** The server cannot stand still: what is there from the beginning to the end is given. */
  async *dump(): AsyncGenerator<readonly StoredRecord[], void> {
    const { session } = this.#seat;
    await session.catalog.load();
    const { active } = session.catalog;
    if (active.length > 0) yield active.map((each) => ({ kind: "subscription", ...each }));
    yield* deliveriesOf(
      session,
      active.map(({ handler }) => handler),
    );
    yield* dedupesOf(session);
    for (const schedule of await schedulesIn(session))
      yield [{ kind: "schedule", ...schedule, runs: await runsOf(session, schedule.task) }];
    yield* limitsOf(session);
    const facts = await session.link.call<Record<string, string>>("hgetall", `${session.keys.root}:f`);
    yield Object.entries(facts).map(([key, value]) => ({ kind: "state", key, value }));
  }

  async load(records: readonly StoredRecord[]): Promise<void> {
    await loadAll(this.#seat.session, records);
  }

  async isEmpty(): Promise<boolean> {
    for await (const piece of this.dump()) if (piece.length > 0) return false;
    return true;
  }

  async clear(): Promise<void> {
    const { session } = this.#seat;
    await session.catalog.load();
    await session.each(CLEAR_HANDLER, session.catalog.handlers);
    for await (const names of limitKeysOf(session))
      for (const name of names) await session.link.call("unlink", name);
    await session.root(CLEAR_ROOT);
    await session.catalog.load();
  }

  async seal(seal: Seal): Promise<void> {
    const { session } = this.#seat;
    const text = JSON.stringify(seal);
    // First the root, where what is published is admitted; then nobody can subscribe, and all handlers are known.
    await session.root(SEAL, text);
    await session.catalog.load();
    await session.each(SEAL, session.catalog.handlers, text);
    await session.catalog.load();
  }

  async sealed(): Promise<Seal | undefined> {
    const { catalog } = this.#seat.session;
    await catalog.load();
    return catalog.seal === undefined ? undefined : (JSON.parse(catalog.seal) as Seal); // as it was given
  }

  async unseal(): Promise<void> {
    const { session } = this.#seat;
    await session.catalog.load();
    await session.each(SEAL, session.catalog.handlers, "");
    await session.root(SEAL, "");
    await session.catalog.load();
  }
}

/**
 * Deliveries, then dead letters. One may go from either to the other meanwhile: a dead letter that is replayed is looked
 * up as a delivery at the end; a delivery that dies may be given as both, which loses nothing.
 */
async function* deliveriesOf(
  session: Session,
  handlers: readonly string[],
): AsyncGenerator<readonly StoredRecord[], void> {
  const dead = new Map<string, string>();
  const nameOf = ({ id, handler }: Pick<DeliveryInfo, "id" | "handler">): string => `${handler} ${id}`;
  for await (const page of matching(session, {}))
    for (const { letter } of page) dead.set(nameOf(letter), letter.id);
  const record = ({ first, info }: Numbered): StoredRecord => ({
    kind: "delivery",
    ...carried(info),
    due: first,
  });
  for await (const page of pagesOf(session, handlers)) {
    for (const { info } of page) {
      dead.delete(nameOf(info));
      dead.delete(nameOf({ id: info.id, handler: UNROUTED }));
    }
    yield page.map(record);
  }
  for await (const page of matching(session, {})) {
    for (const { letter } of page) dead.delete(nameOf(letter));
    yield page.map(({ letter, due, to }) => ({ kind: "dead_letter", ...letter, due, to }));
  }
  for (const [name, id] of dead)
    yield (await findNumbered(session, id))
      .filter(({ info }) => name === nameOf(info) || name === nameOf({ id, handler: UNROUTED }))
      .map(record);
}

function carried({ due: next, ...info }: DeliveryInfo): Omit<StoredDelivery, "due"> {
  const { id, handler, event, payload, headers, attempt, priority, key } = info;
  const { publishedAt, expires, steps, errors } = info;
  // prettier-ignore
  return { id, handler, event, payload, headers, attempt, priority, key, publishedAt, next, expires, steps, errors };
}

async function* dedupesOf(session: Session): AsyncGenerator<StoredRecord[], void> {
  const { catalog, keys, link } = session;
  let cursor = "0";
  do {
    // A scan misses none that is there all the time, though others go meanwhile; it may give one twice.
    let flat: string[];
    [cursor, flat] = await link.call<[string, string[]]>("zscan", `${keys.root}:qe`, cursor, "count", PIECE);
    if (flat.length === 0) continue;
    const names = flat.filter((_, place) => place % 2 === 0);
    const ids = await link.call<(string | null)[]>("hmget", `${keys.root}:q`, ...names);
    yield names.flatMap((key, place) => {
      const id = ids[place];
      if (id === null || id === undefined) return [];
      return [{ kind: "dedupe", key, id: idOf(catalog.store, id), until: Number(flat[2 * place + 1]) }];
    });
  } while (cursor !== "0");
}

async function* limitsOf(session: Session): AsyncGenerator<StoredRecord[], void> {
  const before = session.keys.ofLimit("").length - 1;
  for await (const names of limitKeysOf(session)) {
    const records = names.map(async (name): Promise<StoredRecord[]> => {
      const [window = 0, ...uses] = (await session.link.call<string[]>("lrange", name, 0, -1)).map(Number);
      const end = name.lastIndexOf("}:");
      const of = name.slice(end) === "}:used" ? "take" : "hit";
      const last = uses.at(-1);
      if (last === undefined) return [];
      return [{ kind: "limit", key: name.slice(before, end), of, uses, until: last + window }];
    });
    yield (await Promise.all(records)).flat();
  }
}

/** The names of all limits, which are wherever their keys have put them. */
async function* limitKeysOf({ link, keys }: Session): AsyncGenerator<string[], void> {
  const { client } = link;
  const match = `${keys
    .ofLimit("")
    .slice(0, -1)
    .replace(/[\\*?[\]]/g, String.raw`\$&`)}*`;
  const seen = new Set<string>();
  for (const server of isCluster(client) ? client.nodes("master") : [client]) {
    for await (const names of server.scanStream({ match, count: PIECE })) {
      // What a scan gives; it may give one twice.
      const fresh = (names as string[]).filter((name) => !seen.has(name));
      for (const name of fresh) seen.add(name);
      yield fresh;
    }
  }
}
