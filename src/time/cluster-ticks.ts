import type { Engine, NewMessage, Schedule, TaskRun } from "../engine.ts";
import type { Tick, Timetable } from "../handler.ts";
import type { Logger } from "../log.ts";
import { Semaphore } from "../pipeline/semaphore.ts";
import { planTicks, type TickPlan, withinRuns } from "./misfire.ts";
import { hashOf, type ScheduleDefinition } from "./schedule.ts";
import type { TimedTask } from "./timed-task.ts";
import { timetableOf } from "./timetable.ts";

/** Calls to the engine under way at a time, when many tasks are due at once: enough for it to batch them. */
const CALLS = 256;
/** How long the engine remembers that a tick was published, should the clock go back while a definition changes. */
const DEDUPE_MS = 3_600_000;
/** Replicas tell each other here, by the task's name, that somebody changed something; empty for many tasks. */
const CHANNEL = "schedules";

/**
 * The ticks of tasks that run once in the whole cluster. There is no leader: every replica tries to move the stored
 * `next` on and to publish the tick, in one step, and the engine lets one of them. What is stored decides, not what a
 * replica remembers: it is read again before each tick.
 */
export class ClusterTicks {
  readonly #engine: Engine;
  readonly #log: () => Logger;
  readonly #places = new Semaphore(CALLS);

  constructor(engine: Engine, log: () => Logger) {
    this.#engine = engine;
    this.#log = log;
  }

  /** Whether other processes see the same tasks. */
  get shared(): boolean {
    return this.#engine.capabilities.shared;
  }

  /** Makes the tasks known to the engine and learns what it knows of them. */
  async join(tasks: readonly TimedTask[]): Promise<void> {
    if (tasks.length === 0) return;
    await this.#engine.queue.subscribe(tasks.map(({ name }) => ({ handler: name, topic: undefined })));
    const rows = await this.rows(tasks.length === 1 ? tasks[0]?.name : undefined);
    const redefined: TimedTask[] = [];
    await Promise.all(
      tasks.map((task) =>
        this.#inPlace(async () => {
          const row = rows.get(task.name);
          const same = row?.hash === task.hash;
          if (row && !same) redefined.push(task);
          this.adopt(task, row && same ? row : await this.#define(task, row));
        }),
      ),
    );
    if (redefined.length > 0) await this.#announce(redefined.length === 1 ? (redefined[0]?.name ?? "") : "");
  }

  /**
   * Publishes what is due of a task, unless another replica was first.
   * @returns false when it was refused, and what is stored must be looked at again.
   */
  fire(task: TimedTask): Promise<boolean> {
    return this.#inPlace(async () => {
      const { overlap = "skip" } = task.handler.options;
      const [rows, unfinished] = await Promise.all([
        this.rows(task.name),
        overlap === "skip" ? this.#engine.queue.list({ handler: task.name, limit: 1 }) : [],
      ]);
      const row = rows.get(task.name) ?? (await this.#restore(task));
      this.adopt(task, row);
      const tick = task.next;
      const now = this.#engine.now();
      if (task.paused || tick === undefined || tick > now) return true;
      const plan = planTicks(task.timetable, tick, now, task.misfire);
      const busy = unfinished.length > 0;
      // Whoever else fires the task moves its `next` on, so what is counted here is right if this one is let.
      const wanted = withinRuns(busy ? { ...plan, fire: [] } : plan, (task.maxRuns ?? Infinity) - row.fired);
      const messages = ticksOf(task, row, wanted, now);
      const first = await this.#engine.schedules.fire(task.name, row.hash, tick, wanted.next, messages);
      if (!first) return false;
      task.next = wanted.next;
      this.#report(task, tick, plan, busy);
      return true;
    });
  }

  /** Takes over what is stored of a task. */
  adopt(task: TimedTask, row: Schedule): void {
    if (row.hash !== task.storedHash) this.#follow(task, row);
    task.paused = row.paused;
    task.next = task.timetable === UNREADABLE ? undefined : row.next;
  }

  #follow(task: TimedTask, row: Schedule): void {
    const fields = { task: task.name, stored: row.definition, site: task.handler.site };
    const own = row.hash === task.hash;
    if (own && task.storedHash === undefined) {
      task.storedHash = row.hash;
      return;
    }
    try {
      task.follow(definitionIn(row), row.hash);
    } catch (error) {
      task.timetable = UNREADABLE;
      task.storedHash = row.hash;
      this.#log().error(
        { ...fields, err: error },
        "the stored definition of a task cannot be read here: its ticks are left to other replicas",
      );
      return;
    }
    if (own) return;
    this.#log().warn(
      { ...fields, here: JSON.stringify(task.definition) },
      "replicas disagree on when a task ticks: the definition that was stored last is followed; deploy the same code everywhere",
    );
  }

  /** What is stored, by task. */
  async rows(task?: string): Promise<Map<string, Schedule>> {
    const rows = await this.#engine.schedules.list(task);
    return new Map(rows.map((row) => [row.task, row]));
  }

  /** The last runs of a task, newest first. */
  runs(task: string): Promise<readonly TaskRun[]> {
    return this.#engine.schedules.runs(task);
  }

  /** Publishes a tick outside the schedule, for whichever replica serves the task; resolves with the message's id. */
  async runNow(name: string, task: TimedTask | undefined): Promise<string> {
    const { priority = 0, overlap = "skip" } = task?.handler.options ?? {};
    if (task) await this.#engine.queue.subscribe([{ handler: name, topic: undefined }]);
    const row = (await this.rows(name)).get(name);
    const scheduled = this.#engine.now();
    const key = overlap === "queue" ? keyOf(name) : undefined;
    const payload = payloadOf(name, row, scheduled, scheduled, { count: row?.fired ?? 0, last: false });
    const message = { event: name, payload, priority, due: scheduled, key, to: name };
    const [published] = await this.#engine.queue.publish([message]);
    return published?.id ?? "";
  }

  /** False when no such task is stored. */
  async pause(task: string): Promise<boolean> {
    const known = await this.#engine.schedules.pause(task, true);
    if (known) await this.#announce(task);
    return known;
  }

  /** @param next The task's next tick. */
  async resume(task: string, next: number | undefined): Promise<void> {
    await this.#engine.schedules.pause(task, false, next);
    await this.#announce(task);
  }

  /** Calls `hear` when a replica says that a task changed; without a name when many did. */
  listen(hear: (task: string | undefined) => void): () => void {
    return this.#engine.signals.listen(CHANNEL, (body) => hear(body === "" ? undefined : body));
  }

  /** Somebody removed the task while it is declared here. */
  async #restore(task: TimedTask): Promise<Schedule> {
    await this.#engine.queue.subscribe([{ handler: task.name, topic: undefined }]);
    return this.#define(task, undefined);
  }

  #define(task: TimedTask, row: Schedule | undefined): Promise<Schedule> {
    const { name, definition } = task;
    const text = JSON.stringify(definition);
    const now = this.#engine.now();
    // A changed schedule begins where the old one was left: what is overdue is caught up with by the new rule, and what
    // was run is not run again. A new one begins now.
    const overdue = row?.next !== undefined && row.next <= now ? row.next - 1 : now;
    const after = Math.max(overdue, row?.lastTick ?? overdue);
    const next = nextTick(timetableOf(name, definition), definition.maxRuns, row, after);
    if (next === undefined && row?.lastTick === undefined) {
      this.#log().warn({ task: name, definition: text }, "the task's last moment is past: it will not run");
    }
    return this.#engine.schedules.define({ task: name, hash: hashOf(text), definition: text, next });
  }

  #report(task: TimedTask, since: number, { fire, missed }: TickPlan, unfinished: boolean): void {
    if (missed)
      this.#log().warn({ task: task.name, since, fired: unfinished ? 0 : fire.length }, "ticks were missed");
    if (unfinished)
      this.#log().debug({ task: task.name, tick: since }, "tick skipped: the one before is not finished");
  }

  #announce(task: string): Promise<void> {
    return this.#engine.signals.send(CHANNEL, task);
  }

  async #inPlace<T>(call: () => Promise<T>): Promise<T> {
    await this.#places.enter();
    try {
      return await call();
    } finally {
      this.#places.leave();
    }
  }
}

/** Of a definition that a newer version of the framework wrote. */
const UNREADABLE: Timetable = { next: () => undefined };

/** The definition as the replica that stored it wrote it. */
export function definitionIn(row: Schedule): ScheduleDefinition {
  return JSON.parse(row.definition) as ScheduleDefinition; // written by a TimedTask, here or on another replica
}

/** The first tick after a moment; undefined when there is none any more, or the task has had as many as it may. */
export function nextTick(
  timetable: Timetable,
  maxRuns: number | undefined,
  row: Schedule | undefined,
  after: number,
): number | undefined {
  return maxRuns !== undefined && row && row.fired >= maxRuns ? undefined : timetable.next(after);
}

function ticksOf(
  task: TimedTask,
  row: Schedule,
  { fire, next }: Pick<TickPlan, "fire" | "next">,
  now: number,
): NewMessage[] {
  const { overlap = "skip", priority = 0 } = task.handler.options;
  // Ticks that are caught up with come one after the other, as they would have come.
  const inTurn = overlap === "queue" || (overlap === "skip" && fire.length > 1);
  return fire.map((scheduled, at) => ({
    event: task.name,
    payload: payloadOf(task.name, row, scheduled, now, {
      count: row.fired + at + 1,
      last: next === undefined && at === fire.length - 1,
    }),
    priority,
    due: scheduled,
    key: inTurn ? keyOf(task.name) : undefined,
    dedupe: { key: `tick:${task.name}@${scheduled}`, until: now + DEDUPE_MS },
    to: task.name,
  }));
}

function payloadOf(
  task: string,
  row: Schedule | undefined,
  scheduled: number,
  firedAt: number,
  rest: Pick<Tick, "count" | "last">,
): string {
  const tick: Tick = { task, scheduled, firedAt, previousSuccess: row?.lastSuccess, ...rest };
  return JSON.stringify(tick);
}

function keyOf(task: string): string {
  return `task:${task}`;
}
