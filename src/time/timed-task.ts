import type { TaskRun } from "../engine.ts";
import type { TimeHandler, Timetable } from "../handler.ts";
import { definitionOf, hashOf, type Misfire, misfireOf, type ScheduleDefinition } from "./schedule.ts";
import { timetableOf } from "./timetable.ts";
import type { WakeItem } from "./wake-queue.ts";

/** What is known of the runs of a task whose ticks run in this process; nothing of it is stored. */
export class LocalRuns {
  /** Runs under way or waiting for the one before. */
  pending = 0;
  /** The end of the last of those that run one after the other. */
  tail: Promise<void> | undefined = undefined;
  lastTick: number | undefined = undefined;
  lastSuccess: number | undefined = undefined;
  fired = 0;
  /** Newest first. */
  history: readonly TaskRun[] = NO_RUNS;
}

const NO_RUNS: readonly TaskRun[] = [];

/** A declared task while the scheduler runs. Kept small: there may be a hundred thousand. */
export class TimedTask implements WakeItem {
  readonly handler: TimeHandler;
  /** The hash under which the task is stored, once that is known; another one than `hash` when another replica declares it differently. */
  storedHash: string | undefined = undefined;
  timetable: Timetable;
  misfire: Misfire;
  maxRuns: number | undefined;
  /** The next tick; for a cluster task as the engine had it when it was last asked. */
  next: number | undefined = undefined;
  paused = false;
  /** Its place in the scheduler's queue. */
  slot = -1;
  /** The engine is being asked about it; meanwhile nobody else may put it into the queue. */
  asking = false;
  /** It is one of the loop's tasks, and the loop runs. */
  present = false;
  local: LocalRuns | undefined = undefined;

  /** @throws {DeclarationError} when the schedule is wrong. */
  constructor(handler: TimeHandler) {
    const { options } = handler;
    this.handler = handler;
    this.timetable = handler.timetable ?? timetableOf(handler.name, definitionOf(handler.name, options));
    this.misfire = misfireOf(options);
    this.maxRuns = options.maxRuns;
  }

  get name(): string {
    return this.handler.name;
  }

  /** As declared here. Worked out on demand, like its hash: after the registration few ask. */
  get definition(): ScheduleDefinition {
    return definitionOf(this.name, this.handler.options);
  }

  get hash(): string {
    return hashOf(JSON.stringify(this.definition));
  }

  /** Ticks from now on as a stored definition says, this replica's own or another's. */
  follow(definition: ScheduleDefinition, hash: string): void {
    const timetable = timetableOf(this.name, definition);
    timetable.next(0); // throws now what it would throw later
    this.timetable = timetable;
    this.misfire = definition.misfire;
    this.maxRuns = definition.maxRuns;
    this.storedHash = hash;
  }
}
