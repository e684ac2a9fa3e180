import type { DeliveryFilter, DeliveryInfo } from "../../engine.ts";
import { errorsText, infoOf, numberOfId, readRecord, stepsText } from "./record.ts";
import { KEY_ORDER, OPEN, RECORDS, script } from "./script.ts";
import type { Session } from "./session.ts";

/** The next deliveries of each handler, in the order published. ARGV: now, from which number on, how many. */
const PAGE = script(
  RECORDS,
  `
local answers, start, limit = {}, ARGV[2], tonumber(ARGV[3])
for k, H in ipairs(KEYS) do
  local found, from = {}, '-'
  while true do
    local first = call('ZRANGEBYLEX', H .. ':r', from, '+', 'LIMIT', 0, 1)[1]
    if not first then break end
    local priority = sub(first, 1, 11)
    for _, rec in ipairs(call('ZRANGEBYLEX', H .. ':r', '[' .. priority .. start, '(' .. priority .. '\\255', 'LIMIT', 0, limit)) do
      found[#found + 1] = { numberOf(rec), rec, 'ready', '' }
    end
    from = '(' .. priority .. '\\255'
  end
  for _, member in ipairs(call('ZRANGEBYLEX', H .. ':d', '[' .. start, '+', 'LIMIT', 0, limit)) do
    local n = sub(member, 1, 13)
    local due = tonumber(call('ZSCORE', H .. ':w', n) or now + 1)
    found[#found + 1] = { n, sub(member, 14), due > now and 'waiting' or 'ready', '' }
  end
  for _, no in ipairs(call('HKEYS', H .. ':o')) do
    for _, rec in ipairs(call('HVALS', H .. ':h:' .. no)) do
      if numberOf(rec) >= start then found[#found + 1] = { numberOf(rec), rec, 'running', no } end
    end
  end
  table.sort(found, function(a, b) return a[1] < b[1] end)
  local answer = {}
  for i = 1, math.min(limit, #found) do
    local one = found[i]
    local more = { false, false, false, false }
    if flagged(one[2]) then more = call('HMGET', H .. ':x', one[1] .. ':a', one[1] .. ':e', one[1] .. ':s', one[1] .. ':u') end
    answer[i] = { one[2], one[3], one[4], more[1], more[2], more[3], more[4] }
  end
  answers[k] = answer
end
return answers`,
);

/** Removes a delivery that waits. ARGV: now, channel, number. */
const CANCEL = script(
  OPEN,
  RECORDS,
  KEY_ORDER,
  `
local counts, n = {}, ARGV[3]
for k, H in ipairs(KEYS) do
  counts[k] = 0
  local rec = takeWaiting(H, n)
  if rec then
    counts[k] = 1
    local key = keyOf(rec)
    if key ~= '-' and call('HGET', H .. ':l', key) ~= n then
      if flagged(rec) then forget(H, n) end
      call('ZREM', H .. ':b:' .. key, starting(H .. ':b:' .. key, n))
    else
      remove(H, rec)
    end
  end
end
tell(ARGV[2])
return counts`,
);

const DEFAULT_LIMIT = 100;
/** So many are read at a time: a script holds up everybody else at its server. */
const MOST = 500;

type Stored = [
  record: string,
  state: DeliveryInfo["state"],
  holder: string,
  attempt: string | null,
  errors: string | null,
  steps: string | null,
  until: string | null,
];

/** A delivery, with the number by which the server knows it. */
export interface Numbered {
  readonly number: string;
  /** When it was to be delivered first. */
  readonly first: number;
  readonly info: DeliveryInfo;
}

/** The deliveries of a message. */
export async function findDeliveries(session: Session, id: string): Promise<DeliveryInfo[]> {
  await session.catalog.load();
  return (await findNumbered(session, id)).map(({ info }) => info);
}

/** Deliveries that are waiting or running, oldest first. */
export async function listDeliveries(session: Session, filter: DeliveryFilter): Promise<DeliveryInfo[]> {
  const { handler, event, state, limit = DEFAULT_LIMIT } = filter;
  await session.catalog.load();
  const handlers = session.catalog.handlers.filter((name) => handler === undefined || name === handler);
  const found: DeliveryInfo[] = [];
  for await (const page of pagesOf(session, handlers, Math.min(Math.max(limit, 1), MOST))) {
    for (const { info } of page) {
      if (event !== undefined && info.event !== event) continue;
      if (state === undefined || info.state === state) found.push(info);
    }
    if (found.length >= limit) break;
  }
  return found.slice(0, Math.max(0, limit));
}

/** Removes the waiting deliveries of a message; answers how many. */
export async function cancelWaiting(session: Session, id: string, handler?: string): Promise<number> {
  await session.catalog.load();
  const found = await findNumbered(session, id);
  let cancelled = 0;
  for (const { number, info } of found) {
    if (handler !== undefined && info.handler !== handler) continue;
    const [count = 0] = await session.each<number>(
      CANCEL,
      [info.handler],
      session.now(),
      session.keys.wakes,
      number,
    );
    cancelled += count;
  }
  return cancelled;
}

/** All deliveries of some handlers, in the order published, in pieces. One that is there all the time is among them. */
export async function* pagesOf(
  session: Session,
  handlers: readonly string[],
  size = MOST,
): AsyncGenerator<Numbered[], void> {
  const holders = await holdersOf(session);
  for (let from = "0"; handlers.length > 0;) {
    const pages = await session.each<Stored[]>(PAGE, handlers, session.now(), from, size);
    const all = pages.flatMap((page, at) =>
      page.map((stored) => read(session, holders, handlers[at] ?? "", stored)),
    );
    // Up to here all handlers have been read; one that gave less than a page has no more.
    const [end] = pages.flatMap((page) => (page.length < size ? [] : [numberAt(page)])).toSorted();
    const whole = all.filter(({ number }) => end === undefined || number <= end);
    yield whole.sort((one, other) => (one.number < other.number ? -1 : one.number > other.number ? 1 : 0));
    if (end === undefined) return;
    from = `${end}~`;
  }
}

/** By its number, which is in its id; one that was carried over from another store is looked for. */
export async function findNumbered(session: Session, id: string): Promise<Numbered[]> {
  const { handlers, store, foreign } = session.catalog;
  const number = numberOfId(id, store);
  if (number !== undefined) {
    const holders = await holdersOf(session);
    const pages = await session.each<Stored[]>(PAGE, handlers, session.now(), number, 1);
    const found = pages.flatMap((page, at) =>
      page.map((stored) => read(session, holders, handlers[at] ?? "", stored)),
    );
    const fitting = found.filter(({ info }) => info.id === id);
    if (fitting.length > 0) return fitting;
  }
  const found: Numbered[] = [];
  if (foreign === "") return found;
  for await (const page of pagesOf(session, handlers)) {
    found.push(...page.filter(({ info }) => info.id === id));
    if ((page.at(-1)?.number ?? "") > foreign) break;
  }
  return found;
}

function numberAt(page: readonly Stored[]): string {
  const [record = ""] = page.at(-1) ?? [];
  return record.slice(11, 24);
}

/** The ids of instances by their numbers. */
async function holdersOf({ link, keys }: Session): Promise<ReadonlyMap<string, string>> {
  const infos = await link.call<Record<string, string>>("hgetall", `${keys.root}:i`);
  return new Map(Object.entries(infos).map(([no, info]) => [no, info.split("\n", 1)[0] ?? ""]));
}

function read(
  session: Session,
  holders: ReadonlyMap<string, string>,
  handler: string,
  [record, state, no, attempt, errors, steps, until]: Stored,
): Numbered {
  const tried = attempt === null ? (state === "running" ? 1 : 0) : Number(attempt);
  const found = readRecord(record);
  const info = infoOf(session.catalog.store, handler, found, {
    attempt: tried,
    errors: errorsText(errors),
    steps: stepsText(steps),
    state,
    holder: no === "" ? undefined : (holders.get(no) ?? no),
    until: until === null ? undefined : Number(until),
  });
  return { number: found.number, first: found.due, info };
}
