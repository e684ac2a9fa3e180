import type { Clock } from "../clock.ts";
import type { Engine, Instance } from "../engine.ts";
import { type Snapshot, soon } from "./snapshot.ts";

/** `degraded`: everything works, but somebody should look. `down`: probes get 503. */
export type HealthStatus = "ok" | "degraded" | "down";

/** The answer to a probe. */
export interface ProbeReport {
  readonly status: HealthStatus;
  /** What is wrong, in sentences; empty when nothing is. */
  readonly problems: readonly string[];
}

/** All that is to say of an app's health. Moments are milliseconds since 1970, lengths of time are in seconds. */
export interface HealthReport extends ProbeReport {
  /** Of the framework. */
  readonly version: string;
  /** What the app is doing: `"running"`. */
  readonly state: string;
  readonly uptime: number;
  /** This replica's id among `instances`. */
  readonly instance: string;
  readonly engine: { readonly name: string; readonly location: string; readonly status: "ok" | "down" };
  readonly scheduler: {
    /** Whether this replica fires timers. */
    readonly enabled: boolean;
    /** The numbers of tasks; absent while the engine does not answer. */
    readonly tasks?: number;
    readonly paused?: number;
    /** Tasks that were due a while ago and have not been fired. */
    readonly late?: readonly string[];
  };
  /** What waits, over all handlers; absent while the engine does not answer. */
  readonly lag?: Lag;
  /** All replicas; absent while the engine does not answer. */
  readonly instances?: readonly Instance[];
}

/** How far the handlers are behind, in messages. */
export interface Lag {
  readonly ready: number;
  readonly waiting: number;
  readonly running: number;
  readonly dead: number;
  /** The age of the oldest message that could be taken, in seconds. */
  readonly oldest: number;
}

/** Where the reports come from. */
export interface HealthSources {
  readonly version: string;
  readonly clock: Clock;
  readonly engine: Engine;
  readonly instance: string;
  /** When the app started, by the clock's `elapsed()`. */
  readonly startedAt: number;
  /** What the app is doing; only `"running"` is ready. */
  readonly state: () => string;
  readonly schedulerEnabled: boolean;
  /** See `takeSnapshot`. */
  readonly snapshot: () => Promise<Snapshot>;
  /** Failures that parts of the app are getting over, such as a consumer whose engine failed; undefined entries are none. */
  readonly faults?: () => readonly unknown[];
  /** Why this process will not come to itself again, once it will not: then `/live` fails and it is to be restarted. */
  readonly stalled?: () => string | undefined;
}

/** The health of one app. */
export interface Health {
  /** Whether the process should go on; asks nobody, so that a restart is never asked for because a server is away. */
  readonly live: () => ProbeReport;
  /** Whether the process should be given work: it runs, and its engine answers. */
  readonly ready: () => Promise<ProbeReport>;
  /** Everything. */
  readonly health: () => Promise<HealthReport>;
}

/** A tick is fired within milliseconds; one that is overdue for so long is worth a look. */
const LATE_MS = 30_000;

/**
 * Makes the health of an app.
 * @example
 * const health = createHealth({ version, clock, engine, instance, startedAt, state, schedulerEnabled, snapshot });
 * const { status, problems } = await health.ready();
 */
export function createHealth(sources: HealthSources): Health {
  return {
    live: () => report(stallOf(sources), []),
    ready: async () => report(downsOf(sources, await engineFault(sources.engine)), []),
    async health() {
      const [fault, asked] = await Promise.all([
        engineFault(sources.engine),
        sources.snapshot().then(
          (snapshot) => ({ snapshot }),
          (error: unknown) => ({ problem: `The engine did not tell all: ${sentence(error)}` }),
        ),
      ]);
      return fullReport(sources, fault, asked);
    },
  };
}

/** A snapshot, or why there is none. */
type Asked = { readonly snapshot?: Snapshot; readonly problem?: string };

function report(downs: readonly string[], worries: readonly string[]): ProbeReport {
  const status = downs.length > 0 ? "down" : worries.length > 0 ? "degraded" : "ok";
  return { status, problems: [...downs, ...worries] };
}

function stallOf({ stalled }: HealthSources): string[] {
  const why = stalled?.();
  return why === undefined ? [] : [why];
}

async function engineFault(engine: Engine): Promise<string | undefined> {
  try {
    await soon("the engine's check", engine.check());
    return undefined;
  } catch (error) {
    return `The engine does not answer: ${sentence(error)}`;
  }
}

function downsOf(sources: HealthSources, engineDown: string | undefined): string[] {
  const state = sources.state();
  const downs = state === "running" ? [] : [`The app is ${state}, not running.`];
  if (engineDown !== undefined) downs.push(engineDown);
  return [...downs, ...stallOf(sources)];
}

function fullReport(
  sources: HealthSources,
  engineDown: string | undefined,
  { snapshot, problem }: Asked,
): HealthReport {
  const { engine, clock, schedulerEnabled } = sources;
  const late = schedulerEnabled && snapshot ? lateTasks(snapshot) : [];
  const worries = [
    ...late.map((task) => `The task "${task}" is late.`),
    ...(sources.faults?.() ?? []).filter((fault) => fault !== undefined).map(sentence),
    ...(problem === undefined ? [] : [problem]),
  ];
  return {
    ...report(downsOf(sources, engineDown), worries),
    version: sources.version,
    state: sources.state(),
    uptime: Math.round(clock.elapsed() - sources.startedAt) / 1_000,
    instance: sources.instance,
    engine: {
      name: engine.name,
      location: engine.location,
      status: engineDown === undefined ? "ok" : "down",
    },
    scheduler: { enabled: schedulerEnabled, ...(snapshot && aboutTasks(snapshot, late)) },
    ...(snapshot && { lag: lagOf(snapshot), instances: snapshot.instances }),
  };
}

function lateTasks({ at, tasks }: Snapshot): string[] {
  const isLate = ({ next, paused }: Snapshot["tasks"][number]): boolean =>
    !paused && next !== undefined && at - next > LATE_MS;
  return tasks.filter(isLate).map(({ name }) => name);
}

function aboutTasks(
  { tasks }: Snapshot,
  late: readonly string[],
): Omit<HealthReport["scheduler"], "enabled"> {
  return { tasks: tasks.length, paused: tasks.filter(({ paused }) => paused).length, late };
}

function lagOf({ at, subscriptions }: Snapshot): Lag {
  const sum = (name: "ready" | "waiting" | "running" | "dead"): number =>
    subscriptions.reduce((total, subscription) => total + subscription[name], 0);
  const oldest = Math.min(at, ...subscriptions.map((subscription) => subscription.oldest ?? at));
  return {
    ready: sum("ready"),
    waiting: sum("waiting"),
    running: sum("running"),
    dead: sum("dead"),
    oldest: (at - oldest) / 1_000,
  };
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
