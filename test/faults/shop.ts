import { setTimeout as delay } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { type App, createApp, createRegistry } from "../../src/index.ts";
import { until } from "../engines/sqlite/data-dir.ts";

/** Publishes under way at a time. */
const LANES = 5;
/** Between two publishes of a lane. */
const PAUSE_MS = 2;
/** So many may wait to be handled: what is published after a fault must not wait behind what was before. */
const MOST_WAITING = 100;

/** A publish that was refused. */
export interface Refusal {
  readonly n: number;
  readonly code: string;
  readonly retryable: boolean;
  /** How long it took to say so, in milliseconds. */
  readonly took: number;
}

/**
 * Two apps under load: in one, several lanes publish orders, each after the answer to the one before; the handler of the
 * other notes them.
 */
export class Shop {
  /** Orders that are stored. */
  acknowledged = 0;
  readonly refused: Refusal[] = [];
  /** Each run of the handler: `NUMBER ATTEMPT`. */
  readonly handled: string[] = [];
  readonly #worker: App;
  readonly #publisher: App;
  #n = 0;
  #open = true;
  #resting = false;
  #lanes: Promise<void>[] = [];
  readonly #handled = new Set<number>();
  /** Acknowledged, and not yet handled. */
  readonly #waiting = new Set<number>();
  /** The newest that is both. */
  #newest = 0;

  private constructor(url: string) {
    const registry = createRegistry();
    registry.on("order", { name: "orders" }).execute(({ n }: { n: number }, ctx) => {
      this.handled.push(`${n} ${ctx.attempt}`);
      this.#handled.add(n);
      if (this.#waiting.delete(n)) this.#newest = Math.max(this.#newest, n);
    });
    const options = { engine: url, registry, log: "silent", env: {} } as const;
    this.#worker = createApp({ ...options, http: { port: 0, host: "127.0.0.1" } });
    this.#publisher = createApp(options);
  }

  static async start(url: string): Promise<Shop> {
    const shop = new Shop(url);
    onTestFinished(async () => void (await Promise.all([shop.#worker.stop(), shop.#publisher.stop()])));
    await shop.#worker.start();
    await shop.#publisher.start({ consume: false });
    shop.#lanes = Array.from({ length: LANES }, () => shop.#lane());
    await shop.goesOn();
    return shop;
  }

  /** The answer of `/ready`, and how long it took, in milliseconds. */
  async ready(): Promise<{ readonly status: number; readonly text: string; readonly took: number }> {
    const began = performance.now();
    const response = await fetch(`${this.#worker.url}/ready`);
    const text = await response.text();
    return { status: response.status, text, took: performance.now() - began };
  }

  /** Waits until `/ready` says so. Each of its answers is there within four seconds. */
  async is(status: 200 | 503): Promise<void> {
    await until(`/ready says ${status}`, async () => {
      const { took, ...answer } = await this.ready();
      if (took > 4_000) throw new Error(`/ready took ${Math.round(took)} ms`);
      return answer.status === status;
    });
  }

  /** Waits until orders are published and handled that are newer than this call; answers how long that took, in milliseconds. */
  async goesOn(): Promise<number> {
    const began = performance.now();
    const from = this.#n;
    await until("orders are published and handled", () => this.#newest > from, 20_000);
    return Math.round(performance.now() - began);
  }

  /** Publishes nothing until all is handled: the next order is found by its notice, or by looking. */
  async rest(): Promise<void> {
    this.#resting = true;
    await until("all is handled", () => this.#waiting.size === 0, 20_000);
    await delay(50);
    this.#resting = false;
  }

  /** Publishes no more, and waits until all that was acknowledged is handled. */
  async close(): Promise<void> {
    this.#open = false;
    await Promise.all(this.#lanes);
    await until("all that was acknowledged is handled", () => this.#waiting.size === 0, 20_000);
  }

  async #lane(): Promise<void> {
    while (this.#open) {
      const n = ++this.#n;
      const began = performance.now();
      try {
        await this.#publisher.publish("order", { n });
        this.acknowledged++;
        if (this.#handled.has(n)) this.#newest = Math.max(this.#newest, n);
        else this.#waiting.add(n);
      } catch (error) {
        const { code = String(error), retryable = false } = error as { code?: string; retryable?: boolean };
        this.refused.push({ n, code, retryable, took: performance.now() - began });
      }
      do await delay(PAUSE_MS);
      while (this.#open && (this.#resting || this.#waiting.size > MOST_WAITING));
    }
  }
}
