import type { Clock } from "../../src/clock.ts";
import type { Engine } from "../../src/engine.ts";
import { memoryEngine } from "../../src/engines/memory/engine.ts";
import { MemoryStore } from "../../src/engines/memory/store.ts";
import type { HandlerFunction, Tick, TimeHandler, TimeOptions } from "../../src/handler.ts";
import type { Logger } from "../../src/log.ts";
import { bareEnvironment } from "../../src/pipeline/environment.ts";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import { HandlerRegistry } from "../../src/registry.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import type { TaskInfo } from "../../src/time/task-info.ts";
import { TimeTaskScheduler } from "../../src/time/time-task-scheduler.ts";

/** Where the virtual clock starts. */
export const START = Date.UTC(2026, 0, 1);
export const SECOND = 1_000;
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** A clock, and a store that replicas may share. */
export function setup(): { clock: VirtualClock; store: MemoryStore } {
  return { clock: new VirtualClock(START), store: new MemoryStore() };
}

/** One replica with one task named "task". */
export async function one(
  options: TimeOptions,
): Promise<{ clock: VirtualClock; store: MemoryStore; replica: Replica }> {
  const { clock, store } = setup();
  return { clock, store, replica: await startReplica(clock, store, [task("task", options)]) };
}

/** Drains a task and answers when its ticks were due, in milliseconds from {@link START}. */
export async function moments(replica: Replica | undefined, name = "task"): Promise<number[]> {
  return ((await replica?.drain(name)) ?? []).map(({ scheduled }) => scheduled - START);
}

export async function infoOf(replica: Replica, name = "task"): Promise<TaskInfo> {
  const info = (await replica.scheduler.tasks()).find((found) => found.name === name);
  if (!info) throw new Error(`there is no task ${name}`);
  return info;
}

/** A task as `timeOn` records it. */
export function task(name: string, options: TimeOptions, fn: HandlerFunction = () => undefined): TimeHandler {
  return { kind: "time", name, options, fn, site: `${name}.ts:1:1` };
}

/** What a scheduler logs, as `level message`. */
export class LogLines {
  readonly lines: string[] = [];
  readonly logger: Logger = this.#logger();

  #logger(): Logger {
    const write = (level: string) => (_: object, message?: string) =>
      void this.lines.push(`${level} ${message}`);
    return {
      trace: write("trace"),
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
      fatal: write("fatal"),
      child: () => this.logger,
    };
  }
}

/** One start of a process: its own engine on a store that others may share, its own registry and scheduler. */
export interface Replica {
  readonly engine: Engine;
  readonly registry: HandlerRegistry;
  readonly scheduler: TimeTaskScheduler;
  readonly log: LogLines;
  /** Stops the scheduler and the engine, as an app does. */
  stop(): Promise<void>;
  /** Claims and settles everything that is ready for the tasks; answers the ticks in the order claimed. */
  drain(...tasks: string[]): Promise<Tick[]>;
}

let starts = 0;

/** @param wrap Stands between the scheduler and the engine. */
export async function startReplica(
  clock: Clock,
  store: MemoryStore,
  tasks: readonly TimeHandler[],
  { start = true, enabled = true, wrap = (engine: Engine): Engine => engine } = {},
): Promise<Replica> {
  const engine = memoryEngine({ store });
  const id = `replica-${++starts}`;
  const instance = { id, host: "here", pid: starts, version: "0", startedAt: clock.now() };
  await engine.start({ clock, instance, lease: 30_000 });
  const { scheduler, registry, log } = standalone(clock, tasks, { engine: wrap(engine), enabled });
  if (start) await scheduler.start();
  return {
    engine,
    registry,
    scheduler,
    log,
    stop: async () => {
      await scheduler.stop();
      await engine.stop();
    },
    drain: async (...names) => {
      const ticks: Tick[] = [];
      for (;;) {
        const { claims } = await engine.queue.claim(names.map((handler) => ({ handler, limit: 1_000 })));
        if (claims.length === 0) return ticks;
        // Written by the scheduler under test.
        ticks.push(...claims.map(({ payload }) => JSON.parse(payload) as Tick));
        await engine.queue.settle(claims.map((claim) => ({ claim, kind: "done" })));
      }
    },
  };
}

/** A scheduler on its own registry and pipeline, not started; without an engine unless one is given. */
export function standalone(
  clock: Clock,
  tasks: readonly TimeHandler[],
  options: { engine?: Engine; enabled?: boolean } = {},
): { scheduler: TimeTaskScheduler; registry: HandlerRegistry; log: LogLines } {
  const registry = new HandlerRegistry();
  for (const handler of tasks) registry.add(handler);
  const log = new LogLines();
  const pipeline = new Pipeline({ ...bareEnvironment(), clock, log: log.logger });
  return { registry, log, scheduler: new TimeTaskScheduler({ registry, pipeline, ...options }) };
}
