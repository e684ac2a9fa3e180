import type { DeadLetter, DeadLetterFilter, DeadLetters, DeadReason } from "../../engine.ts";
import { UNROUTED_ROOM } from "./bury.ts";
import type { CatalogEntry } from "./catalog.ts";
import type { Cell } from "./database.ts";
import { rowLimit } from "./deliveries.ts";
import { stateOnReturn } from "./key-order.ts";
import type { Seat } from "./seat.ts";
import type { Session } from "./session.ts";

const DEFAULT_LIMIT = 100;
/** How many are looked at together. */
const PAGE = 200;

const MATCHING = `(?1 is null or coalesce(message, seq) = ?1) and (?2 is null or handler = ?2)
  and (?3 is null or event = ?3) and (?4 is null or reason = ?4)`;
/** By the index of what is named, or in the order of the rows. */
const MATCHING_ID = MATCHING.replace(
  "?1 is null or coalesce(message, seq) = ?1",
  "coalesce(message, seq) = ?1",
);
const LIST_COLUMNS = `seq, message, handler, event, payload, headers, attempt, priority, key, published, died, reason, steps, errors`;
const LIST = `select ${LIST_COLUMNS} from dead_letter where ${MATCHING} order by no limit ?5+0`;
const LIST_OF_ID = `select ${LIST_COLUMNS} from dead_letter where ${MATCHING_ID} order by no limit ?5+0`;
const COUNT = `select count(*) from dead_letter where ${MATCHING}`;
const FIND = `select no, seq, message, handler, target, event, key from dead_letter where ${MATCHING} and no > ?5 order by no limit ?6+0`;
const DISCARD = `delete from dead_letter where no in (select no from dead_letter where ${MATCHING} order by no limit ?5+0)`;
const DELETE = "delete from dead_letter where no = ?";
const REVIVE = `insert into delivery (seq, sub, state, priority, attempt, token, published, due, message, key, event, headers, steps, errors, payload)
  select ?1, ?2, ?3, priority, 0, 0, published, ?4, ?5, key, event, headers, steps, errors, payload from dead_letter where no = ?6`;

type LetterRow = [
  seq: number,
  message: number | null,
  handler: string,
  event: string,
  payload: string,
  headers: string | null,
  attempt: number,
  priority: number,
  key: string | null,
  published: number,
  died: number,
  reason: DeadReason,
  steps: string | null,
  errors: string | null,
];
type FoundRow = [
  no: number,
  seq: number,
  message: number | null,
  handler: string,
  target: string | null,
  event: string,
  key: string | null,
];

/** What failed for good. */
export class SqliteDeadLetters implements DeadLetters {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  list(filter: DeadLetterFilter): Promise<readonly DeadLetter[]> {
    return this.#seat.read((session) => {
      const matching = conditions(session, filter);
      if (!matching) return [];
      const limit = rowLimit(filter.limit ?? DEFAULT_LIMIT);
      return session.db
        .all<LetterRow>(matching[0] === null ? LIST : LIST_OF_ID, ...matching, limit)
        .map((row) => toLetter(session, row));
    });
  }

  count(filter: DeadLetterFilter): Promise<number> {
    return this.#seat.read((session) => {
      const matching = conditions(session, filter);
      return (matching && session.db.get<[number]>(COUNT, ...matching)?.[0]) ?? 0;
    });
  }

  replay(filter: DeadLetterFilter): Promise<number> {
    return this.#seat.change((session) => replay(session, filter));
  }

  discard(filter: DeadLetterFilter): Promise<number> {
    return this.#seat.change((session) => {
      const matching = conditions(session, filter);
      return matching ? session.db.run(DISCARD, ...matching, rowLimit(filter.limit ?? DEFAULT_LIMIT)) : 0;
    });
  }
}

/** The values of MATCHING; undefined when nothing can match. */
function conditions(session: Session, { id, handler, event, reason }: DeadLetterFilter): Cell[] | undefined {
  const first = id === undefined ? null : session.sequence.seqOf(id);
  return first === undefined ? undefined : [first, handler ?? null, event ?? null, reason ?? null];
}

function replay(session: Session, filter: DeadLetterFilter): number {
  const matching = conditions(session, filter);
  if (!matching) return 0;
  const limit = filter.limit ?? DEFAULT_LIMIT;
  let count = 0;
  for (let last = 0; count < limit;) {
    const page = session.db.all<FoundRow>(FIND, ...matching, last, PAGE);
    for (const row of page) {
      last = row[0];
      // One that nobody gets stays, and takes no other's place in the limit.
      if (count < limit && revive(session, row)) count++;
    }
    if (page.length < PAGE) break;
  }
  return count;
}

/**
 * Puts a dead letter back in its old place, its number, so that it has its id and its order again. Who replays it wants
 * it to run: neither its delay nor its end counts any more.
 */
function revive(session: Session, [no, seq, message, handler, target, event, key]: FoundRow): boolean {
  const receivers = session.catalog.receivers(event, handler === "" ? (target ?? undefined) : handler);
  receivers.forEach((receiver, at) => {
    if (at === 0) reviveFor(session, receiver, no, seq, message, key);
    else reviveFor(session, receiver, no, at < UNROUTED_ROOM ? seq + at : session.sequence.next(), seq, key);
  });
  if (receivers.length > 0) session.db.run(DELETE, no);
  return receivers.length > 0;
}

function reviveFor(
  session: Session,
  { no: sub }: CatalogEntry,
  letter: number,
  seq: number,
  first: number | null,
  key: string | null,
): void {
  const state = stateOnReturn(session, sub, key, seq);
  session.db.run(REVIVE, seq, sub, state, session.now(), first, letter);
  session.wakes.touch(sub);
}

function toLetter(session: Session, row: LetterRow): DeadLetter {
  // prettier-ignore
  const [seq, message, handler, event, payload, headers, attempt, priority, key, publishedAt, diedAt, reason, steps, errors] = row;
  return {
    id: session.sequence.idOf(message ?? seq),
    handler,
    event,
    payload,
    headers: headers ?? undefined,
    attempt,
    priority,
    key: key ?? undefined,
    publishedAt,
    diedAt,
    reason,
    steps: steps ?? undefined,
    errors: errors ?? undefined,
  };
}
