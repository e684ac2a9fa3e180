import type { DeadLetter, DeadLetterFilter, DeadLetters, DeadReason } from "../../engine.ts";
import { UNROUTED_ROOM } from "./publish.ts";
import { PLAN_BY_INDEX } from "./plan-by-index.ts";
import type { Seat } from "./seat.ts";
import type { Session } from "./session.ts";
import { numbers, numbersOf, type Row, toValues, type Value, withNul } from "./statement.ts";

const DEFAULT_LIMIT = 100;
/** How many are moved in one transaction: of a million, all others go on meanwhile. */
const PAGE = 500;

const MATCHING = `($1::bigint is null or coalesce(message, seq) = $1) and ($2::text is null or handler = $2)
  and ($3::text is null or event = $3) and ($4::text is null or reason = $4)`;
const LIST = `select seq, message, handler, event, payload, headers, attempt, priority, key, published, died, reason, steps, errors
  from {s}.dead_letter where ${MATCHING} order by no limit $5`;
const COUNT = `select count(*) from {s}.dead_letter where ${MATCHING}`;
const FIND = `select no, handler, target, event from {s}.dead_letter where ${MATCHING} and no > $5 order by no limit $6`;
const DISCARD = `delete from {s}.dead_letter where no = any (array (select no from {s}.dead_letter where ${MATCHING}
  order by no limit $5 for update skip locked)) returning no`;
const REVIVE = "select o_count, o_touched from {s}.revive_1($1, $2, $3, $4, $5)";

/**
 * Puts dead letters back in their old places, their numbers, so that they have their ids and their order again; one row for
 * each who gets one. Who replays a letter wants it to run: neither its delay nor its end counts any more.
 */
export const REVIVE_SCRIPT = `create function {s}.revive_1(p_me int, p_now bigint, p_nos bigint[], p_subs int[], p_places int[],
  out o_count int, out o_touched int[]) language plpgsql ${PLAN_BY_INDEX} as $$
declare v_letter {s}.dead_letter; v_sub int; v_place int; v_seq bigint;
begin
  o_count := 0;
  perform {s}.lock_keys_1(array_agg(r.sub), array_agg(d.key)) from unnest(p_nos, p_subs) r(no, sub) join {s}.dead_letter d on d.no = r.no;
  for v_letter in delete from {s}.dead_letter d where d.no = any (array (select d.no from {s}.dead_letter d
    where d.no = any (p_nos) order by d.no for update skip locked)) returning d.*
  loop
    o_count := o_count + 1;
    for v_sub, v_place in select r.sub, r.place from unnest(p_nos, p_subs, p_places) r(no, sub, place) where r.no = v_letter.no order by r.place
    loop
      v_seq := case when v_place < ${UNROUTED_ROOM} then v_letter.seq + v_place else nextval('{s}.delivery_seq') end;
      insert into {s}.delivery (seq, published, due, message, token, priority, sub, attempt, state, event, key, headers, steps, errors, payload)
        values (v_seq, v_letter.published, p_now, case when v_place = 0 then v_letter.message else v_letter.seq end, 0,
          v_letter.priority, v_sub, 0, {s}.state_on_return_1(v_sub, v_letter.key, v_seq), v_letter.event, v_letter.key,
          v_letter.headers, v_letter.steps, v_letter.errors, v_letter.payload);
      o_touched := o_touched || v_sub;
    end loop;
  end loop;
  perform {s}.tell_others_1(p_me, o_touched);
end $$`;

/** What failed for good. */
export class PostgresDeadLetters implements DeadLetters {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  async list(filter: DeadLetterFilter): Promise<readonly DeadLetter[]> {
    const { session } = this.#seat;
    const matching = await conditions(session, filter);
    if (!matching) return [];
    const rows = await session.readSlowly(LIST, ...matching, rowLimit(filter.limit ?? DEFAULT_LIMIT));
    return await session.named(rows.map((row) => toLetter(session, row)));
  }

  async count(filter: DeadLetterFilter): Promise<number> {
    const { session } = this.#seat;
    const matching = await conditions(session, filter);
    return matching ? Number((await session.readSlowly(COUNT, ...matching))[0]?.[0]) : 0;
  }

  async replay(filter: DeadLetterFilter): Promise<number> {
    const { session } = this.#seat;
    const matching = await conditions(session, filter);
    const limit = filter.limit ?? DEFAULT_LIMIT;
    if (!matching) return 0;
    await session.refresh();
    let count = 0;
    for (let last = 0; count < limit;) {
      const page = await session.readSlowly(FIND, ...matching, last, Math.min(PAGE, rowLimit(limit - count)));
      if (page.length === 0) break;
      last = Number(page.at(-1)?.[0]);
      // One that nobody gets stays, and takes no other's place in the limit; nor does one that somebody else takes.
      count += await revive(session, page);
    }
    return count;
  }

  async discard(filter: DeadLetterFilter): Promise<number> {
    const { session } = this.#seat;
    const matching = await conditions(session, filter);
    const limit = filter.limit ?? DEFAULT_LIMIT;
    let count = 0;
    while (matching && count < limit) {
      const bite = Math.min(PAGE, limit - count);
      const gone = (await session.change(DISCARD, ...matching, rowLimit(bite))).length;
      count += gone;
      if (gone < bite) break;
    }
    return count;
  }
}

/** A limit as the server takes it: whole, and not infinite. */
export function rowLimit(limit: number): number {
  return Math.max(0, Math.min(Math.floor(limit), Number.MAX_SAFE_INTEGER));
}

/** The values of MATCHING; undefined when nothing can match. */
async function conditions(
  session: Session,
  { id, handler, event, reason }: DeadLetterFilter,
): Promise<Value[] | undefined> {
  const first = id === undefined ? null : await session.seqOf(id);
  return first === undefined ? undefined : toValues(first, handler, event, reason);
}

async function revive(session: Session, page: readonly Row[]): Promise<number> {
  const [nos, subs, places]: [number[], number[], number[]] = [[], [], []];
  for (const [no, handler, target, event] of page) {
    const receivers = session.catalog.receivers(
      event ?? "",
      handler === "" ? (target ?? undefined) : (handler ?? ""),
    );
    receivers.forEach((receiver, place) => {
      nos.push(Number(no));
      subs.push(receiver.no);
      places.push(place);
    });
  }
  if (nos.length === 0) return 0;
  const [row] = await session.change(
    REVIVE,
    session.instance,
    session.now(),
    numbers(nos),
    numbers(subs),
    numbers(places),
  );
  session.wakes.touch(numbersOf(row?.[1]));
  return Number(row?.[0]);
}

function toLetter(session: Session, row: Row): DeadLetter {
  // prettier-ignore
  const [seq, message, handler, event, payload, headers, attempt, priority, key, published, died, reason, steps, errors] = row;
  return {
    id: session.ownIdOf(Number(message ?? seq)),
    handler: handler ?? "",
    event: event ?? "",
    payload: payload ?? "",
    headers: headers ?? undefined,
    attempt: Number(attempt),
    priority: Number(priority),
    key: key === null || key === undefined ? undefined : withNul(key),
    publishedAt: Number(published),
    diedAt: Number(died),
    reason: reason as DeadReason, // written by settle or publish
    steps: steps ?? undefined,
    errors: errors ?? undefined,
  };
}
