import { DataFileError, EngineError } from "./errors.ts";
import type { EventDispatcher } from "./events/event-dispatcher.ts";
import { createHealth, type Health } from "./observe/health.ts";
import { type Snapshot, takeSnapshot, type TaskFacts } from "./observe/snapshot.ts";
import type { Pipeline } from "./pipeline/pipeline.ts";
import type { Runtime } from "./runtime.ts";
import { version } from "./version.ts";

/** Metrics as text, for Prometheus. */
export interface MetricsPage {
  readonly text: string;
  readonly contentType: string;
}

/** Codes of faults that only a restart can help against. */
const LASTING = ["ENGINE_SCHEMA", "ENGINE_STORE_LOST"];

/** A data file or a store that is lost or damaged, or a schema of another version, does not come back. */
function lastingFault(fault: unknown): string | undefined {
  const lasts =
    fault instanceof DataFileError || (fault instanceof EngineError && LASTING.includes(fault.code));
  return lasts ? fault.message : undefined;
}

/** What can be seen of a running app from outside: its health and its metrics. */
export class Observation {
  readonly health: Health;
  readonly #runtime: Runtime;
  readonly #pipeline: Pipeline;
  readonly #events: EventDispatcher;
  #last: { readonly snapshot: Snapshot; readonly until: number } | undefined;

  constructor(runtime: Runtime, pipeline: Pipeline, events: EventDispatcher, state: () => string) {
    this.#runtime = runtime;
    this.#pipeline = pipeline;
    this.#events = events;
    const { clock } = pipeline.environment;
    this.health = createHealth({
      version,
      clock,
      engine: runtime.engine,
      instance: runtime.instance,
      startedAt: clock.elapsed(),
      state,
      schedulerEnabled: runtime.config.schedulerEnabled,
      snapshot: () => this.#snapshot(),
      stalled: () => runtime.watchdog.stalled ?? lastingFault(runtime.consumer.fault),
      faults: () => [runtime.consumer.fault, runtime.scheduler.fault],
    });
  }

  /** prom-client is loaded when metrics are asked for first. */
  async metrics(): Promise<MetricsPage> {
    const { createMetrics } = await import("./observe/metrics.ts");
    const { render, contentType } = createMetrics({
      version,
      engine: this.#runtime.engine.name,
      runners: () => this.#pipeline.runners(),
      unhandled: () => this.#events.unhandled,
      snapshot: () => this.#snapshot(),
    });
    return { text: await render(), contentType };
  }

  /** Counting a large backlog takes time: what was counted serves again for fifty times as long as it took. */
  async #snapshot(): Promise<Snapshot> {
    const now = performance.now();
    if (this.#last && now < this.#last.until) return this.#last.snapshot;
    const snapshot = await takeSnapshot(this.#runtime.engine, () => this.#tasks());
    const ended = performance.now();
    this.#last = { snapshot, until: ended + (ended - now) * 50 };
    return snapshot;
  }

  /** A task whose code is gone is late for ever; one that other replicas declare is theirs to tell of. */
  async #tasks(): Promise<readonly TaskFacts[]> {
    const tasks = await this.#runtime.scheduler.tasks();
    return tasks.filter(({ orphaned }) => !orphaned);
  }
}
