import type { HeapItem } from "../heap.ts";
import type { TimeHandler } from "../handler.ts";
import {
  definitionOf,
  hashOf,
  type Misfire,
  type ScheduleDefinition,
  type Timetable,
  timetableOf,
} from "./schedule.ts";

/** What is known of the runs of a task whose ticks run in this process; nothing of it is stored. */
export interface LocalRuns {
  /** Runs under way or waiting for the one before. */
  pending: number;
  /** The end of the last of them. */
  tail: Promise<void>;
  lastTick: number | undefined;
  lastSuccess: number | undefined;
}

/** A declared task while the scheduler runs. Kept small: there may be a hundred thousand. */
export class TimedTask implements HeapItem {
  readonly handler: TimeHandler;
  /** The hash under which the task is stored, once that is known; another one than `hash` when another replica declares it differently. */
  storedHash: string | undefined = undefined;
  timetable: Timetable;
  misfire: Misfire;
  /** The next tick; for a cluster task as the engine had it when it was last asked. */
  next: number | undefined = undefined;
  paused = false;
  /** Its place in the scheduler's heap, and the moment at which it is looked at. */
  slot = -1;
  wake = 0;
  /** The engine is being asked about it; meanwhile nobody else may put it into the heap. */
  asking = false;
  local: LocalRuns | undefined = undefined;

  /** @throws {DeclarationError} when the schedule is wrong. */
  constructor(handler: TimeHandler) {
    const definition = definitionOf(handler.name, handler.options);
    this.handler = handler;
    this.timetable = timetableOf(handler.name, definition);
    this.misfire = definition.misfire;
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
    this.storedHash = hash;
  }
}
