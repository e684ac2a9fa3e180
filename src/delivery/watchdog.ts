import type { Timer } from "../clock.ts";
import { formatMs } from "../duration.ts";
import type { Engine } from "../engine.ts";
import type { Environment } from "../pipeline/environment.ts";
import type { Consumer } from "./consumer.ts";

/** How often it looks, and how long work may lie there before it takes a hand. */
const LOOK_MS = 10_000;
const PATIENCE_MS = 30_000;
/** After so many times without effect only a restart of the process will help. */
const TRIES = 3;
/** Ready deliveries to look at for one of ours: others may wait for handlers that no process has any more. */
const SAMPLE = 100;

/**
 * Sees to it that nothing stalls in silence: when work is ready for a handler of this process that has room, and
 * nothing has been begun for a while, it has the consumer ask again; when that does not help, `/live` fails.
 */
export class Watchdog {
  /** Why this process will not come to itself again; undefined while all is well. */
  stalled: string | undefined;
  readonly #engine: Engine;
  readonly #consumer: Consumer;
  readonly #environment: Environment;
  #timer: Timer | undefined;
  #begun = 0;
  #since = 0;
  #tries = 0;

  constructor(engine: Engine, consumer: Consumer, environment: Environment) {
    this.#engine = engine;
    this.#consumer = consumer;
    this.#environment = environment;
  }

  start(): void {
    this.#since = this.#environment.clock.elapsed();
    this.#timer = this.#environment.clock.setTimer(() => void this.#turn(), LOOK_MS);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #turn(): Promise<void> {
    // An engine that fails is the consumer's to report and to ask again; it is not ready, but the process lives.
    await this.#look().catch(() => {});
    if (this.#timer) this.#timer = this.#environment.clock.setTimer(() => void this.#turn(), LOOK_MS);
  }

  async #look(): Promise<void> {
    const now = this.#environment.clock.elapsed();
    if (this.#consumer.begun !== this.#begun || !(await this.#hasWork())) {
      this.#begun = this.#consumer.begun;
      this.#since = now;
      this.#tries = 0;
      this.stalled = undefined;
      return;
    }
    if (now - this.#since < PATIENCE_MS) return;
    const { log } = this.#environment;
    const idle = formatMs(now - this.#since);
    log.error({ idle, tries: this.#tries }, "work is ready and nothing takes it: asking the engine again");
    if (++this.#tries > TRIES) this.stalled = `Work is ready, and nothing has been begun for ${idle}.`;
    this.#consumer.restart();
  }

  async #hasWork(): Promise<boolean> {
    const ready = await this.#engine.queue.list({ state: "ready", limit: SAMPLE });
    return ready.some(({ handler }) => this.#consumer.hasRoom(handler));
  }
}
