import type { DeadLetter, DeadLetterFilter, DeadLetters } from "../../engine.ts";
import {
  type Buried,
  errorsText,
  numberOfId,
  readLetter,
  readRecord,
  revivedRecord,
  stepsText,
} from "./record.ts";
import { KEY_ORDER, OPEN, RECORDS, script } from "./script.ts";
import type { Seat } from "./seat.ts";
import type { Session } from "./session.ts";

const LETTERS = `
local function letter(H, n)
  local text = redis.call('HGET', H .. ':y', n)
  if not text then return nil end
  local more = redis.call('HMGET', H .. ':x', n .. ':e', n .. ':s')
  return { text, more[1], more[2] }
end
`;
/** The next letters of each handler, oldest first. ARGV: behind which place, how many. */
const PAGE = script(
  LETTERS,
  `
local answers = {}
for k, H in ipairs(KEYS) do
  local answer = {}
  for _, place in ipairs(redis.call('ZRANGEBYLEX', H .. ':z', ARGV[1], '+', 'LIMIT', 0, ARGV[2])) do
    answer[#answer + 1] = letter(H, string.sub(place, 27))
  end
  answers[k] = answer
end
return answers`,
);
/** The letter of a message, of each handler. ARGV: number. */
const FIND = script(
  LETTERS,
  `
local answers = {}
for k, H in ipairs(KEYS) do
  answers[k] = { letter(H, ARGV[1]) }
end
return answers`,
);
const COUNT = script(`
local answers = {}
for k, H in ipairs(KEYS) do answers[k] = redis.call('ZCARD', H .. ':z') end
return answers`);
/** Brings letters back, if they are still there and their handler is subscribed. ARGV: now, channel, then number and new record of each. */
const REVIVE = script(
  OPEN,
  RECORDS,
  KEY_ORDER,
  `
local H, count = KEYS[1], 0
if call('EXISTS', H .. ':a') == 0 then return { 0 } end
for i = 3, #ARGV, 2 do
  local n, rec = ARGV[i], ARGV[i + 1]
  local text = call('HGET', H .. ':y', n)
  if text then
    call('HDEL', H .. ':y', n)
    call('ZREM', H .. ':z', sub(text, 1, 39))
    if flagged(rec) then
      call('HDEL', H .. ':x', n .. ':u')
      call('HSET', H .. ':x', n .. ':a', 0)
    end
    add(H, rec, 0)
    count = count + 1
  end
end
tell(ARGV[2])
return { count }`,
);
/** ARGV: now, numbers. */
const DISCARD = script(
  OPEN,
  RECORDS,
  `
local H, count = KEYS[1], 0
for i = 2, #ARGV do
  local n = ARGV[i]
  local text = call('HGET', H .. ':y', n)
  if text then
    call('HDEL', H .. ':y', n)
    call('ZREM', H .. ':z', sub(text, 1, 39))
    forget(H, n)
    count = count + 1
  end
end
return { count }`,
);

const DEFAULT_LIMIT = 100;
/** So many are read at a time. */
const MOST = 500;

type Stored = [text: string, errors: string | null, steps: string | null];

/** What failed for good, with its whole history. */
export class RedisDeadLetters implements DeadLetters {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  async list(filter: DeadLetterFilter): Promise<readonly DeadLetter[]> {
    const { limit = DEFAULT_LIMIT } = filter;
    const found: DeadLetter[] = [];
    if (limit <= 0) return found;
    for await (const page of matching(this.#seat.session, filter)) {
      for (const { letter } of page) found.push(letter);
      if (found.length >= limit) break;
    }
    return found.slice(0, limit);
  }

  async count({ id, handler, event, reason }: DeadLetterFilter): Promise<number> {
    const { session } = this.#seat;
    let count = 0;
    if (id === undefined && event === undefined && reason === undefined) {
      await session.catalog.load();
      const counts = await session.each<number>(COUNT, boxesOf(session, handler));
      return counts.reduce((sum, each) => sum + each, 0);
    }
    for await (const page of matching(session, { id, handler, event, reason })) count += page.length;
    return count;
  }

  replay(filter: DeadLetterFilter): Promise<number> {
    const { session } = this.#seat;
    return this.#each(filter, (handler, letters) =>
      handler === "" ? reviveUnrouted(session, letters) : revive(session, handler, letters),
    );
  }

  discard(filter: DeadLetterFilter): Promise<number> {
    const { session } = this.#seat;
    return this.#each(filter, async (handler, letters) => {
      const numbers = letters.map(({ number }) => number);
      const [count = 0] = await session.each<number>(DISCARD, [handler], session.now(), ...numbers);
      return count;
    });
  }

  /** Does something to the letters, oldest first, until `limit` of them were done; answers how many. */
  async #each(
    filter: DeadLetterFilter,
    act: (handler: string, letters: readonly Buried[]) => Promise<number>,
  ): Promise<number> {
    const { limit = DEFAULT_LIMIT } = filter;
    let done = 0;
    if (limit <= 0) return done;
    for await (const page of matching(this.#seat.session, filter)) {
      for (let at = 0; at < page.length && done < limit;) {
        const some = page.slice(at, at + Math.min(MOST, limit - done));
        at += some.length;
        const byHandler = Map.groupBy(some, ({ letter }) => letter.handler);
        for (const [handler, letters] of byHandler) done += await act(handler, letters);
      }
      if (done >= limit) break;
    }
    return done;
  }
}

async function revive(session: Session, handler: string, letters: readonly Buried[]): Promise<number> {
  const now = session.now();
  const pairs = letters.flatMap(({ number, record }) => [number, revivedRecord(record, now)]);
  const [count = 0] = await session.each<number>(REVIVE, [handler], now, session.keys.wakes, ...pairs);
  return count;
}

/** They are published anew, under the numbers that they had, to whoever is subscribed now. */
async function reviveUnrouted(session: Session, letters: readonly Buried[]): Promise<number> {
  const now = session.now();
  const revived = letters.map(async ({ number, record, to, letter: { event } }) => {
    if (session.catalog.route(event, to).handlers.length === 0) return 0;
    const fresh = revivedRecord(record, now);
    const special = readRecord(fresh).key !== undefined;
    const parcel = {
      event,
      to,
      priority: fresh.slice(0, 11),
      tail: fresh.slice(24),
      due: 0,
      special,
      dedupe: undefined,
    };
    const published = await session.tracks.submit([parcel], { kind: "revive", number });
    return published === undefined ? 0 : 1;
  });
  const counts = await Promise.all(revived);
  return counts.reduce<number>((sum, count) => sum + count, 0);
}

/** Pages of the letters that fit a filter, oldest first, without its limit. */
export async function* matching(session: Session, filter: DeadLetterFilter): AsyncGenerator<Buried[], void> {
  const { id, handler, event, reason } = filter;
  await session.catalog.load();
  const handlers = boxesOf(session, handler);
  const fits = ({ letter }: Buried): boolean =>
    (id === undefined || letter.id === id) &&
    (event === undefined || letter.event === event) &&
    (reason === undefined || letter.reason === reason);
  if (id !== undefined) {
    const number = numberOfId(id, session.catalog.store);
    const found =
      number === undefined
        ? []
        : inOrder(session, handlers, await session.each(FIND, handlers, number)).filter(fits);
    yield found;
    // One that was carried over from another store is looked for.
    if (found.length > 0 || session.catalog.foreign === "") return;
  }
  for (let from = "-"; handlers.length > 0;) {
    const pages = await session.each<Stored[]>(PAGE, handlers, from, MOST);
    // Up to here all handlers have been read; one that gave less than a page has no more.
    const ends = pages.flatMap((page) => (page.length < MOST ? [] : [page.at(-1)?.[0].slice(0, 39) ?? ""]));
    const end = ends.toSorted()[0];
    const letters = inOrder(session, handlers, pages).filter(
      ({ place }) => end === undefined || place <= end,
    );
    yield letters.filter(fits);
    if (end === undefined) return;
    from = `(${end}`;
  }
}

function boxesOf({ catalog }: Session, handler: string | undefined): string[] {
  if (handler !== undefined) return [handler];
  return ["", ...catalog.handlers];
}

function inOrder(session: Session, handlers: readonly string[], pages: readonly Stored[][]): Buried[] {
  const letters = pages.flatMap((page, at) =>
    page.map(([text, errors, steps]) =>
      readLetter(session.catalog.store, handlers[at] ?? "", text, errorsText(errors), stepsText(steps)),
    ),
  );
  return letters.sort((one, other) => (one.place < other.place ? -1 : 1));
}
