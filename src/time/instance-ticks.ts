import type { Call } from "../pipeline/handler-context.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { planTicks } from "./misfire.ts";
import type { LocalRuns, TimedTask } from "./timed-task.ts";

/** So many ticks of one task wait for the one before at the most; what comes beyond them is dropped. */
const LONGEST_QUEUE = 100;

/**
 * The ticks of tasks that run in each process (`scope: "instance"`, and every task of a scheduler without an engine):
 * called directly, retried in place, stored nowhere.
 */
export class InstanceTicks {
  readonly #pipeline: Pipeline;
  readonly #now: () => number;
  readonly #running = new Map<Promise<void>, AbortController>();
  #manual = 0;

  constructor(pipeline: Pipeline, now: () => number) {
    this.#pipeline = pipeline;
    this.#now = now;
  }

  /** Runs what is due of a task and moves its `next` on. */
  fire(task: TimedTask): void {
    const now = this.#now();
    if (task.next === undefined || task.next > now) return;
    const { fire, next, missed } = planTicks(task.timetable, task.next, now, task.misfire);
    if (missed)
      this.#log.warn({ task: task.name, since: task.next, fired: fire.length }, "ticks were missed");
    task.next = next;
    const { overlap = "skip" } = task.handler.options;
    const runs = runsOf(task);
    if (overlap === "skip" && runs.pending > 0) return;
    // Ticks that are caught up with come one after the other, as they would have come.
    const inTurn = overlap === "queue" || (overlap === "skip" && fire.length > 1);
    for (const tick of fire) this.#begin(task, tick, inTurn);
  }

  /** Runs a task now, outside its schedule; answers the run's id. */
  runNow(task: TimedTask): string {
    return this.#begin(
      task,
      this.#now(),
      task.handler.options.overlap === "queue",
      `${task.name}@now-${++this.#manual}`,
    );
  }

  /** Resolves when no run is under way. */
  async drained(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.keys());
  }

  /** Aborts the signal of each run under way. */
  abort(reason: Error): void {
    for (const controller of this.#running.values()) controller.abort(reason);
  }

  #begin(task: TimedTask, scheduled: number, inTurn: boolean, id = `${task.name}@${scheduled}`): string {
    const runs = runsOf(task);
    if (inTurn && runs.pending >= LONGEST_QUEUE) {
      this.#log.warn(
        { task: task.name, scheduled, waiting: runs.pending },
        "tick dropped: too many wait for the one before",
      );
      return id;
    }
    runs.lastTick = scheduled;
    runs.pending++;
    const controller = new AbortController();
    const start = (): Promise<void> => this.#run(task, scheduled, { id, signal: controller.signal });
    const run = inTurn ? runs.tail.then(start) : start();
    const ended = run.then(() => {
      runs.pending--;
      this.#running.delete(ended);
    });
    runs.tail = ended;
    this.#running.set(ended, controller);
    return id;
  }

  /** Never rejects: there is no caller, so a failure is logged, and counted by the runner. */
  async #run(task: TimedTask, scheduled: number, call: Call): Promise<void> {
    if (call.signal?.aborted) return;
    const runs = runsOf(task);
    const runner = this.#pipeline.runner(task.handler);
    runner.stats.lateness.observe(Math.max(0, this.#now() - scheduled));
    try {
      await runner.call({ task: task.name, scheduled, previousSuccess: runs.lastSuccess }, call);
      runs.lastSuccess = Math.max(scheduled, runs.lastSuccess ?? scheduled);
    } catch (error) {
      this.#log.error({ task: task.name, id: call.id, err: error }, "tick failed");
    }
  }

  get #log(): Pipeline["environment"]["log"] {
    return this.#pipeline.environment.log;
  }
}

function runsOf(task: TimedTask): LocalRuns {
  return (task.local ??= {
    pending: 0,
    tail: Promise.resolve(),
    lastTick: undefined,
    lastSuccess: undefined,
  });
}
