import type { NewMessage } from "./engine.ts";

/* The part of the engine contract that keeps timers. */

/** A timer as it is stored. */
export interface Schedule {
  readonly task: string;
  /** Of the definition; replicas that declare the task differently have different ones. */
  readonly hash: string;
  /** JSON of the definition, for people. */
  readonly definition: string;
  /** The next moment to fire; undefined when there is none left. */
  readonly next: number | undefined;
  readonly paused: boolean;
  readonly lastTick: number | undefined;
  readonly lastSuccess: number | undefined;
  /** How many ticks were fired since the task was first stored. */
  readonly fired: number;
}

/** How many runs of a task its history keeps. */
export const RUNS_KEPT = 20;

/** One run of a task, as its history keeps it. */
export interface TaskRun {
  /** The moment the tick was for. */
  readonly tick: number;
  readonly startedAt: number;
  /** Whole milliseconds. */
  readonly duration: number;
  /** As metrics count it. */
  readonly outcome: "ok" | "error" | "timeout" | "cancelled";
  /** The instance's id. */
  readonly instance: string;
  readonly attempt: number;
  /** Why it did not end well, in one line. */
  readonly error?: string | undefined;
}

/** The timers of the cluster. */
export interface Schedules {
  /** Stores a definition if the task is new or its hash differs (then with the given `next`); what is stored afterwards is returned. Atomic: of many replicas that start at once, one writes. */
  define(schedule: Pick<Schedule, "task" | "hash" | "definition" | "next">): Promise<Schedule>;
  /** Moves `next` on, sets `lastTick` to `tick`, adds the number of messages to `fired` and publishes them, all in one step, if and only if `next` still is `tick`, the hash is the same and the task is not paused; false otherwise, and nothing is done. */
  fire(
    task: string,
    hash: string,
    tick: number,
    next: number | undefined,
    messages: readonly NewMessage[],
  ): Promise<boolean>;
  /** Adds a run to the task's history, which keeps the last {@link RUNS_KEPT}, and stores the tick of one that ended well (`ok`) as `lastSuccess`, unless a later one is stored; nothing is done when there is no such task. */
  record(task: string, run: TaskRun): Promise<void>;
  /** The last runs, newest first: in the order recorded; empty when there is no such task. */
  runs(task: string): Promise<readonly TaskRun[]>;
  /** Pauses or resumes a task durably; when resumed, `next` is set. False when there is no such task. */
  pause(task: string, paused: boolean, next?: number): Promise<boolean>;
  /** Forgets a task and its history; false when there is none. */
  remove(task: string): Promise<boolean>;
  /** All tasks, or the one that is named, if there is such a task. */
  list(task?: string): Promise<readonly Schedule[]>;
}
