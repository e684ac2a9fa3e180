import type { Signals } from "../../engine.ts";
import { script } from "./script.ts";
import type { Seat } from "./seat.ts";

/** In a script, so that a cluster's client sends all to one server, which keeps their order. */
const SEND = script("return redis.call('PUBLISH', ARGV[1], ARGV[2])");

/** In a cluster a word may be a while on its way, and is not for who began to listen since. Two replicas read one clock, and not to the millisecond. */
const CLOCKS_DIFFER_MS = 50;

interface Listener {
  readonly hear: (body: string) => void;
  readonly since: number;
}

/** Words between replicas, by publish and subscribe: all of them on one channel, which every replica hears from its start. */
export class RedisSignals implements Signals {
  readonly #seat: Seat;
  readonly #channels = new Map<string, Set<Listener>>();

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  async send(channel: string, body: string): Promise<void> {
    const { session } = this.#seat;
    await session.root(SEND, session.keys.signals, `${session.now()}\n${channel}\n${body}`);
  }

  listen(channel: string, hear: (body: string) => void): () => void {
    const listeners = this.#channels.get(channel) ?? new Set();
    this.#channels.set(channel, listeners);
    // Wrapped, so that one function may listen twice and end once.
    const listener = { hear, since: this.#seat.session.now() };
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#channels.get(channel) === listeners) this.#channels.delete(channel);
    };
  }

  /** Something was said. */
  heard(text: string): void {
    if (this.#channels.size === 0) return;
    const [sent = "", channel = ""] = text.split("\n", 2);
    const body = text.slice(sent.length + channel.length + 2);
    for (const { hear, since } of this.#channels.get(channel) ?? [])
      if (Number(sent) >= since - CLOCKS_DIFFER_MS) hear(body);
  }

  /** Ends all that listen. */
  close(): void {
    this.#channels.clear();
  }
}
