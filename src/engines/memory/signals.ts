import type { Signals } from "../../engine.ts";
import type { Seat } from "./seat.ts";

/** Words between the engine values of one store, this one included; each is heard on a later turn of the event loop. */
export class MemorySignals implements Signals {
  readonly #seat: Seat;
  readonly #endings = new Set<() => void>();

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  async send(channel: string, body: string): Promise<void> {
    const listeners = this.#seat.store.listeners.get(channel);
    if (!listeners) return;
    const present = [...listeners];
    setImmediate(() => {
      for (const listener of present) if (listeners.has(listener)) listener.hear(body);
    });
  }

  listen(channel: string, hear: (body: string) => void): () => void {
    const { listeners: all } = this.#seat.store;
    const listeners = all.get(channel) ?? new Set();
    all.set(channel, listeners);
    // Wrapped, so that one function may listen twice and end once.
    const listener = { hear };
    listeners.add(listener);
    const end = () => {
      listeners.delete(listener);
      if (listeners.size === 0 && all.get(channel) === listeners) all.delete(channel);
      this.#endings.delete(end);
    };
    this.#endings.add(end);
    return end;
  }

  /** Ends all that listen through this engine value. */
  close(): void {
    for (const end of this.#endings) end();
  }
}
