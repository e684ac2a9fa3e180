import { type NewMessage, RUNS_KEPT, type Schedule, type Schedules, type TaskRun } from "../../engine.ts";
import { EngineError } from "../../errors.ts";
import { stateOf } from "./failures.ts";
import { parcelOf } from "./publish.ts";
import type { Seat } from "./seat.ts";
import type { Session } from "./session.ts";
import { numberOr, type Row, toValues } from "./statement.ts";

const LIST = `select task, hash, definition, next, paused, last_tick, last_success, fired from {s}.schedule
  where $1::text is null or task = $1 order by task`;
const DEFINE = `insert into {s}.schedule as s (task, hash, definition, next, paused, fired, runs) values ($1, $2, $3, $4, false, 0, 0)
  on conflict (task) do update set hash = excluded.hash, definition = excluded.definition, next = excluded.next
  where s.hash <> excluded.hash`;
const RECORD = "select {s}.record_1($1, $2, $3, $4, $5, $6, $7, $8)";
const RUNS = `select tick, started, duration, outcome, instance, attempt, error from {s}.schedule_run where task = $1 order by no desc`;
const PAUSE = "update {s}.schedule set paused = true where task = $1 returning task";
const RESUME =
  "update {s}.schedule set paused = false, next = coalesce($2, next) where task = $1 returning task";
const REMOVE = "delete from {s}.schedule where task = $1 returning task";
const FIRE =
  "update {s}.schedule set next = $4, last_tick = $3, fired = fired + $5 where task = $1 and next = $3 and hash = $2 and not paused returning task";
/** Subscriptions that change faster than they can be read do not exist. */
const READS = 20;

/** Moves a task on, if its tick still is the next. Called before its messages are published, in the same statement. */
export const FIRE_SCRIPT = `create function {s}.fire_1(p_task text, p_hash text, p_tick bigint, p_next bigint, p_count int)
  returns boolean language plpgsql as $$
begin
  update {s}.schedule s set next = p_next, last_tick = p_tick, fired = s.fired + p_count
    where s.task = p_task and s.next = p_tick and s.hash = p_hash and not s.paused;
  return found;
end $$`;

/** Keeps a run in one of a task's places, over the oldest. */
export const RECORD_SCRIPT = `create function {s}.record_1(p_task text, p_tick bigint, p_started bigint, p_duration bigint, p_outcome text,
  p_instance text, p_attempt int, p_error text) returns void language plpgsql as $$
declare v_no bigint;
begin
  update {s}.schedule s set runs = s.runs + 1,
      last_success = case when p_outcome = 'ok' then greatest(s.last_success, p_tick) else s.last_success end
    where s.task = p_task returning s.runs into v_no;
  if not found then return; end if;
  insert into {s}.schedule_run as r (task, place, no, tick, started, duration, outcome, instance, attempt, error)
    values (p_task, v_no % ${RUNS_KEPT}, v_no, p_tick, p_started, p_duration, p_outcome, p_instance, p_attempt, p_error)
    on conflict (task, place) do update set no = excluded.no, tick = excluded.tick, started = excluded.started,
      duration = excluded.duration, outcome = excluded.outcome, instance = excluded.instance, attempt = excluded.attempt,
      error = excluded.error;
end $$`;

/** The timers of all replicas. */
export class PostgresSchedules implements Schedules {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  async define(schedule: Pick<Schedule, "task" | "hash" | "definition" | "next">): Promise<Schedule> {
    const { task, hash, definition, next } = schedule;
    const { session } = this.#seat;
    const [, rows] = await session.changeAll([
      session.sql.statement(DEFINE, task, hash, definition, next),
      session.sql.statement(LIST, task),
    ]);
    const [row] = rows ?? [];
    if (!row)
      throw new EngineError("ENGINE_FAILED", `The schedule ${task} was removed while it was defined.`);
    return toSchedule(row);
  }

  async fire(
    task: string,
    hash: string,
    tick: number,
    next: number | undefined,
    messages: readonly NewMessage[],
  ): Promise<boolean> {
    const { session } = this.#seat;
    if (messages.length === 0) return (await session.change(FIRE, task, hash, tick, next, 0)).length === 1;
    for (let read = 0; ; read++) {
      try {
        return await firing(session, messages, [task, hash, tick, next, messages.length]);
      } catch (error) {
        const stale = error instanceof EngineError && stateOf(error.cause) === "DF001";
        if (!stale || read === READS) throw error;
        await session.refresh();
        await session.needOpen();
      }
    }
  }

  async record(task: string, run: TaskRun): Promise<void> {
    const { tick, startedAt, duration, outcome, instance, attempt, error } = run;
    // prettier-ignore
    await this.#seat.session.change(RECORD, task, tick, startedAt, duration, outcome, instance, attempt, error);
  }

  async runs(task: string): Promise<readonly TaskRun[]> {
    const rows = await this.#seat.session.call(RUNS, task);
    return rows.map(([tick, startedAt, duration, outcome, instance, attempt, error]) => ({
      tick: Number(tick),
      startedAt: Number(startedAt),
      duration: Number(duration),
      outcome: outcome as TaskRun["outcome"], // as it was recorded
      instance: instance ?? "",
      attempt: Number(attempt),
      error: error ?? undefined,
    }));
  }

  async pause(task: string, paused: boolean, next?: number): Promise<boolean> {
    const { session } = this.#seat;
    const rows = paused ? await session.change(PAUSE, task) : await session.change(RESUME, task, next);
    return rows.length === 1;
  }

  async remove(task: string): Promise<boolean> {
    return (await this.#seat.session.change(REMOVE, task)).length === 1;
  }

  async list(task?: string): Promise<readonly Schedule[]> {
    return (await this.#seat.session.call(LIST, task)).map(toSchedule);
  }
}

/** Moves the task on and publishes, or does neither. */
async function firing(
  session: Session,
  messages: readonly NewMessage[],
  fire: readonly (string | number | undefined)[],
): Promise<boolean> {
  const by = { lane: null, batch: 0, open: false, me: session.instance, catalog: session.catalog.version };
  const { call, values, touched } = parcelOf(session, messages, by);
  const places = fire.map((_, at) => `$${values.length + at + 1}`).join(", ");
  const text = session.sql.fill(
    `select f.fired, case when f.fired then {s}.must_1(${call}) end from (select {s}.fire_1(${places}) as fired offset 0) f`,
  );
  const [rows] = await session.pool.run([{ text, values: [...values, ...toValues(...fire)] }]);
  const fired = rows?.[0]?.[0] === "t";
  if (fired) session.wakes.touch(touched);
  return fired;
}

function toSchedule([task, hash, definition, next, paused, lastTick, lastSuccess, fired]: Row): Schedule {
  return {
    task: task ?? "",
    hash: hash ?? "",
    definition: definition ?? "",
    next: numberOr(next),
    paused: paused === "t",
    lastTick: numberOr(lastTick),
    lastSuccess: numberOr(lastSuccess),
    fired: Number(fired),
  };
}
