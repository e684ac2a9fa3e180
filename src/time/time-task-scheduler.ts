import { alike } from "../alike.ts";
import type { Clock } from "../clock.ts";
import { type Duration, toMs } from "../duration.ts";
import type { Engine, Schedule, TaskRun } from "../engine.ts";
import { CancelledError, FrameworkError, LifecycleError } from "../errors.ts";
import type { Handler, TimeHandler } from "../handler.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import { defaultRegistry, type HandlerRegistry } from "../registry.ts";
import { ClusterTicks, definitionIn, nextTick } from "./cluster-ticks.ts";
import { InstanceTicks } from "./instance-ticks.ts";
import { describeStored, describeTask, type TaskDetail, type TaskInfo, ticksAfter } from "./task-info.ts";
import { TickLoop } from "./tick-loop.ts";
import { TimedTask } from "./timed-task.ts";
import { timetableOf } from "./timetable.ts";

/** How a scheduler is made; everything has a default. */
export interface TimeTaskSchedulerOptions {
  /** Where the tasks are declared. @default the registry of the module-level `timeOn` */
  readonly registry?: HandlerRegistry;
  /** What the runs of tasks in this process pass through. @default a bare one */
  readonly pipeline?: Pipeline;
  /** Makes each tick durable, and one for all replicas; it must be started. @default none: every task runs in this process alone */
  readonly engine?: Engine | undefined;
  /** @default the pipeline's */
  readonly clock?: Clock;
  /** `false` lists tasks but fires none (`SCHEDULER_ENABLED`). @default true */
  readonly enabled?: boolean;
  /** What the histories of tasks that run here call this process. @default the process id */
  readonly instance?: string;
}

/**
 * Fires the ticks of the tasks that `timeOn` declared, those included that are declared while it runs.
 *
 * @example
 * timeOn("system_monitor", { every: "3s" }).execute(() => console.log("fine"));
 * const scheduler = new TimeTaskScheduler();
 * await scheduler.start();
 */
export class TimeTaskScheduler {
  readonly #registry: HandlerRegistry;
  readonly #pipeline: Pipeline;
  readonly #clock: Clock;
  readonly #now: () => number;
  readonly #enabled: boolean;
  readonly #local: InstanceTicks;
  readonly #cluster: ClusterTicks | undefined;
  readonly #loop: TickLoop;
  /** Start and stop take their turns. */
  #life: Promise<void> = Promise.resolve();
  #running = false;
  #unwatch: () => void = () => {};

  constructor(options: TimeTaskSchedulerOptions = {}) {
    const { engine } = options;
    const pipeline = options.pipeline ?? new Pipeline();
    const clock = options.clock ?? pipeline.environment.clock;
    const now = engine ? () => engine.now() : () => clock.now();
    const log = () => pipeline.environment.log;
    this.#registry = options.registry ?? defaultRegistry;
    this.#pipeline = pipeline;
    this.#clock = clock;
    this.#now = now;
    this.#enabled = options.enabled ?? true;
    this.#local = new InstanceTicks(
      pipeline,
      now,
      options.instance ?? String(process.pid),
      () => this.#loop.tasks.size,
    );
    this.#cluster = engine && new ClusterTicks(engine, log);
    this.#loop = new TickLoop({ clock, now, local: this.#local, cluster: this.#cluster, log });
  }

  /** Whether ticks are fired: started, and not disabled. */
  get running(): boolean {
    return this.#running;
  }

  /** When the next task is due, as far as this process knows; in the past while it is late. */
  get next(): number | undefined {
    return this.#loop.next;
  }

  /** The engine's last failure; undefined while it works. */
  get fault(): unknown {
    return this.#loop.fault;
  }

  /** Begins to fire; resolves when the engine knows every task. Harmless when it is called twice. */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#running) return;
      if (!this.#enabled) {
        this.#pipeline.environment.log.info({}, "the scheduler is disabled: no task ticks in this process");
        return;
      }
      await this.#begin();
    });
  }

  /**
   * Fires nothing more, and waits for the runs under way in this process. Legal before start, and twice.
   * @param timeout After this time their signals are aborted and nobody waits any longer.
   */
  stop(timeout: Duration = "30s"): Promise<void> {
    const ms = toMs(timeout, "timeout of stop");
    // At once, even while a start is under way.
    this.#unwatch();
    const closed = this.#loop.close();
    return this.#inTurn(async () => {
      this.#unwatch();
      this.#running = false;
      const ended = Promise.all([closed, this.#loop.close(), this.#local.drained()]);
      if (await this.#within(ms, ended)) return;
      this.#local.abort(new CancelledError("The scheduler is stopping, and the task's time to end is over."));
    });
  }

  /** All tasks: those declared here in order of declaration, then those that only the engine knows. */
  async tasks(): Promise<TaskInfo[]> {
    const rows = (await this.#cluster?.rows()) ?? new Map<string, Schedule>();
    const infos = this.#declared().map((task) => this.#describe(task, rows.get(task.name)));
    const here = new Set(infos.map(({ name }) => name));
    return infos.concat([...rows.values()].filter((row) => !here.has(row.task)).map(describeStored));
  }

  /**
   * All that is known of a task.
   * @param ticks How many of its next ticks, up to 1000. @default 5
   * @throws {FrameworkError} `TASK_UNKNOWN`.
   */
  async task(name: string, ticks = 5): Promise<TaskDetail> {
    const { task, row } = await this.#find(name);
    return {
      schedule: task ? this.#describe(task, row) : describeStored(row as Schedule), // one of the two was found
      ticks: ticksAfter(name, this.#now(), ticks, task, row),
      runs: await this.#runs(task, row),
    };
  }

  /**
   * The moments of a task's next ticks.
   * @param count How many at the most, up to 1000. @default 5
   * @throws {FrameworkError} `TASK_UNKNOWN`.
   */
  async nextTicks(name: string, count = 5): Promise<number[]> {
    const { task, row } = await this.#find(name);
    return ticksAfter(name, this.#now(), count, task, row);
  }

  /**
   * The last runs of a task, newest first, 20 at the most: of a cluster task those of all replicas, which survive
   * restarts; else those in this process, of which a process with more than a thousand such tasks keeps fewer.
   * @throws {FrameworkError} `TASK_UNKNOWN`.
   */
  async runs(name: string): Promise<readonly TaskRun[]> {
    const { task, row } = await this.#find(name);
    return this.#runs(task, row);
  }

  /**
   * No tick is fired until `resume`: nowhere and durably for a cluster task, in this process for the others.
   * @throws {FrameworkError} `TASK_UNKNOWN`.
   */
  async pause(name: string): Promise<void> {
    const { row, ticking } = await this.#find(name);
    if (row) {
      await this.#cluster?.pause(name);
      await this.#loop.look(name);
    } else {
      ticking().paused = true;
      this.#loop.plan(ticking());
    }
  }

  /**
   * Ends a pause; ticks that fell into it are not caught up with.
   * @throws {FrameworkError} `TASK_UNKNOWN`.
   */
  async resume(name: string): Promise<void> {
    const { row, ticking } = await this.#find(name);
    if (row?.paused) {
      const definition = definitionIn(row);
      const timetable = timetableOf(name, definition);
      await this.#cluster?.resume(name, nextTick(timetable, definition.maxRuns, row, this.#now()));
      await this.#loop.look(name);
    } else if (!row && ticking().paused) {
      const task = ticking();
      task.paused = false;
      const over = (task.local?.fired ?? 0) >= (task.maxRuns ?? Infinity);
      task.next = over ? undefined : task.timetable.next(this.#now());
      this.#loop.plan(task);
    }
  }

  /**
   * Runs a task now, whatever its schedule, pause and overlap say; the schedule goes on as before.
   * @returns The id of the message, or of the run in this process, which has then begun.
   * @throws {FrameworkError} `TASK_UNKNOWN`.
   */
  async runNow(name: string): Promise<string> {
    const { task } = await this.#find(name);
    const cluster = task ? this.#loop.clusterOf(task) : this.#cluster;
    if (cluster) return cluster.runNow(name, task);
    return task ? this.#local.runNow(task) : "";
  }

  #describe(task: TimedTask, row: Schedule | undefined): TaskInfo {
    const shared = this.#loop.clusterOf(task) !== undefined;
    return describeTask(task, shared ? row : undefined, shared ? "cluster" : "instance");
  }

  async #runs(task: TimedTask | undefined, row: Schedule | undefined): Promise<readonly TaskRun[]> {
    if (row && this.#cluster) return this.#cluster.runs(row.task);
    return task?.local?.history ?? [];
  }

  async #begin(): Promise<void> {
    this.#running = true;
    try {
      this.#loop.open();
      this.#unwatch = this.#registry.watch({
        added: (handler) => this.#added(handler),
        removed: (handler) => this.#removed(handler),
      });
      await this.#loop.join();
    } catch (error) {
      this.#unwatch();
      this.#running = false;
      await this.#loop.close();
      throw error;
    }
  }

  #added(handler: Handler): void {
    if (handler.kind === "time") this.#loop.add(new TimedTask(handler));
  }

  #removed(handler: Handler): void {
    const task = this.#loop.tasks.get(handler.name);
    if (task?.handler === handler) this.#loop.remove(task);
  }

  /** The tasks as they run, or while they do not, as they are declared. */
  #declared(): TimedTask[] {
    return this.#registry
      .list()
      .filter((handler): handler is TimeHandler => handler.kind === "time")
      .map((handler) => this.#loop.tasks.get(handler.name) ?? new TimedTask(handler));
  }

  async #find(
    name: string,
  ): Promise<{ task: TimedTask | undefined; row: Schedule | undefined; ticking: () => TimedTask }> {
    const running = this.#loop.tasks.get(name);
    const declared = this.#registry.get(name);
    const task = running ?? (declared?.kind === "time" ? new TimedTask(declared) : undefined);
    const shared = task ? this.#loop.clusterOf(task) : this.#cluster;
    const row = (await shared?.rows(name))?.get(name);
    if (!task && !row) throw this.#unknown(name);
    const ticking = (): TimedTask => {
      if (running) return running;
      throw new LifecycleError(
        "SCHEDULER_NOT_RUNNING",
        `The task "${name}" does not tick in this process: start the scheduler first.`,
      );
    };
    return { task, row, ticking };
  }

  #unknown(name: string): FrameworkError {
    const names = this.#declared().map((task) => task.name);
    const hint = alike(name, names)
      .map((other) => `"${other}"`)
      .join(" or ");
    return new FrameworkError(
      "TASK_UNKNOWN",
      `There is no task "${name}".${hint ? ` Did you mean ${hint}?` : ` Declare it with timeOn("${name}", …).`}`,
    );
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    const turn = this.#life.then(step);
    this.#life = turn.catch(() => {});
    return turn;
  }

  /** Whether `work` ends in time. */
  #within(ms: number, work: Promise<unknown>): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimer(() => resolve(false), ms, true);
      work.then(() => resolve(true), reject).finally(() => timer.cancel());
    });
  }
}
