import { systemClock } from "../clock.ts";
import { formatMs } from "../duration.ts";
import type { Engine, Instance, SubscriptionInfo } from "../engine.ts";
import { TimeoutError } from "../errors.ts";

/** What metrics and health tell of a task. Moments are milliseconds since 1970. */
export interface TaskFacts {
  readonly name: string;
  readonly next: number | undefined;
  readonly paused: boolean;
  readonly lastSuccess: number | undefined;
}

/** What all replicas share, as it stood at one moment. */
export interface Snapshot {
  /** The engine's time. */
  readonly at: number;
  readonly subscriptions: readonly SubscriptionInfo[];
  readonly instances: readonly Instance[];
  readonly tasks: readonly TaskFacts[];
  /** Dead letters of events that nobody was subscribed to. */
  readonly unrouted: number;
}

/** Probes and scrapes come every few seconds, and whoever sends them gives up soon. */
const PATIENCE_MS = 2_000;

/**
 * Asks the engine for all that metrics and health show.
 *
 * @param tasks All tasks, as the scheduler lists them.
 * @throws {EngineError} when the engine fails, and a {@link TimeoutError} when it takes longer than two seconds.
 */
export async function takeSnapshot(
  engine: Engine,
  tasks: () => Promise<readonly TaskFacts[]>,
): Promise<Snapshot> {
  const [subscriptions, instances, listed, unrouted] = await soon(
    "the engine",
    Promise.all([
      engine.queue.subscriptions(),
      engine.presence.instances(),
      tasks(),
      engine.deadLetters.count({ reason: "unrouted" }),
    ]),
  );
  return { at: engine.now(), subscriptions, instances, tasks: listed, unrouted };
}

/** Waits for `work`, but not longer than probes do. */
export async function soon<T>(what: string, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  // The machine's clock on purpose: a probe must be answered in a test whose virtual time stands still, too.
  const timer = systemClock.setTimer(
    () => reject(new TimeoutError(what, formatMs(PATIENCE_MS))),
    PATIENCE_MS,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.cancel();
  }
}
