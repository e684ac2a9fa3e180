import type { Clock, Timer } from "../clock.ts";
import type { Logger } from "../log.ts";
import { Alarm } from "./alarm.ts";
import type { ClusterTicks } from "./cluster-ticks.ts";
import type { InstanceTicks } from "./instance-ticks.ts";
import type { TimedTask } from "./timed-task.ts";
import { WakeQueue } from "./wake-queue.ts";

/** The wait before the engine is asked again after a failure, and after a refusal (somebody changed the task in that very moment). */
const FAILED_WAIT = 1_000;
const REFUSED_WAIT = 20;
/** What is stored is read as a whole now and then, should a word from another replica have been lost: each minute, or with very many tasks each 10 ms times their number. */
const LOOK_WAIT = 60_000;
const LOOK_WAIT_PER_TASK = 10;

/** What the loop works with. */
interface TickLoopParts {
  readonly clock: Clock;
  /** The time by which ticks go. */
  readonly now: () => number;
  readonly local: InstanceTicks;
  readonly cluster: ClusterTicks | undefined;
  readonly log: () => Logger;
}

/** Wakes each task at its moment: one queue and one timer for all, so that what is not due costs nothing. */
export class TickLoop {
  readonly tasks = new Map<string, TimedTask>();
  /** The engine's last failure; undefined while it works. */
  fault: unknown;
  readonly #parts: TickLoopParts;
  readonly #alarm: Alarm;
  readonly #queue = new WakeQueue<TimedTask>();
  /** Questions to the engine under way. */
  readonly #asked = new Set<Promise<void>>();
  /** Not made known to the engine yet. */
  #joining: TimedTask[] = [];
  #open = false;
  #turning = false;
  #lookTimer: Timer | undefined;
  #unlisten: () => void = () => {};

  constructor(parts: TickLoopParts) {
    this.#parts = parts;
    this.#alarm = new Alarm(parts.clock, parts.now, () => this.#turn());
  }

  /** When the next task is looked at. */
  get next(): number | undefined {
    return this.#queue.next;
  }

  /** The engine's side of a task; undefined for one whose ticks run in this process. */
  clusterOf(task: TimedTask): ClusterTicks | undefined {
    return task.handler.options.scope === "instance" ? undefined : this.#parts.cluster;
  }

  open(): void {
    this.#open = true;
    this.#unlisten = this.#parts.cluster?.listen((task) => this.#track(this.look(task))) ?? this.#unlisten;
    this.#lookLater();
  }

  /** Adds a task; those added in one go are made known to the engine together. */
  add(task: TimedTask): void {
    this.tasks.set(task.name, task);
    task.present = true;
    if (!this.clusterOf(task)) {
      task.next = task.timetable.next(this.#parts.now());
      this.plan(task);
    } else if (this.#joining.push(task) === 1) {
      queueMicrotask(() => this.#track(this.#joinLate()));
    }
  }

  remove(task: TimedTask): void {
    if (this.tasks.get(task.name) !== task) return;
    this.tasks.delete(task.name);
    task.present = false;
    this.#queue.remove(task);
    this.#alarm.set(this.next);
  }

  /** Makes the added tasks known to the engine. */
  async join(): Promise<void> {
    const tasks = this.#joining.splice(0).filter((task) => task.present);
    await this.#parts.cluster?.join(tasks);
    for (const task of tasks) this.plan(task);
  }

  /** Puts a task where its `next` says, or takes it out when it has none or is paused. */
  plan(task: TimedTask, wait = 0): void {
    if (!task.present || task.asking) return;
    const wake = wait > 0 ? this.#parts.now() + wait : task.paused ? undefined : task.next;
    if (wake === undefined) this.#queue.remove(task);
    else this.#queue.set(task, wake);
    if (!this.#turning) this.#alarm.set(this.next);
  }

  /** Takes over what is stored of one task or of all. */
  async look(name?: string): Promise<void> {
    const { cluster } = this.#parts;
    if (!cluster || (name !== undefined && !this.tasks.has(name))) return;
    for (const row of (await cluster.rows(name)).values()) {
      const task = this.tasks.get(row.task);
      if (!task || task.asking || !this.clusterOf(task)) continue;
      cluster.adopt(task, row);
      this.plan(task);
    }
  }

  /** Fires nothing more; resolves when the engine has answered everything it was asked. */
  async close(): Promise<void> {
    this.#open = false;
    this.#unlisten();
    this.#lookTimer?.cancel();
    this.#alarm.set(undefined);
    this.#queue.clear();
    this.#joining = [];
    for (const task of this.tasks.values()) task.present = false;
    this.tasks.clear();
    while (this.#asked.size > 0) await Promise.all(this.#asked);
  }

  #turn(): void {
    const now = this.#parts.now();
    this.#turning = true;
    for (let task = this.#queue.peek(); task && (this.next ?? now) <= now; task = this.#queue.peek()) {
      this.#fire(task, now);
    }
    this.#turning = false;
    this.#alarm.set(this.next);
  }

  #fire(task: TimedTask, now: number): void {
    const cluster = this.clusterOf(task);
    if (cluster) {
      this.#queue.remove(task);
      this.#track(this.#ask(cluster, task));
    } else {
      this.#parts.local.fire(task, now);
      this.plan(task);
    }
  }

  async #ask(cluster: ClusterTicks, task: TimedTask): Promise<void> {
    let wait = 0;
    task.asking = true;
    try {
      if (!(await cluster.fire(task))) wait = REFUSED_WAIT;
      this.fault = undefined;
    } catch (error) {
      wait = this.#failed(error);
    }
    task.asking = false;
    this.plan(task, wait);
  }

  /** Tasks that could not be made known are looked at again like those whose tick failed, which makes them known. */
  async #joinLate(): Promise<void> {
    const tasks = [...this.#joining];
    try {
      await this.join();
    } catch (error) {
      const wait = this.#failed(error);
      for (const task of tasks) this.plan(task, wait);
    }
  }

  #failed(error: unknown): number {
    if (this.fault === undefined) {
      this.#parts.log().error({ err: error }, "the engine failed: ticks wait until it answers");
    }
    this.fault = error;
    return FAILED_WAIT;
  }

  #lookLater(): void {
    // Within one process no word is lost.
    if (!this.#parts.cluster?.shared) return;
    this.#lookTimer = this.#parts.clock.setTimer(
      () => this.#track(this.look().finally(() => this.#open && this.#lookLater())),
      Math.max(LOOK_WAIT, LOOK_WAIT_PER_TASK * this.tasks.size),
    );
  }

  #track(asked: Promise<void>): void {
    const ended = asked
      .catch((error: unknown) => void this.#failed(error))
      .finally(() => this.#asked.delete(ended));
    this.#asked.add(ended);
  }
}
