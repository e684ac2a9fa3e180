import type { StoredRecord } from "../../engine-transfer.ts";
import { type NewMessage, RUNS_KEPT, type Schedule, type Schedules, type TaskRun } from "../../engine.ts";
import type { Database } from "./database.ts";
import { publishAll } from "./publish.ts";
import type { Seat } from "./seat.ts";
import type { Session } from "./session.ts";

const COLUMNS = "task, hash, definition, next, paused, last_tick, last_success, fired";
const READ = `select ${COLUMNS} from schedule where task = ?`;
const READ_ALL = `select ${COLUMNS} from schedule order by task`;
const DEFINE = `insert into schedule (task, hash, definition, next, paused) values (?, ?, ?, ?, 0)
  on conflict (task) do update set hash = excluded.hash, definition = excluded.definition, next = excluded.next
  where hash <> excluded.hash`;
const FIRE = `update schedule set next = ?, last_tick = ?3, fired = fired + ?5
  where task = ?2 and next = ?3 and hash = ?4 and paused = 0`;
const COUNT_RUN = `update schedule set runs = runs + 1, last_success = max(coalesce(last_success, ?2), ?2)
  where task = ?1 returning runs`;
const COUNT_FAILED_RUN = "update schedule set runs = runs + 1 where task = ? returning runs";
const RECORD = `insert or replace into task_run (task, place, no, tick, started, duration, outcome, instance, attempt, error)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const READ_RUNS = `select tick, started, duration, outcome, instance, attempt, error from task_run where task = ?
  order by no desc`;
const PAUSE = "update schedule set paused = 1 where task = ?";
const RESUME = "update schedule set paused = 0, next = coalesce(?, next) where task = ?";
const STORE = `insert or replace into schedule (${COLUMNS}, runs) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const REMOVE = "delete from schedule where task = ?";

type ScheduleRow = [
  task: string,
  hash: string,
  definition: string,
  next: number | null,
  paused: number,
  lastTick: number | null,
  lastSuccess: number | null,
  fired: number,
];

type RunRow = [
  tick: number,
  startedAt: number,
  duration: number,
  outcome: TaskRun["outcome"],
  instance: string,
  attempt: number,
  error: string | null,
];

/** The timers of all processes on this file. */
export class SqliteSchedules implements Schedules {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  define(schedule: Pick<Schedule, "task" | "hash" | "definition" | "next">): Promise<Schedule> {
    const { task, hash, definition, next } = schedule;
    return this.#seat.change((session) => {
      session.db.run(DEFINE, task, hash, definition, next ?? null);
      const [stored] = read(session, task);
      if (stored === undefined) throw new Error(`the schedule ${task} was not stored`);
      return stored;
    });
  }

  fire(
    task: string,
    hash: string,
    tick: number,
    next: number | undefined,
    messages: readonly NewMessage[],
  ): Promise<boolean> {
    return this.#seat.change((session) => {
      if (session.db.run(FIRE, next ?? null, task, tick, hash, messages.length) === 0) return false;
      publishAll(session, messages);
      return true;
    });
  }

  async record(task: string, run: TaskRun): Promise<void> {
    await this.#seat.change(({ db }) => {
      const counted =
        run.outcome === "ok"
          ? db.get<[number]>(COUNT_RUN, task, run.tick)
          : db.get<[number]>(COUNT_FAILED_RUN, task);
      if (counted === undefined) return;
      putRun(db, task, counted[0], run);
    });
  }

  runs(task: string): Promise<readonly TaskRun[]> {
    return this.#seat.read(({ db }) => runsOf(db, task));
  }

  pause(task: string, paused: boolean, next?: number): Promise<boolean> {
    return this.#seat.change(
      ({ db }) => (paused ? db.run(PAUSE, task) : db.run(RESUME, next ?? null, task)) === 1,
    );
  }

  remove(task: string): Promise<boolean> {
    return this.#seat.change(({ db }) => db.run(REMOVE, task) === 1);
  }

  list(task?: string): Promise<readonly Schedule[]> {
    return this.#seat.read((session) => read(session, task));
  }
}

function read({ db }: Session, task: string | undefined): Schedule[] {
  return schedulesIn(db, task);
}

function schedulesIn(db: Database, task: string | undefined): Schedule[] {
  const rows = task === undefined ? db.all<ScheduleRow>(READ_ALL) : db.all<ScheduleRow>(READ, task);
  return rows.map(([name, hash, definition, next, paused, lastTick, lastSuccess, fired]) => ({
    task: name,
    hash,
    definition,
    next: next ?? undefined,
    paused: paused === 1,
    lastTick: lastTick ?? undefined,
    lastSuccess: lastSuccess ?? undefined,
    fired,
  }));
}

function runsOf(db: Database, task: string): TaskRun[] {
  return db
    .all<RunRow>(READ_RUNS, task)
    .map(([tick, startedAt, duration, outcome, instance, attempt, error]) => ({
      tick,
      startedAt,
      duration,
      outcome,
      instance,
      attempt,
      error: error ?? undefined,
    }));
}

/** @param no How many runs there were, with this one. */
function putRun(db: Database, task: string, no: number, run: TaskRun): void {
  const { tick, startedAt, duration, outcome, instance, attempt, error } = run;
  // prettier-ignore
  db.run(RECORD, task, no % RUNS_KEPT, no, tick, startedAt, duration, outcome, instance, attempt, error ?? null);
}

/** All timers, to be carried over. */
export function storedSchedules(db: Database): StoredRecord[] {
  return schedulesIn(db, undefined).map((schedule) => ({
    kind: "schedule",
    ...schedule,
    runs: runsOf(db, schedule.task),
  }));
}

/** Stores a timer that was carried over. */
export function storeSchedule(
  db: Database,
  { runs, ...schedule }: Schedule & { readonly runs: readonly TaskRun[] },
): void {
  const { task, hash, definition, next, paused, lastTick, lastSuccess, fired } = schedule;
  // prettier-ignore
  db.run(STORE, task, hash, definition, next ?? null, paused ? 1 : 0, lastTick ?? null, lastSuccess ?? null, fired, runs.length);
  runs.forEach((run, at) => putRun(db, task, runs.length - at, run));
}
