import { clusterMetrics } from "./cluster-metrics.ts";
import { EXPOSITION_TYPE, type Family, gauge, writeFamilies } from "./exposition.ts";
import { processMetrics } from "./process-metrics.ts";
import { type Counted, runMetrics } from "./run-metrics.ts";
import type { Snapshot } from "./snapshot.ts";

/** Where the numbers come from. Everything is asked when somebody scrapes, so that counting costs runs nothing more. */
export interface MetricSources {
  /** Of the framework. */
  readonly version: string;
  /** The engine's name, `"sqlite"`. */
  readonly engine: string;
  /** Each handler with what was counted of it. */
  readonly runners: () => Iterable<Counted>;
  /** How many triggered events found no handler. */
  readonly unhandled?: () => number;
  /** What the engine knows; rejects when it cannot be asked. See `takeSnapshot`. */
  readonly snapshot: () => Promise<Snapshot>;
}

/** Metrics for Prometheus. */
export interface Metrics {
  readonly contentType: string;
  /** All metrics as text. Never rejects for the engine's sake: `framework_engine_up` says whether it answered. */
  readonly render: () => Promise<string>;
}

/**
 * Makes the metrics of an app.
 * @example
 * const metrics = createMetrics({ version, engine: "memory", runners: () => pipeline.runners(), snapshot });
 * const text = await metrics.render();
 */
export function createMetrics(sources: MetricSources): Metrics {
  return {
    contentType: EXPOSITION_TYPE,
    async render() {
      const [process, snapshot] = await Promise.all([
        processMetrics(),
        sources.snapshot().catch(() => undefined),
      ]);
      const families = [
        ...aboutBuild(sources, snapshot !== undefined),
        ...runMetrics([...sources.runners()], sources.unhandled?.() ?? 0),
        ...(snapshot ? clusterMetrics(snapshot) : []),
      ];
      return `${writeFamilies(families)}${process}`;
    },
  };
}

function aboutBuild({ version, engine }: MetricSources, up: boolean): Family[] {
  const labels = { version, engine, node: process.version };
  return [
    gauge("framework_build_info", "Always 1; says in its labels what runs.", [{ labels, value: 1 }]),
    gauge("framework_engine_up", "Whether the engine answered this scrape.", [
      { labels: {}, value: up ? 1 : 0 },
    ]),
  ];
}
