import type { NewMessage, Schedule, Schedules } from "../../engine.ts";
import { publishAll } from "./publish.ts";
import type { Seat } from "./seat.ts";
import type { Session } from "./session.ts";

const COLUMNS = "task, hash, definition, next, paused, last_tick, last_success";
const READ = `select ${COLUMNS} from schedule where task = ?`;
const READ_ALL = `select ${COLUMNS} from schedule order by task`;
const DEFINE = `insert into schedule (task, hash, definition, next, paused) values (?, ?, ?, ?, 0)
  on conflict (task) do update set hash = excluded.hash, definition = excluded.definition, next = excluded.next
  where hash <> excluded.hash`;
const FIRE =
  "update schedule set next = ?, last_tick = ?3 where task = ?2 and next = ?3 and hash = ?4 and paused = 0";
const SUCCEEDED = "update schedule set last_success = max(coalesce(last_success, ?1), ?1) where task = ?2";
const PAUSE = "update schedule set paused = 1 where task = ?";
const RESUME = "update schedule set paused = 0, next = coalesce(?, next) where task = ?";
const REMOVE = "delete from schedule where task = ?";

type ScheduleRow = [
  task: string,
  hash: string,
  definition: string,
  next: number | null,
  paused: number,
  lastTick: number | null,
  lastSuccess: number | null,
];

/** The timers of all processes on this file. */
export class SqliteSchedules implements Schedules {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  define(schedule: Pick<Schedule, "task" | "hash" | "definition" | "next">): Promise<Schedule> {
    const { task, hash, definition, next } = schedule;
    return this.#seat.write((session) => {
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
    return this.#seat.write((session) => {
      if (session.db.run(FIRE, next ?? null, task, tick, hash) === 0) return false;
      publishAll(session, messages);
      return true;
    });
  }

  async succeeded(task: string, tick: number): Promise<void> {
    await this.#seat.write(({ db }) => db.run(SUCCEEDED, tick, task));
  }

  pause(task: string, paused: boolean, next?: number): Promise<boolean> {
    return this.#seat.write(
      ({ db }) => (paused ? db.run(PAUSE, task) : db.run(RESUME, next ?? null, task)) === 1,
    );
  }

  remove(task: string): Promise<boolean> {
    return this.#seat.write(({ db }) => db.run(REMOVE, task) === 1);
  }

  list(task?: string): Promise<readonly Schedule[]> {
    return this.#seat.read((session) => read(session, task));
  }
}

function read({ db }: Session, task: string | undefined): Schedule[] {
  const rows = task === undefined ? db.all<ScheduleRow>(READ_ALL) : db.all<ScheduleRow>(READ, task);
  return rows.map(([name, hash, definition, next, paused, lastTick, lastSuccess]) => ({
    task: name,
    hash,
    definition,
    next: next ?? undefined,
    paused: paused === 1,
    lastTick: lastTick ?? undefined,
    lastSuccess: lastSuccess ?? undefined,
  }));
}
