import { type NewMessage, RUNS_KEPT, type Schedule, type Schedules, type TaskRun } from "../../engine.ts";
import { OPEN, script } from "./script.ts";
import type { Seat } from "./seat.ts";
import type { Session } from "./session.ts";

/** ARGV: task, hash, definition, next. */
const DEFINE = script(
  OPEN,
  `
local T = KEYS[1] .. ':t:' .. ARGV[1]
local hash = redis.call('HGET', T, 'hash')
if hash ~= ARGV[2] then
  redis.call('SADD', KEYS[1] .. ':t', ARGV[1])
  redis.call('HSET', T, 'hash', ARGV[2], 'definition', ARGV[3], 'next', ARGV[4])
  if not hash then redis.call('HSET', T, 'paused', '0', 'fired', 0) end
end
return redis.call('HGETALL', T)`,
);
/** ARGV: task, the run, its tick when it ended well. */
const RECORD = script(
  OPEN,
  `
local T, U = KEYS[1] .. ':t:' .. ARGV[1], KEYS[1] .. ':u:' .. ARGV[1]
if redis.call('EXISTS', T) == 0 then return 0 end
redis.call('LPUSH', U, ARGV[2])
redis.call('LTRIM', U, 0, ${RUNS_KEPT - 1})
local last = redis.call('HGET', T, 'lastSuccess') or ''
if ARGV[3] ~= '' and (last == '' or tonumber(last) < tonumber(ARGV[3])) then redis.call('HSET', T, 'lastSuccess', ARGV[3]) end
return 1`,
);
/** ARGV: task, paused, next. */
const PAUSE = script(
  OPEN,
  `
local T = KEYS[1] .. ':t:' .. ARGV[1]
if redis.call('EXISTS', T) == 0 then return 0 end
redis.call('HSET', T, 'paused', ARGV[2])
if ARGV[2] == '0' and ARGV[3] ~= '' then redis.call('HSET', T, 'next', ARGV[3]) end
return 1`,
);
const REMOVE = script(
  OPEN,
  `
redis.call('SREM', KEYS[1] .. ':t', ARGV[1])
redis.call('DEL', KEYS[1] .. ':u:' .. ARGV[1])
return redis.call('DEL', KEYS[1] .. ':t:' .. ARGV[1])`,
);
/** ARGV: a task, or nothing for all. */
const LIST = script(`
local tasks, found = { ARGV[1] }, {}
if not ARGV[1] then
  tasks = redis.call('SMEMBERS', KEYS[1] .. ':t')
  table.sort(tasks)
end
for _, task in ipairs(tasks) do
  local stored = redis.call('HGETALL', KEYS[1] .. ':t:' .. task)
  if #stored > 0 then found[#found + 1] = { task, stored } end
end
return found`);

/** The timers of the cluster: one hash for each task, beside the root. */
export class RedisSchedules implements Schedules {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  async define(schedule: Pick<Schedule, "task" | "hash" | "definition" | "next">): Promise<Schedule> {
    const { task, hash, definition, next } = schedule;
    const stored = await this.#seat.session.root<string[]>(DEFINE, task, hash, definition, next ?? "");
    return read(task, stored);
  }

  async fire(
    task: string,
    hash: string,
    tick: number,
    next: number | undefined,
    messages: readonly NewMessage[],
  ): Promise<boolean> {
    const condition = { kind: "fire", task, hash, tick, next } as const;
    return (await this.#seat.session.tracks.publish(messages, condition)) !== undefined;
  }

  async record(task: string, run: TaskRun): Promise<void> {
    const { outcome, tick } = run;
    await this.#seat.session.root(RECORD, task, JSON.stringify(run), outcome === "ok" ? tick : "");
  }

  async runs(task: string): Promise<readonly TaskRun[]> {
    return runsOf(this.#seat.session, task);
  }

  async pause(task: string, paused: boolean, next?: number): Promise<boolean> {
    return (await this.#seat.session.root<number>(PAUSE, task, paused ? 1 : 0, next ?? "")) === 1;
  }

  async remove(task: string): Promise<boolean> {
    return (await this.#seat.session.root<number>(REMOVE, task)) === 1;
  }

  async list(task?: string): Promise<readonly Schedule[]> {
    return schedulesIn(this.#seat.session, task);
  }
}

/** All tasks, or the one that is named. */
export async function schedulesIn(session: Session, task?: string): Promise<Schedule[]> {
  const found = await session.root<[string, string[]][]>(LIST, ...(task === undefined ? [] : [task]));
  return found.map(([name, stored]) => read(name, stored));
}

/** The last runs of a task, newest first. */
export async function runsOf({ link, keys }: Session, task: string): Promise<TaskRun[]> {
  const texts = await link.call<string[]>("lrange", `${keys.root}:u:${task}`, 0, -1);
  return texts.map((text) => JSON.parse(text) as TaskRun); // written by `record`
}

function read(task: string, flat: readonly string[]): Schedule {
  const stored = new Map<string, string>();
  for (let at = 0; at < flat.length; at += 2) stored.set(flat[at] ?? "", flat[at + 1] ?? "");
  const moment = (name: string): number | undefined => {
    const text = stored.get(name) ?? "";
    return text === "" ? undefined : Number(text);
  };
  return {
    task,
    hash: stored.get("hash") ?? "",
    definition: stored.get("definition") ?? "",
    next: moment("next"),
    paused: stored.get("paused") === "1",
    lastTick: moment("lastTick"),
    lastSuccess: moment("lastSuccess"),
    fired: moment("fired") ?? 0,
  };
}
