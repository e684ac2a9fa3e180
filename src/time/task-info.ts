import type { Schedule } from "../engine.ts";
import { definitionIn } from "./cluster-ticks.ts";
import type { ScheduleDefinition } from "./schedule.ts";
import type { TimedTask } from "./timed-task.ts";

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
  /** Stored, but not declared in this process: its code may be gone. */
  readonly orphaned: boolean;
  /** Another replica declares it differently, and that is in force. */
  readonly disagrees: boolean;
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
    orphaned: true,
    disagrees: false,
  };
}
