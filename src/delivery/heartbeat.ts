import type { Timer } from "../clock.ts";
import type { Engine } from "../engine.ts";
import type { Environment } from "../pipeline/environment.ts";

/** How often dead neighbours are looked for, at the most. */
const SWEEP_MS = 5_000;

/**
 * Keeps this instance's presence alive, which is the lease on all it holds, and gives back what dead instances held.
 */
export class Heartbeat {
  readonly #engine: Engine;
  readonly #environment: Environment;
  readonly #interval: number;
  readonly #onLost: () => void;
  #timer: Timer | undefined;
  #running = false;

  /**
   * @param interval Milliseconds between two beats; no more than a third of the lease, so that two may fail.
   * @param onLost Called when this instance had been given up as dead and others have its work.
   */
  constructor(engine: Engine, environment: Environment, interval: number, onLost: () => void) {
    this.#engine = engine;
    this.#environment = environment;
    this.#interval = interval;
    this.#onLost = onLost;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#next(0);
  }

  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
  }

  #next(sinceBeat: number): void {
    if (!this.#running) return;
    const wait = Math.min(SWEEP_MS, this.#interval);
    this.#timer = this.#environment.clock.setTimer(() => void this.#turn(sinceBeat + wait), wait);
  }

  async #turn(sinceBeat: number): Promise<void> {
    const due = sinceBeat >= this.#interval;
    try {
      if (due) {
        const held = await this.#engine.presence.beat();
        if (!held) {
          this.#environment.log.warn({}, "this instance was taken for dead: what it ran is given up");
          this.#onLost();
        }
      }
      const freed = await this.#engine.presence.sweep();
      if (freed > 0) this.#environment.log.warn({ deliveries: freed }, "took over what dead instances held");
    } catch (error) {
      this.#environment.log.error({ err: error }, "the heartbeat failed");
    }
    this.#next(due ? 0 : sinceBeat);
  }
}
