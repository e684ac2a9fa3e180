import { strict as assert } from "node:assert";
import type { Engine, InstanceInfo } from "../../engine.ts";
import type { VirtualClock } from "../virtual-clock.ts";

/** What an engine's author gives the suite for one case: a store of its own, seen by as many replicas as the case wants. */
export interface ConformanceSetup {
  /** The clock that all engine values of this set-up go by. */
  readonly clock: VirtualClock;
  /** A new engine value that was not started, on the store of this set-up: each is one more replica. */
  engine(): Engine;
  /** Removes the store; every engine value was stopped before. */
  dispose(): Promise<void>;
}

/** How one replica is started. */
export interface ReplicaOptions {
  readonly id?: string;
  readonly host?: string;
  readonly lease?: number;
  /** A clock of its own, which is wrong. */
  readonly clock?: VirtualClock;
}

/** How long an instance may be silent in the suite, unless a case says otherwise. */
export const LEASE = 30_000;

/** Nothing that works takes as long as this, in milliseconds of the real clock. */
const DEADLINE = 10_000;

/** The replicas of one case and the time they share. */
export class Cluster {
  readonly clock: VirtualClock;
  readonly #setup: ConformanceSetup;
  readonly #engines: Engine[] = [];
  #instances = 0;

  constructor(setup: ConformanceSetup) {
    this.#setup = setup;
    this.clock = setup.clock;
  }

  /** One more engine value, not started. */
  engine(): Engine {
    const engine = this.#setup.engine();
    this.#engines.push(engine);
    return engine;
  }

  /** Starts an engine value as a new instance. */
  async start(engine: Engine, options: ReplicaOptions = {}): Promise<Engine> {
    const {
      id = `instance-${++this.#instances}`,
      host = "host",
      lease = LEASE,
      clock = this.clock,
    } = options;
    const instance: InstanceInfo = { id, host, pid: 1, version: "1.0.0", startedAt: this.clock.now() };
    await engine.start({ clock, instance, lease });
    return engine;
  }

  /** Starts one more replica with these subscriptions, topics by handler. */
  async replica(
    subscriptions: Readonly<Record<string, string | undefined>> = {},
    options?: ReplicaOptions,
  ): Promise<Engine> {
    const engine = await this.start(this.engine(), options);
    await engine.queue.subscribe(
      Object.entries(subscriptions).map(([handler, topic]) => ({ handler, topic })),
    );
    return engine;
  }

  /** Starts several replicas at once. */
  replicas(count: number): Promise<Engine[]> {
    return Promise.all(Array.from({ length: count }, () => this.replica()));
  }

  /** Lets time pass, with a heartbeat of these replicas in each third of a lease. */
  async pass(ms: number, beating: readonly Engine[] = []): Promise<void> {
    for (let left = ms; left > 0; left -= LEASE / 3) {
      await this.clock.advance(Math.min(left, LEASE / 3));
      await Promise.all(beating.map((engine) => engine.presence.beat()));
    }
  }

  /** Lets time pass, in the test and outside, until a condition holds. */
  async eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + DEADLINE;
    while (!(await holds())) {
      assert.ok(performance.now() < deadline, `${what}: did not happen within ${DEADLINE} ms`);
      await this.clock.advance(20);
    }
  }

  /** Stops what still runs and removes the store. */
  async end(): Promise<void> {
    for (const engine of this.#engines) await engine.stop();
    await this.#setup.dispose();
  }
}
