import type { Handler } from "../handler.ts";
import { bareEnvironment, type Environment } from "./environment.ts";
import { Runner } from "./runner.ts";

/** The runners of one app, one for each handler. */
export class Pipeline {
  readonly environment: Environment;
  readonly #runners = new Map<Handler, Runner>();

  constructor(environment: Environment = bareEnvironment()) {
    this.environment = environment;
  }

  /** The handler's runner; always the same one. */
  runner(handler: Handler): Runner {
    let runner = this.#runners.get(handler);
    if (!runner) this.#runners.set(handler, (runner = new Runner(this.environment, handler)));
    return runner;
  }

  forget(handler: Handler): void {
    this.#runners.delete(handler);
  }

  /** All runners, for metrics and lists. */
  runners(): IterableIterator<Runner> {
    return this.#runners.values();
  }

  /** How many runs are under way. */
  get running(): number {
    let running = 0;
    for (const runner of this.#runners.values()) running += runner.stats.running;
    return running;
  }

  /** Aborts the signal of every run under way. */
  abortAll(reason: Error): void {
    for (const run of this.environment.live) run.abort(reason);
  }
}
