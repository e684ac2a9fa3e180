import { type NewMessage, RUNS_KEPT, type Schedule, type Schedules, type TaskRun } from "../../engine.ts";
import type { Seat } from "./seat.ts";

/** Timers by task. Each method is one step: nothing else runs in between. */
export class MemorySchedules implements Schedules {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  async define({
    task,
    hash,
    definition,
    next,
  }: Pick<Schedule, "task" | "hash" | "definition" | "next">): Promise<Schedule> {
    const stored = this.#seat.open.schedules.get(task);
    if (stored?.hash === hash) return stored;
    const fresh = { paused: false, lastTick: undefined, lastSuccess: undefined, fired: 0 };
    return this.#put({ ...(stored ?? fresh), task, hash, definition, next });
  }

  async fire(
    task: string,
    hash: string,
    tick: number,
    next: number | undefined,
    messages: readonly NewMessage[],
  ): Promise<boolean> {
    const stored = this.#seat.open.schedules.get(task);
    if (!stored || stored.paused || stored.hash !== hash || stored.next !== tick) return false;
    this.#put({ ...stored, next, lastTick: tick, fired: stored.fired + messages.length });
    this.#seat.store.publish(messages);
    return true;
  }

  async record(task: string, run: TaskRun): Promise<void> {
    const { schedules, runs } = this.#seat.store;
    const stored = schedules.get(task);
    if (!stored) return;
    runs.set(task, [run, ...(runs.get(task) ?? [])].slice(0, RUNS_KEPT));
    if (run.outcome !== "ok" || (stored.lastSuccess ?? -Infinity) >= run.tick) return;
    this.#put({ ...stored, lastSuccess: run.tick });
  }

  async runs(task: string): Promise<readonly TaskRun[]> {
    return this.#seat.store.runs.get(task) ?? [];
  }

  async pause(task: string, paused: boolean, next?: number): Promise<boolean> {
    const stored = this.#seat.open.schedules.get(task);
    if (!stored) return false;
    this.#put({ ...stored, paused, next: paused ? stored.next : (next ?? stored.next) });
    return true;
  }

  async remove(task: string): Promise<boolean> {
    this.#seat.open.runs.delete(task);
    return this.#seat.open.schedules.delete(task);
  }

  async list(task?: string): Promise<readonly Schedule[]> {
    if (task === undefined) return [...this.#seat.store.schedules.values()];
    const stored = this.#seat.store.schedules.get(task);
    return stored ? [stored] : [];
  }

  #put(schedule: Schedule): Schedule {
    // Handed out as it is: frozen, and replaced when it changes.
    this.#seat.store.schedules.set(schedule.task, Object.freeze(schedule));
    return schedule;
  }
}
