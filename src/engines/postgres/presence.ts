import type { Instance, Presence } from "../../engine.ts";
import { EngineError } from "../../errors.ts";
import { PLAN_BY_INDEX } from "./plan-by-index.ts";
import type { Seat } from "./seat.ts";
import type { Session } from "./session.ts";
import { numbers, numbersOf, texts } from "./statement.ts";
import { RUNNING } from "./states.ts";
import { tidy } from "./tidy.ts";

/** Between two looks at who has lost its session: one that lives has a new one by then. */
const LOOK_MS = 4_000;

/** Asked twice where the first answer was lost. */
const REGISTER = `insert into {s}.instance as i (id, host, pid, version, started, seen, lease, start, listens, void)
  values ($1, $2, $3, $4, $5, $6, $7, $8, false, 0)
  on conflict (id) do update set seen = excluded.seen where i.start = excluded.start returning no`;
const BEAT = "update {s}.instance set seen = $1 where no = $2 returning no";
const SWEEP = "select o_count, o_touched from {s}.sweep_1($1, $2, $3)";
const LEAVE = "select {s}.leave_1($1, $2)";
const FORGET_LANES = "delete from {s}.lane where id = any ($1)";
const INSTANCES = `select id, host, pid, version, started, seen,
  (select count(*) from {s}.delivery d where d.state = ${RUNNING} and d.owner = i.no) from {s}.instance i order by no`;
/** Each instance that listens holds a lock that its session gives up when it ends: see Listener. */
const WITHOUT_SESSION = `select i.no from {s}.instance i where i.listens and i.no <> $1 and not exists (select from pg_locks l
  where l.locktype = 'advisory' and l.database = (select oid from pg_database where datname = current_database()) and l.classid = hashtext('{s}')::oid and l.objid = i.no::oid and l.objsubid = 2 and l.granted)`;

/**
 * Gives back what dead instances held: of those whose lease has passed, and of those that p_dead names. What a claim took
 * that came in between is found by the next sweep: it is held by nobody who is registered.
 */
export const SWEEP_SCRIPT = `create function {s}.sweep_1(p_me int, p_now bigint, p_dead int[], out o_count int, out o_touched int[])
language plpgsql ${PLAN_BY_INDEX} as $$
declare v_owners int[];
begin
  delete from {s}.instance i where i.no <> p_me and (i.seen + i.lease < p_now or i.no = any (p_dead));
  with recursive owner(no) as (
    (select d.owner from {s}.delivery d where d.state = ${RUNNING} order by d.owner limit 1)
    union all select (select d.owner from {s}.delivery d where d.state = ${RUNNING} and d.owner > o.no order by d.owner limit 1)
      from owner o where o.no is not null)
  select array_agg(o.no) into v_owners from owner o where o.no is not null and not exists (select from {s}.instance i where i.no = o.no);
  o_count := 0;
  if v_owners is null then return; end if;
  select g.o_count, g.o_touched into o_count, o_touched from {s}.give_back_1(p_me, p_now, v_owners, null, 0) g;
end $$`;

/** Gives back all an instance holds without spending an attempt, and ends its presence. */
export const LEAVE_SCRIPT = `create function {s}.leave_1(p_me int, p_now bigint) returns void language plpgsql as $$
begin
  perform {s}.give_back_1(p_me, p_now, array[p_me], null, 1);
  delete from {s}.instance i where i.no = p_me;
end $$`;

/** Who is alive: by heartbeat, and by the session that ends with its process. */
export class PostgresPresence implements Presence {
  readonly #seat: Seat;
  /** Those without a session at the last look, and when that was. */
  #suspects: ReadonlySet<number> = new Set();
  #lookedAt = 0;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  /** Registers this instance. @throws {EngineError} `ENGINE_INSTANCE_TAKEN`. */
  async join(session: Session): Promise<void> {
    await register(session);
    session.time.jumpedWithin(0);
  }

  /** Gives back all it holds, and ends its presence. */
  async leave(session: Session): Promise<void> {
    await session.call(LEAVE, session.instance, session.now());
    await session.call(FORGET_LANES, texts(session.publishing.ids));
  }

  async beat(): Promise<boolean> {
    const { session } = this.#seat;
    session.time.jumpedWithin(0);
    const beat = session.sql.statement(BEAT, session.now(), session.instance);
    const [rows = []] = await session.pool.run([beat, ...session.lostClaims.all()]);
    if (rows.length === 1) return true;
    session.work.lost();
    await register(session);
    await session.listener.hold();
    return false;
  }

  async sweep(): Promise<number> {
    const { session } = this.#seat;
    // Somebody has set the server's clock: all get the time to say that they are alive by the new one.
    if (session.time.jumpedWithin(session.start.lease)) return 0;
    const dead = await this.#withoutSession(session);
    const [row] = await session.call(SWEEP, session.instance, session.now(), numbers(dead));
    session.wakes.touch(numbersOf(row?.[1]));
    await tidy(session);
    return Number(row?.[0]);
  }

  async instances(): Promise<readonly Instance[]> {
    const rows = await this.#seat.session.call(INSTANCES);
    return rows.map(([id, host, pid, version, startedAt, lastSeen, running]) => ({
      id: id ?? "",
      host: host ?? "",
      pid: Number(pid),
      version: version ?? "",
      startedAt: Number(startedAt),
      lastSeen: Number(lastSeen),
      running: Number(running),
    }));
  }

  /**
   * Those that had no session at two looks in a row. While our own is young nobody is judged: the server may have ended
   * everybody's, and some are slower to come back.
   */
  async #withoutSession(session: Session): Promise<number[]> {
    const now = performance.now();
    if (now - session.listener.since < LOOK_MS || now - this.#lookedAt < LOOK_MS) return [];
    const gone = (await session.call(WITHOUT_SESSION, session.instance)).map(([no]) => Number(no));
    const dead = gone.filter((no) => this.#suspects.has(no));
    this.#suspects = new Set(gone);
    this.#lookedAt = now;
    return dead;
  }
}

async function register(session: Session): Promise<void> {
  const { instance, lease } = session.start;
  const { id, host, pid, version, startedAt } = instance;
  const [start] = session.publishing.ids;
  const [row] = await session.call(REGISTER, id, host, pid, version, startedAt, session.now(), lease, start);
  if (!row) {
    throw new EngineError(
      "ENGINE_INSTANCE_TAKEN",
      `An instance with the id ${id} is registered in ${session.location}: give each start a new id.`,
    );
  }
  session.instance = Number(row[0]);
}
