import type { Limits, Taken } from "../../engine.ts";
import { PLAN_BY_INDEX } from "./plan-by-index.ts";
import type { Seat } from "./seat.ts";
import { shortKey } from "./short-key.ts";
import { numbers, texts } from "./statement.ts";
import { TurnCalls } from "./turn-calls.ts";

/**
 * The server's own moment, unless a test moves time: what a process believes the server's clock to show is wrong by up to
 * half a round trip, and two processes together would let one too many through.
 */
const NOW = (given: string): string =>
  `coalesce(${given}::bigint, (extract(epoch from clock_timestamp()) * 1000)::bigint)`;
/** Several at once, in the order of their keys, as all who lock rows. */
const TAKE = `select o.ord, {s}.take_1(o.key, o.size, o.span, ${NOW("$4")}) from (
  select * from unnest($1::text[], $2::bigint[], $3::bigint[]) with ordinality k(key, size, span, ord) order by key, ord) o`;
const HIT = `select {s}.hit_1($1, $2, $3, ${NOW("$4")})`;
const GIVE_BACK = "select {s}.untake_1($1)";

/**
 * Strict sliding windows. Of a limit of N uses the moments of the last N are kept, in a ring: there is room if the one
 * about to be overwritten has left the window, so a use costs the same whatever the limit is. Who uses a key locks its row.
 * A moment never lies before the last one, though calls may come in another order than their moments.
 */
export const LIMITS_SCRIPT = [
  `create function {s}.ring_1(p_key text, p_size bigint, inout p_now bigint, out o_used bigint) language plpgsql ${PLAN_BY_INDEX} as $$
declare v_size bigint; v_last bigint; v_kept bigint;
begin
  loop
    select l.size, l.used, l.last into v_size, o_used, v_last from {s}.limiter l where l.key = p_key for update;
    exit when found;
    insert into {s}.limiter (key, size, used, last, until) values (p_key, p_size, 0, p_now, 0) on conflict do nothing;
  end loop;
  p_now := greatest(p_now, v_last);
  if v_size = p_size then return; end if;
  -- Another limit: the latest uses that fit are kept, in their order.
  v_kept := least(v_size, o_used, p_size);
  with old as (delete from {s}.limiter_use u where u.key = p_key returning u.slot, u.at)
    insert into {s}.limiter_use (key, slot, at)
      select p_key, v_kept - b, o.at from generate_series(1, v_kept) b join old o on o.slot = (o_used - b) % v_size;
  o_used := v_kept;
  update {s}.limiter l set size = p_size, used = v_kept where l.key = p_key;
end $$`,
  `create function {s}.use_1(p_key text, p_size bigint, p_span bigint, p_now bigint, p_used bigint) returns void
language plpgsql ${PLAN_BY_INDEX} as $$
begin
  insert into {s}.limiter_use (key, slot, at) values (p_key, p_used % p_size, p_now)
    on conflict (key, slot) do update set at = excluded.at;
  -- By the minute, so that the index of it seldom changes.
  update {s}.limiter l set used = p_used + 1, last = p_now, until = greatest(l.until, ((p_now + p_span) / 60000 + 1) * 60000) where l.key = p_key;
end $$`,
  // Answers 0 when the use was counted, else the milliseconds until the next may be.
  `create function {s}.take_1(p_key text, p_size bigint, p_span bigint, p_now bigint) returns bigint language plpgsql ${PLAN_BY_INDEX} as $$
declare v_now bigint; v_used bigint; v_oldest bigint;
begin
  if p_size <= 0 then return p_span; end if;
  select r.p_now, r.o_used into v_now, v_used from {s}.ring_1(p_key, p_size, p_now) r;
  select u.at into v_oldest from {s}.limiter_use u where u.key = p_key and u.slot = v_used % p_size;
  if v_oldest > v_now - p_span then return least(v_oldest + p_span - v_now, p_span); end if;
  perform {s}.use_1(p_key, p_size, p_span, v_now, v_used);
  return 0;
end $$`,
  `create function {s}.untake_1(p_key text) returns void language plpgsql ${PLAN_BY_INDEX} as $$
declare v_size bigint; v_used bigint;
begin
  select l.size, l.used into v_size, v_used from {s}.limiter l where l.key = p_key for update;
  if not found or v_used = 0 then return; end if;
  delete from {s}.limiter_use u where u.key = p_key and u.slot = (v_used - 1) % v_size;
  update {s}.limiter l set used = v_used - 1 where l.key = p_key;
end $$`,
  `create function {s}.hit_1(p_key text, p_count bigint, p_span bigint, p_now bigint) returns boolean language plpgsql ${PLAN_BY_INDEX} as $$
declare v_now bigint; v_used bigint; v_first bigint;
begin
  if p_count <= 1 then return true; end if;
  select r.p_now, r.o_used into v_now, v_used from {s}.ring_1(p_key, p_count, p_now) r;
  -- This hit is one of them: the others are those from the second place on.
  select u.at into v_first from {s}.limiter_use u where u.key = p_key and u.slot = (v_used + 1) % p_count;
  if v_first > v_now - p_span then
    delete from {s}.limiter_use u where u.key = p_key;
    update {s}.limiter l set used = 0 where l.key = p_key;
    return true;
  end if;
  perform {s}.use_1(p_key, p_count, p_span, v_now, v_used);
  return false;
end $$`,
] as const;

interface Use {
  readonly key: string;
  readonly limit: number;
  readonly window: number;
}

/** Limits that all replicas share, by the server's clock. */
export class PostgresLimits implements Limits {
  readonly #seat: Seat;
  readonly #takes = new TurnCalls<Use, Taken>((uses) => this.#takeAll(uses));

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  take(key: string, limit: number, window: number): Promise<Taken> {
    return this.#takes.add({ key: `take:${key}`, limit, window });
  }

  async giveBack(key: string): Promise<void> {
    await this.#seat.session.change(GIVE_BACK, shortKey(`take:${key}`));
  }

  async hit(key: string, count: number, window: number): Promise<boolean> {
    const { session } = this.#seat;
    const [row] = await session.change(HIT, shortKey(`hit:${key}`), count, window, session.time.moved);
    return row?.[0] === "t";
  }

  async #takeAll(uses: readonly Use[]): Promise<Taken[]> {
    const { session } = this.#seat;
    const rows = await session.change(
      TAKE,
      texts(uses.map(({ key }) => shortKey(key))),
      numbers(uses.map(({ limit }) => limit)),
      numbers(uses.map(({ window }) => window)),
      session.time.moved,
    );
    const waits = new Map(rows.map(([place, wait]) => [Number(place), Number(wait)]));
    return uses.map((_, at) => {
      const retryAfter = waits.get(at + 1) ?? 0;
      return { ok: retryAfter === 0, retryAfter };
    });
  }
}
