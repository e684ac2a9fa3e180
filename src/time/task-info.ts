import type { Schedule, TaskRun } from "../engine.ts";
import { definitionIn } from "./cluster-ticks.ts";
import type { ScheduleDefinition } from "./schedule.ts";
import type { TimedTask } from "./timed-task.ts";
import { timetableOf } from "./timetable.ts";

/** A task for lists. Moments are milliseconds since 1970. */
export interface TaskInfo {
  readonly name: string;
  readonly description: string | undefined;
  /** Undefined where the task is declared on other replicas only. */
  readonly site: string | undefined;
  readonly scope: "cluster" | "instance";
  /** The definition in force. */
  readonly definition: ScheduleDefinition;
  readonly next: number | undefined;
  readonly paused: boolean;
  readonly lastTick: number | undefined;
  /** The last tick that ended well. */
  readonly lastSuccess: number | undefined;
  /** How many ticks were fired since the task was first stored, or since this process has started. */
  readonly fired: number;
  /** Stored, but not declared in this process: its code may be gone. */
  readonly orphaned: boolean;
  /** Another replica declares it differently, and that is in force. */
  readonly disagrees: boolean;
}

/** All that is known of a task. */
export interface TaskDetail {
  readonly schedule: TaskInfo;
  /** The next ones, in milliseconds since 1970. */
  readonly ticks: readonly number[];
  /** The last ones, newest first. */
  readonly runs: readonly TaskRun[];
}

/** Describes a task that is declared here, with what is stored of it. */
export function describeTask(task: TimedTask, row: Schedule | undefined, scope: TaskInfo["scope"]): TaskInfo {
  const { handler, local } = task;
  return {
    name: task.name,
    description: handler.options.description,
    site: handler.site,
    scope,
    definition: row ? definitionIn(row) : task.definition,
    next: row ? row.next : task.next,
    paused: row ? row.paused : task.paused,
    lastTick: row ? row.lastTick : local?.lastTick,
    lastSuccess: row ? row.lastSuccess : local?.lastSuccess,
    fired: row ? row.fired : (local?.fired ?? 0),
    orphaned: false,
    disagrees: row !== undefined && row.hash !== task.hash,
  };
}

/** Describes a task of which only the engine knows. */
export function describeStored(row: Schedule): TaskInfo {
  return {
    name: row.task,
    description: undefined,
    site: undefined,
    scope: "cluster",
    definition: definitionIn(row),
    next: row.next,
    paused: row.paused,
    lastTick: row.lastTick,
    lastSuccess: row.lastSuccess,
    fired: row.fired,
    orphaned: true,
    disagrees: false,
  };
}

/** How many ticks of a task may be asked for. */
const MOST_TICKS = 1_000;

/** The first ticks of a task after a moment, as the definition in force has them. */
export function ticksAfter(
  name: string,
  after: number,
  count: number,
  task: TimedTask | undefined,
  row: Schedule | undefined,
): number[] {
  const definition = row ? definitionIn(row) : task?.definition;
  if (!definition) return [];
  const fired = row ? row.fired : (task?.local?.fired ?? 0);
  const most = Math.min(count, MOST_TICKS, (definition.maxRuns ?? Infinity) - fired);
  const timetable = timetableOf(name, definition);
  const ticks: number[] = [];
  for (
    let tick = timetable.next(after);
    tick !== undefined && ticks.length < most;
    tick = timetable.next(tick)
  ) {
    ticks.push(tick);
  }
  return ticks;
}
