import type { StoredDelivery, StoredLimit, StoredRecord } from "../../engine-transfer.ts";
import type { Arg, Command } from "./link.ts";
import { nameOf, numberText, priorityText, tailOf } from "./record.ts";
import { KEY_ORDER, RECORDS, RENEWED, script, type Script, SEAL } from "./script.ts";
import type { Session } from "./session.ts";

/** ARGV: now, channel, then record, moment, attempts, errors and steps of each. */
const DELIVERIES = script(
  RECORDS,
  KEY_ORDER,
  `
local H = KEYS[1]
for i = 3, #ARGV, 5 do
  local rec, n, x = ARGV[i], numberOf(ARGV[i]), H .. ':x'
  if flagged(rec) then
    call('HSET', x, n .. ':a', ARGV[i + 2], n .. ':u', ARGV[i + 1])
    if ARGV[i + 3] ~= '' then call('HSET', x, n .. ':e', ARGV[i + 3]) end
    if ARGV[i + 4] ~= '' then call('HSET', x, n .. ':s', ARGV[i + 4]) end
  end
  add(H, rec, tonumber(ARGV[i + 1]))
end
tell(ARGV[2])
return 1`,
);
/** ARGV: place, letter, number, errors and steps of each. */
const LETTERS = script(`
local H = KEYS[1]
for i = 1, #ARGV, 5 do
  local n = ARGV[i + 2]
  redis.call('ZADD', H .. ':z', 0, ARGV[i])
  redis.call('HSET', H .. ':y', n, ARGV[i + 1])
  if ARGV[i + 3] ~= '' then redis.call('HSET', H .. ':x', n .. ':e', ARGV[i + 3]) end
  if ARGV[i + 4] ~= '' then redis.call('HSET', H .. ':x', n .. ':s', ARGV[i + 4]) end
end
return 1`);
/** ARGV: key, id and end of each. */
const DEDUPES = script(`
for i = 1, #ARGV, 3 do
  redis.call('HSET', KEYS[1] .. ':q', ARGV[i], ARGV[i + 1])
  redis.call('ZADD', KEYS[1] .. ':qe', ARGV[i + 2], ARGV[i])
end
return 1`);
/** ARGV: task, number of fields, the fields, the runs, oldest first. */
const SCHEDULE = script(`
local T, U = KEYS[1] .. ':t:' .. ARGV[1], KEYS[1] .. ':u:' .. ARGV[1]
redis.call('DEL', T, U)
redis.call('SADD', KEYS[1] .. ':t', ARGV[1])
redis.call('HSET', T, unpack(ARGV, 3, 2 + ARGV[2]))
for i = 3 + ARGV[2], #ARGV do redis.call('LPUSH', U, ARGV[i]) end
return 1`);
/** ARGV: life in the server, window, uses. */
const LIMIT = script(`
redis.call('DEL', KEYS[1])
redis.call('RPUSH', KEYS[1], unpack(ARGV, 2))
return redis.call('PEXPIRE', KEYS[1], ARGV[1])`);
const STATE = script("return redis.call('HSET', KEYS[1] .. ':f', unpack(ARGV))");
/** Numbers for messages from elsewhere. ARGV: how many. */
const NUMBERS = script(
  RENEWED,
  `
local last = redis.call('INCRBY', KEYS[1] .. ':n', ARGV[1])
redis.call('HSET', KEYS[1] .. ':m', 'foreign', string.format('%013d', last))
redis.call('HINCRBY', KEYS[1] .. ':m', 'version', 1)
return last - ARGV[1] + 1`,
);

type Letter = Extract<StoredRecord, { kind: "dead_letter" }>;
type Timer = Extract<StoredRecord, { kind: "schedule" }>;
type Kind<K extends StoredRecord["kind"]> = Extract<StoredRecord, { kind: K }>;

/** Adds records from elsewhere: on one server all or none, in a cluster all of each of its slots. */
export async function loadAll(session: Session, records: readonly StoredRecord[]): Promise<void> {
  const { catalog, keys, link } = session;
  const of = <K extends StoredRecord["kind"]>(kind: K): Kind<K>[] =>
    records.filter((record): record is Kind<K> => record.kind === kind);
  const deliveries = of("delivery");
  const letters = of("dead_letter");
  await subscribe(session, of("subscription"), deliveries);
  const commands: Command[] = [];
  const put = (base: string, wanted: Script, ...args: readonly Arg[]): void =>
    void commands.push({ script: wanted, keys: [base], args });
  const first = await numbers(session, deliveries.length + letters.length);
  const byHandler = Map.groupBy(numbered(deliveries, first), ({ handler }) => handler);
  for (const [handler, parts] of byHandler)
    put(keys.of(handler), DELIVERIES, session.now(), keys.wakes, ...parts.flatMap(({ args }) => args));
  for (const [at, letter] of letters.entries())
    put(keys.of(letter.handler), LETTERS, ...letterArgs(letter, numberText(first + deliveries.length + at)));
  const dedupes = of("dedupe").flatMap(({ key, id, until }) => [key, nameOf(catalog.store, id), until]);
  if (dedupes.length > 0) put(keys.root, DEDUPES, ...dedupes);
  for (const schedule of of("schedule")) put(keys.root, SCHEDULE, ...scheduleArgs(schedule));
  for (const limit of of("limit"))
    if (limit.uses.length > 0) put(limitKey(session, limit), LIMIT, ...limitArgs(session, limit));
  const facts = of("state").flatMap(({ key, value }) => [key, value]);
  if (facts.length > 0) put(keys.root, STATE, ...facts);
  await link.together(commands);
  await catalog.load();
}

/** Deliveries of a handler that nobody subscribed make it one without a topic. */
async function subscribe(
  session: Session,
  subscriptions: readonly Kind<"subscription">[],
  deliveries: readonly StoredDelivery[],
): Promise<void> {
  const { catalog } = session;
  const known = new Set([...catalog.active, ...subscriptions].map(({ handler }) => handler));
  const missing = new Set(deliveries.flatMap(({ handler }) => (known.has(handler) ? [] : [handler])));
  const bare = [...missing].map((handler) => ({ handler, topic: undefined }));
  const all = [...subscriptions.map(({ handler, topic }) => ({ handler, topic })), ...bare];
  // Before anybody can learn of them: each handler has the seal, which those before them got when it was set.
  if (catalog.seal !== undefined)
    await session.each(
      SEAL,
      all.map(({ handler }) => handler),
      catalog.seal,
    );
  await catalog.put(all);
}

async function numbers(session: Session, count: number): Promise<number> {
  return count === 0 ? 0 : session.root<number>(NUMBERS, count);
}

/** Each message gets one number, which its deliveries share where they stand together. */
function numbered(
  deliveries: readonly StoredDelivery[],
  first: number,
): { readonly handler: string; readonly args: Arg[] }[] {
  let number = first - 1;
  let last: string | undefined;
  return deliveries.map((delivery) => {
    const { handler, id, attempt, priority, publishedAt, due, next, steps, errors } = delivery;
    if (id !== last) number++;
    last = id;
    const tail = tailOf(delivery, publishedAt, id);
    const tried = attempt > 0 || next !== due || steps !== undefined || errors !== undefined;
    const record = `${priorityText(priority)}${numberText(number)}${tried ? "1" : "0"}${tail.slice(1)}`;
    return { handler, args: [record, next, attempt, inner(errors), inner(steps)] };
  });
}

function letterArgs(letter: Letter, number: string): Arg[] {
  const { id, attempt, priority, publishedAt, diedAt, reason, steps, errors } = letter;
  const place = `${numberText(diedAt)}${number}${number}`;
  const tail = tailOf(letter, publishedAt, id);
  const tried = steps !== undefined || errors !== undefined;
  const record = `${priorityText(priority)}${number}${tried ? "1" : "0"}${tail.slice(1)}`;
  return [place, `${place} ${attempt} ${reason} ${record}`, number, inner(errors), inner(steps)];
}

function scheduleArgs({
  task,
  hash,
  definition,
  next,
  paused,
  lastTick,
  lastSuccess,
  fired,
  runs,
}: Timer): Arg[] {
  const fields: Arg[] = [
    "hash",
    hash,
    "definition",
    definition,
    "next",
    next ?? "",
    "paused",
    paused ? 1 : 0,
  ];
  fields.push("fired", fired, "lastTick", lastTick ?? "", "lastSuccess", lastSuccess ?? "");
  return [task, fields.length, ...fields, ...runs.toReversed().map((run) => JSON.stringify(run))];
}

function limitKey({ keys }: Session, { key, of }: StoredLimit): string {
  return `${keys.ofLimit(key)}:${of === "take" ? "used" : "hits"}`;
}

function limitArgs(session: Session, { uses, until }: StoredLimit): Arg[] {
  const life = Math.max(1, until - session.now()) + 60_000;
  return [life, until - (uses.at(-1) ?? 0), ...uses];
}

/** What stands between the brackets: that is how the server keeps lists and objects to which something is added. */
function inner(json: string | undefined): string {
  return json === undefined ? "" : json.slice(1, -1);
}
