import type { NewMessage, Published } from "../../engine.ts";
import type { CatalogEntry } from "./catalog.ts";
import { BLOCK, blocksOf, seqAt } from "./blocks.ts";
import { shortKey } from "./short-key.ts";
import type { Session } from "./session.ts";
import { numbers, numbersOf, texts, toValues, type Value, withoutNul } from "./statement.ts";

const ALIKE = "{s}.publish_alike_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const PLAIN = "{s}.publish_plain_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const ANY = `{s}.publish_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`;

/** An unrouted message keeps so many numbers of its block, one for each who may get it in a replay: then it comes in its old place to all of them. */
export const UNROUTED_ROOM = 64;

/** Through what a publish comes, and whose it is: see number_1. */
export interface PublishBy {
  /** Null where it cannot come twice. */
  readonly lane: string | null;
  readonly batch: number;
  /** Whether its transaction is the caller's, and may stay open for long. */
  readonly open: boolean;
  /** The instance; 0 where it is to be told like all others. */
  readonly me: number;
  /** The version of the subscriptions that was read; null where it is not asked for. */
  readonly catalog: number | null;
}

/** Messages on their way to the server: one row for each delivery, and how to read the answer. */
export interface Parcel {
  /** The call that stores them, and its values; it answers with one array. */
  readonly call: string;
  readonly values: readonly Value[];
  /** The subscriptions that get something. */
  readonly touched: ReadonlySet<number>;
  /** What became of each message; undefined when the subscriptions have changed since they were read. */
  read(answer: string | null | undefined): Published[] | undefined;
}

/** Makes the call that stores all messages, each for all who get it. */
export function parcelOf(session: Session, messages: readonly NewMessage[], by: PublishBy): Parcel {
  const receivers = messages.map(({ event, to }) => session.catalog.receivers(event, to));
  const now = session.now();
  const plain = !by.open && messages.every((message, at) => isPlain(message, now) && receivers[at]?.length);
  if (!plain) return anyParcel(session, messages, receivers, by, now);
  const sub = onlySubOf(messages, receivers);
  return sub === undefined
    ? plainParcel(session, messages, receivers, by, now)
    : alikeParcel(session, messages, sub, by, now);
}

function isPlain({ due, key, dedupe, expires, headers }: NewMessage, now: number): boolean {
  return due <= now && !dedupe && key === undefined && expires === undefined && headers === undefined;
}

type Receivers = readonly (readonly CatalogEntry[])[];

/** The single subscription that gets all of them, where they differ in their payloads only, and each payload is one line. */
function onlySubOf(messages: readonly NewMessage[], receivers: Receivers): number | undefined {
  const [first] = messages;
  const sub = receivers[0]?.[0]?.no;
  const alike = messages.every(
    ({ event, priority, payload }, at) =>
      event === first?.event &&
      priority === first.priority &&
      receivers[at]?.length === 1 &&
      receivers[at][0]?.no === sub &&
      payload !== "" &&
      !payload.includes("\n"),
  );
  return alike ? sub : undefined;
}

function alikeParcel(
  session: Session,
  messages: readonly NewMessage[],
  sub: number,
  { lane, batch, me, catalog }: PublishBy,
  now: number,
): Parcel {
  const [message] = messages;
  // prettier-ignore
  const values = toValues(lane, batch, me, catalog, now, messages.length, sub, message?.priority, message?.event,
    numbers(messages.map(({ due }) => due)), messages.map(({ payload }) => payload).join("\n"));
  return {
    call: ALIKE,
    values,
    touched: new Set([sub]),
    read: (answer) => {
      const blocks = numbersOf(answer);
      if (blocks.length === 0) return undefined;
      return messages.map((_, at) => ({
        id: session.ownIdOf(seqAt(blocks, at + 1)),
        duplicate: false,
        deliveries: 1,
      }));
    },
  };
}

function plainParcel(
  session: Session,
  messages: readonly NewMessage[],
  receivers: Receivers,
  { lane, batch, me, catalog }: PublishBy,
  now: number,
): Parcel {
  const subs: number[] = [];
  const firsts: number[] = [];
  const rows: NewMessage[] = [];
  const heads: number[] = [];
  messages.forEach((message, at) => {
    const head = rows.length + 1;
    heads.push(head);
    for (const { no } of receivers[at] ?? []) {
      subs.push(no);
      firsts.push(head);
      rows.push(message);
    }
  });
  // prettier-ignore
  const values = toValues(lane, batch, me, catalog, now, rows.length, numbers(subs), numbers(firsts),
    numbers(rows.map(({ priority }) => priority)), numbers(rows.map(({ due }) => due)),
    texts(rows.map(({ event }) => event)), texts(rows.map(({ payload }) => payload)));
  return {
    call: PLAIN,
    values,
    touched: new Set(subs),
    read: (answer) => {
      const blocks = numbersOf(answer);
      if (blocks.length === 0) return undefined;
      return heads.map((head, at) => ({
        id: session.ownIdOf(seqAt(blocks, head)),
        duplicate: false,
        deliveries: receivers[at]?.length ?? 0,
      }));
    },
  };
}

/** One row of the general form; `sub` is null for a message that nobody gets. */
interface Line {
  readonly sub: number | undefined;
  readonly place: number;
  readonly message: number;
  readonly of: NewMessage;
}

function anyParcel(
  session: Session,
  messages: readonly NewMessage[],
  receivers: Receivers,
  { lane, batch, open, me, catalog }: PublishBy,
  now: number,
): Parcel {
  const lines: Line[] = [];
  const firsts: number[] = [];
  let count = 0;
  messages.forEach((of, at) => {
    const subs = (receivers[at] ?? []).map(({ no }) => no);
    // The numbers that it keeps are those that follow its own: of one block.
    if (subs.length === 0 && (count % BLOCK) + UNROUTED_ROOM > BLOCK) count = blocksOf(count) * BLOCK;
    firsts.push(count + 1);
    const message = at + 1;
    if (subs.length === 0) lines.push({ sub: undefined, place: count + 1, message, of });
    for (const sub of subs) lines.push({ sub, place: ++count, message, of });
    if (subs.length === 0) count += UNROUTED_ROOM;
  });
  const column = (pick: (of: NewMessage) => number | undefined): string =>
    numbers(lines.map(({ of }) => pick(of)));
  const text = (pick: (of: NewMessage) => string | undefined): string =>
    texts(lines.map(({ of }) => pick(of)));
  const dedupes = messages.some(({ dedupe }) => dedupe)
    ? texts(messages.map(({ dedupe }) => dedupe && shortKey(dedupe.key)))
    : null;
  // prettier-ignore
  const values = toValues(lane, batch, me, catalog, now, count, open,
    numbers(lines.map(({ sub }) => sub)), numbers(lines.map(({ place }) => place)), numbers(lines.map(({ message }) => message)),
    column(({ priority }) => priority), column(({ due }) => due), column(({ expires }) => expires),
    text(({ event }) => event), text(({ to }) => to), text(({ key }) => (key === undefined ? undefined : withoutNul(key))),
    text(({ headers }) => headers), text(({ payload }) => payload),
    numbers(firsts), dedupes, dedupes && numbers(messages.map(({ dedupe }) => dedupe?.until)));
  return {
    call: ANY,
    values,
    touched: new Set(lines.flatMap(({ sub }) => sub ?? [])),
    read: (answer) => {
      const blocks = numbersOf(answer);
      if (blocks.length === 0) return undefined;
      const holders = blocks.splice(blocksOf(count));
      return firsts.map((first, at) => {
        const own = seqAt(blocks, first);
        const holder = holders[at] ?? Number.NaN;
        const duplicate = !Number.isNaN(holder) && holder !== own;
        return {
          id: session.ownIdOf(duplicate ? holder : own),
          duplicate,
          deliveries: duplicate ? 0 : (receivers[at]?.length ?? 0),
        };
      });
    },
  };
}
