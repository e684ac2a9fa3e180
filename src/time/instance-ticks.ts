import { RUNS_KEPT } from "../engine.ts";
import type { Tick } from "../handler.ts";
import { Outcome } from "../outcome.ts";
import type { HandlerContext } from "../pipeline/handler-context.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { type EndedRun, RunRecord } from "../pipeline/run-record.ts";
import type { Runner } from "../pipeline/runner.ts";
import { planTicks, withinRuns } from "./misfire.ts";
import { LocalRuns, type TimedTask } from "./timed-task.ts";

/** So many ticks of one task wait for the one before at the most; what comes beyond them is dropped. */
const LONGEST_QUEUE = 100;
/** All histories in this process have so many runs at the most: a hundred thousand tasks have none. */
const MOST_RUNS = 20_000;

/** A run under way: what aborts its signal. */
type Run = HandlerContext | AbortController;

/**
 * The ticks of tasks that run in each process (`scope: "instance"`, and every task of a scheduler without an engine):
 * called directly, retried in place, stored nowhere.
 */
export class InstanceTicks {
  readonly #pipeline: Pipeline;
  readonly #now: () => number;
  readonly #instance: string;
  readonly #running = new Set<Run>();
  #whenIdle: (() => void)[] = [];
  readonly #tasks: () => number;
  #manual = 0;

  /**
   * @param instance What the histories of tasks call this process.
   * @param tasks How many tasks there are.
   */
  constructor(pipeline: Pipeline, now: () => number, instance: string, tasks: () => number) {
    this.#pipeline = pipeline;
    this.#now = now;
    this.#instance = instance;
    this.#tasks = tasks;
  }

  /** Runs what is due of a task and moves its `next` on. */
  fire(task: TimedTask, now: number): void {
    if (task.next === undefined || task.next > now) return;
    const { overlap = "skip" } = task.handler.options;
    const runs = (task.local ??= new LocalRuns());
    const plan = planTicks(task.timetable, task.next, now, task.misfire);
    const busy = overlap === "skip" && runs.pending > 0;
    const left = task.maxRuns === undefined ? Infinity : task.maxRuns - runs.fired;
    const { fire, next } = withinRuns(busy ? { ...plan, fire: [] } : plan, left);
    if (plan.missed)
      this.#log.warn({ task: task.name, since: task.next, fired: fire.length }, "ticks were missed");
    task.next = next;
    // Ticks that are caught up with come one after the other, as they would have come.
    const inTurn = overlap === "queue" || (overlap === "skip" && fire.length > 1);
    for (const [at, scheduled] of fire.entries()) {
      const last = next === undefined && at === fire.length - 1;
      const tick = tickOf(task, runs, scheduled, now, { count: runs.fired + 1, last });
      if (this.#begin(task, tick, inTurn, `${task.name}@${scheduled}`)) runs.fired++;
    }
  }

  /** Runs a task now, outside its schedule; answers the run's id. */
  runNow(task: TimedTask): string {
    const runs = (task.local ??= new LocalRuns());
    const now = this.#now();
    const tick = tickOf(task, runs, now, now, { count: runs.fired, last: false });
    const id = `${task.name}@now-${++this.#manual}`;
    this.#begin(task, tick, task.handler.options.overlap === "queue", id);
    return id;
  }

  /** Resolves when no run is under way. */
  drained(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Aborts the signal of each run under way. */
  abort(reason: Error): void {
    for (const run of this.#running) run.abort(reason);
  }

  /** False when too many wait already. */
  #begin(task: TimedTask, tick: Tick, inTurn: boolean, id: string): boolean {
    const runs = (task.local ??= new LocalRuns());
    if (inTurn && runs.pending >= LONGEST_QUEUE) {
      this.#log.warn(
        { task: task.name, scheduled: tick.scheduled, waiting: runs.pending },
        "tick dropped: too many wait for the one before",
      );
      return false;
    }
    runs.lastTick = tick.scheduled;
    runs.pending++;
    const runner = this.#pipeline.runner(task.handler);
    // A plain run makes its signal when it is asked for: most are not.
    const run = runner.plain ? runner.context(tick, { id }) : new AbortController();
    this.#running.add(run);
    const begin = (): Promise<void> => this.#run(task, runs, runner, run, tick, id);
    if (inTurn) {
      runs.tail = (runs.tail ?? Promise.resolve()).then(() =>
        run.signal.aborted ? this.#ended(runs, run) : begin(),
      );
    } else void begin();
    return true;
  }

  /** Never rejects: there is no caller, so a failure is logged, and counted by the runner. */
  async #run(
    task: TimedTask,
    runs: LocalRuns,
    runner: Runner,
    run: Run,
    tick: Tick,
    id: string,
  ): Promise<void> {
    const now = this.#now();
    const record = this.#kept > 0 ? new RunRecord(tick, now, this.#now) : undefined;
    runner.stats.lateness.observe(Math.max(0, now - tick.scheduled));
    try {
      const result =
        run instanceof AbortController
          ? await runner.call(tick, { id, signal: run.signal })
          : await runner.attempt(run);
      if (!(result instanceof Outcome)) {
        runs.lastSuccess = Math.max(tick.scheduled, runs.lastSuccess ?? tick.scheduled);
      }
      this.#keep(runs, record?.returned(result));
    } catch (error) {
      this.#log.error({ task: task.name, id, err: error }, "tick failed");
      this.#keep(runs, record?.threw(error));
    }
    this.#ended(runs, run);
  }

  #ended(runs: LocalRuns, run: Run): void {
    runs.pending--;
    this.#running.delete(run);
    if (this.#running.size === 0) for (const tell of this.#whenIdle.splice(0)) tell();
  }

  #keep(runs: LocalRuns, ended: EndedRun | undefined): void {
    if (!ended) return;
    runs.history = [{ ...ended, instance: this.#instance, attempt: 1 }, ...runs.history].slice(0, this.#kept);
  }

  /** How many runs of each task are kept. */
  get #kept(): number {
    return Math.min(RUNS_KEPT, Math.floor(MOST_RUNS / Math.max(1, this.#tasks())));
  }

  get #log(): Pipeline["environment"]["log"] {
    return this.#pipeline.environment.log;
  }
}

function tickOf(
  task: TimedTask,
  { lastSuccess }: LocalRuns,
  scheduled: number,
  firedAt: number,
  rest: Pick<Tick, "count" | "last">,
): Tick {
  return { task: task.name, scheduled, firedAt, previousSuccess: lastSuccess, ...rest };
}
