import type { Capabilities, Engine, EngineStart } from "../../engine.ts";
import { MemoryDeadLetters } from "./dead-letters.ts";
import { MemoryLimits } from "./limits.ts";
import { Seat } from "./seat.ts";
import { MemoryPresence } from "./presence.ts";
import { MemoryQueue } from "./queue.ts";
import { MemorySchedules } from "./schedules.ts";
import { MemorySignals } from "./signals.ts";
import { MemoryState } from "./state.ts";
import { MemoryTransfer } from "./transfer.ts";
import { MemoryStore } from "./store.ts";

/** Options of {@link memoryEngine}. */
export interface MemoryEngineOptions {
  /** @default a store of its own */
  readonly store?: MemoryStore;
}

/**
 * The engine that keeps everything in the process's memory: for tests, and for work that may be lost with its process.
 * It sets no timers and does no I/O, so a virtual clock moves it completely.
 *
 * @example
 * const app = createApp({ engine: memoryEngine() });
 */
export function memoryEngine(options: MemoryEngineOptions = {}): Engine {
  return new MemoryEngine(options.store ?? new MemoryStore());
}

class MemoryEngine implements Engine {
  readonly name = "memory";
  readonly location = "memory:";
  readonly capabilities: Capabilities = Object.freeze({ durable: false, shared: false, strict: false });
  readonly queue: MemoryQueue;
  readonly deadLetters: MemoryDeadLetters;
  readonly schedules: MemorySchedules;
  readonly limits: MemoryLimits;
  readonly state: MemoryState;
  readonly presence: MemoryPresence;
  readonly signals: MemorySignals;
  readonly transfer: MemoryTransfer;
  readonly #seat: Seat;

  constructor(store: MemoryStore) {
    this.#seat = new Seat(store);
    this.queue = new MemoryQueue(this.#seat);
    this.deadLetters = new MemoryDeadLetters(this.#seat);
    this.schedules = new MemorySchedules(this.#seat);
    this.limits = new MemoryLimits(this.#seat);
    this.state = new MemoryState(this.#seat);
    this.presence = new MemoryPresence(this.#seat);
    this.signals = new MemorySignals(this.#seat);
    this.transfer = new MemoryTransfer(this.#seat);
  }

  async start(options: EngineStart): Promise<void> {
    this.#seat.join(options);
  }

  async stop(): Promise<void> {
    this.queue.close();
    this.signals.close();
    this.#seat.leave();
  }

  now(): number {
    return this.#seat.now();
  }

  async check(): Promise<void> {
    void this.#seat.open;
  }
}
