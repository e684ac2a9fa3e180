import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Clock } from "../../src/clock.ts";
import type { Engine } from "../../src/engine.ts";
import { memoryEngine } from "../../src/engines/memory/engine.ts";
import { MemoryStore } from "../../src/engines/memory/store.ts";
import { sqliteEngine } from "../../src/engines/sqlite/engine.ts";
import type { TimeOptions } from "../../src/handler.ts";
import { type App, createApp, createRegistry } from "../../src/index.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { LogLines, START } from "./replica.ts";

/** Where a replica may die: at a call to the engine, or in its handler. */
export type Place = "before fire" | "after fire" | "after claim" | "in the handler" | "after the handler";

/** One attempt at a tick. */
export interface Attempt {
  readonly task: string;
  readonly tick: number;
  readonly message: string;
  readonly attempt: number;
  readonly replica: string;
  /** By the cluster's clock. */
  readonly at: number;
  ended: boolean;
}

export interface ReplicaOptions {
  /** How far its own clock is ahead of the cluster's, in milliseconds. */
  readonly skew?: number;
  /** What its handlers do; nothing unless told. */
  readonly work?: () => Promise<void> | void;
  /** Asked at each place: whether it dies there. */
  readonly dies?: (place: Place) => boolean;
  /** How long it takes to look at a task and to fire it, there and back, in milliseconds: meanwhile others do. */
  readonly latency?: () => number;
}

export const LEASE = 15_000;

/** Ticks from one moment to another, both included, in milliseconds from the start. */
export function every(interval: number, from: number, to: number): number[] {
  return Array.from({ length: Math.floor((to - from) / interval) + 1 }, (_, at) => from + at * interval);
}

/** Replicas in one process that share one store and a clock that a test moves. Each is a whole app. */
export class Cluster {
  readonly clock: VirtualClock;
  /** @internal */
  readonly beats: boolean;
  readonly attempts: Attempt[] = [];
  /** How often an engine said to a replica that the tick is its own, by `task@tick`. */
  readonly fired = new Map<string, number>();
  /** Each definition that an engine had stored, when a replica brought its own. */
  readonly stored = new Set<string>();
  readonly alive = new Set<Replica>();
  readonly #newEngine: () => Engine;
  readonly #engines: Engine[] = [];
  readonly #dead: { readonly engine: Engine; readonly at: number }[] = [];
  #calls = 0;
  #replicas = 0;

  /** @param kind `"alone"` for memory as in production, where a process is alone: its replicas show no signs of life, and cost little. */
  constructor(kind: "memory" | "sqlite" | "alone", start = START) {
    this.clock = new VirtualClock(start);
    this.beats = kind !== "alone";
    this.#newEngine = kind === "sqlite" ? newFile() : newMemory();
    this.clock.idle = () => this.#calls === 0 && [...this.alive].every(({ app }) => !app.activity.asking);
    onTestFinished(async () => {
      // Nobody moves the clock any more: what is on its way to an engine will not come there.
      for (const replica of this.alive) replica.kill();
      for (const engine of this.#engines) await engine.stop();
    });
  }

  /** Starts a replica whose tasks are these. */
  async join(tasks: Readonly<Record<string, TimeOptions>>, options: ReplicaOptions = {}): Promise<Replica> {
    await this.#bury();
    const name = `replica ${++this.#replicas}`;
    const replica = new Replica(this, name, this.#newEngine(), tasks, options);
    this.#engines.push(replica.engine);
    await replica.app.start();
    this.alive.add(replica);
    return replica;
  }

  /** The moments of a task's ticks that were run, in milliseconds from {@link START}; each once, and sorted. */
  ticks(task = "task"): number[] {
    const ticks = this.attempts.filter((each) => each.task === task).map(({ tick }) => tick - START);
    return [...new Set(ticks)].sort((one, other) => one - other);
  }

  /** Every tick that was begun and never came to its end. */
  unfinished(): string[] {
    const names = (attempts: readonly Attempt[]) => attempts.map(({ task, tick }) => `${task}@${tick}`);
    const ended = new Set(names(this.attempts.filter((each) => each.ended)));
    return [...new Set(names(this.attempts))].filter((name) => !ended.has(name));
  }

  /** Every tick that was fired twice, or whose message is not one, or that ran again though nobody had died of it. */
  doubles(): string[] {
    const messages = new Map<string, Set<string>>();
    const seen = new Set<string>();
    const again: string[] = [];
    for (const { task, tick, message, attempt } of this.attempts) {
      const name = `${task}@${tick}`;
      messages.set(name, (messages.get(name) ?? new Set()).add(message));
      if (seen.has(`${name} ${attempt}`)) again.push(`${name}: attempt ${attempt} twice`);
      seen.add(`${name} ${attempt}`);
    }
    const doubles = [...messages]
      .filter(([, ids]) => ids.size !== 1)
      .map(([name]) => `${name}: two messages`);
    const firedTwice = [...this.fired]
      .filter(([, times]) => times !== 1)
      .map(([name]) => `${name}: fired twice`);
    return [...doubles, ...firedTwice, ...again];
  }

  /** @internal */
  died(replica: Replica): void {
    this.alive.delete(replica);
    this.#dead.push({ engine: replica.engine, at: this.clock.elapsed() });
  }

  /** Closes the files of those whose work others have taken over: a process that dies would have closed them. */
  async #bury(): Promise<void> {
    const [first] = this.#dead;
    if (!first || this.clock.elapsed() - first.at < 3 * LEASE) return;
    this.#dead.shift();
    await first.engine.stop();
    await this.#bury();
  }

  /** @internal Counts calls to engines, so that the clock waits for them. */
  async during<T>(call: () => Promise<T>, latency?: () => number): Promise<T> {
    if (latency) await this.#pass(latency());
    this.#calls++;
    try {
      return await call();
    } finally {
      this.#calls--;
      if (latency) await this.#pass(latency());
    }
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.setTimer(resolve, ms));
  }
}

/** One app on the cluster's store. */
export class Replica {
  readonly app: App;
  readonly engine: Engine;
  readonly log = new LogLines();
  readonly name: string;
  readonly #cluster: Cluster;
  readonly #dies: (place: Place) => boolean;
  readonly #latency: (() => number) | undefined;
  #dead = false;
  #held: (() => void)[] | undefined;

  constructor(
    cluster: Cluster,
    name: string,
    engine: Engine,
    tasks: Readonly<Record<string, TimeOptions>>,
    { skew = 0, work = () => {}, dies = () => false, latency }: ReplicaOptions,
  ) {
    this.#cluster = cluster;
    this.name = name;
    this.#dies = dies;
    this.#latency = latency;
    this.engine = this.#mortal(engine);
    const registry = createRegistry();
    for (const [task, options] of Object.entries(tasks)) {
      registry.timeOn(task, options).execute(async ({ scheduled }, ctx) => {
        const { id: message, attempt } = ctx;
        const at = cluster.clock.now();
        const run = { task, tick: scheduled, message, attempt, replica: name, at, ended: false };
        cluster.attempts.push(run);
        await this.#lives("in the handler");
        await work();
        run.ended = true;
        await this.#lives("after the handler");
      });
    }
    this.app = createApp({
      engine: this.engine,
      clock: this.#clock(skew),
      registry,
      log: this.log.logger,
      env: {},
      lease: LEASE,
      shutdownTimeout: 0,
      random: seededRandom(1),
    });
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** As a process that is told to. */
  async stop(): Promise<void> {
    this.#cluster.alive.delete(this);
    await this.app.stop();
  }

  /** As with SIGKILL: it does nothing any more, and says nothing to anybody. */
  kill(): void {
    this.#dead = true;
    this.#cluster.died(this);
  }

  /** Holds its event loop up: no timer fires, until it is let go, and then all that were due do. */
  hold(held: boolean): void {
    const late = this.#held ?? [];
    this.#held = held ? [] : undefined;
    for (const run of late) run();
  }

  #turn(run: () => void): void {
    if (this.#dead) return;
    if (this.#held) this.#held.push(run);
    else run();
  }

  #clock(skew: number): Clock {
    const { clock } = this.#cluster;
    return {
      now: () => clock.now() + skew,
      elapsed: () => clock.elapsed(),
      setTimer: (run, ms) => clock.setTimer(() => this.#turn(run), ms),
    };
  }

  /** Never resolves once the replica is dead. */
  #lives(place?: Place): Promise<void> {
    if (place !== undefined && !this.#dead && this.#dies(place)) this.kill();
    return this.#dead ? new Promise(() => {}) : Promise.resolve();
  }

  #mortal(engine: Engine): Engine {
    // A memory engine has nobody to show signs of life to in production; here it has.
    const shared = this.#cluster.beats;
    Object.defineProperty(engine, "capabilities", { value: { ...engine.capabilities, shared } });
    const { queue, schedules, presence } = engine;
    const fire = schedules.fire.bind(schedules);
    schedules.fire = async (task, hash, tick, next, messages) => {
      await this.#lives("before fire");
      const first = await this.#cluster.during(async () => {
        const won = await fire(task, hash, tick, next, messages);
        if (won) for (const { due } of messages) this.#countFired(`${task}@${due}`);
        return won;
      }, this.#away());
      await this.#lives("after fire");
      return first;
    };
    const claim = queue.claim.bind(queue);
    queue.claim = async (wants) => {
      await this.#lives();
      const claims = await this.#cluster.during(() => claim(wants));
      if (claims.claims.length > 0) await this.#lives("after claim");
      return claims;
    };
    queue.settle = this.#whileAlive(queue.settle.bind(queue));
    queue.list = this.#whileAlive(queue.list.bind(queue));
    queue.publish = this.#whileAlive(queue.publish.bind(queue));
    const look = schedules.list.bind(schedules);
    schedules.list = async (task) => {
      await this.#lives();
      return this.#cluster.during(() => look(task), this.#away());
    };
    const define = schedules.define.bind(schedules);
    // Its name in the text, which the hash does not cover, tells who stored it.
    schedules.define = this.#whileAlive(async (schedule) => {
      const definition = schedule.definition.replace("{", `{"by":"${this.name}",`);
      const stored = await define({ ...schedule, definition });
      this.#cluster.stored.add(stored.definition);
      return stored;
    });
    presence.beat = this.#whileAlive(presence.beat.bind(presence));
    presence.sweep = this.#whileAlive(presence.sweep.bind(presence));
    return engine;
  }

  /** Starts and stops are not slowed down: nobody moves the clock for them. */
  #away(): (() => number) | undefined {
    return this.#cluster.alive.has(this) ? this.#latency : undefined;
  }

  #whileAlive<In extends unknown[], Out>(call: (...args: In) => Promise<Out>): (...args: In) => Promise<Out> {
    return async (...args) => {
      await this.#lives();
      return this.#cluster.during(() => call(...args));
    };
  }

  #countFired(name: string): void {
    const { fired } = this.#cluster;
    fired.set(name, (fired.get(name) ?? 0) + 1);
  }
}

function newMemory(): () => Engine {
  const store = new MemoryStore();
  return () => memoryEngine({ store });
}

function newFile(): () => Engine {
  const folder = mkdtempSync(join(tmpdir(), "ticks-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const url = `sqlite:${join(folder, "app.db")}`;
  return () => sqliteEngine(url);
}
