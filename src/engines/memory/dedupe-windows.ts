import { Heap } from "../../heap.ts";

interface Window {
  slot: number;
  readonly key: string;
  readonly id: string;
  readonly until: number;
}

/** Which message holds a dedupe key, and until when; a window that has passed is forgotten. */
export class DedupeWindows {
  readonly #byKey = new Map<string, Window>();
  readonly #byEnd = new Heap<Window>((a, b) => a.until < b.until);

  /** How many keys are remembered. */
  get size(): number {
    return this.#byKey.size;
  }

  /** The id of the message that holds the key. */
  holder(key: string, now: number): string | undefined {
    for (let next = this.#byEnd.peek(); next && next.until <= now; next = this.#byEnd.peek()) {
      this.#byEnd.remove(next);
      this.#byKey.delete(next.key);
    }
    return this.#byKey.get(key)?.id;
  }

  /** All windows that are remembered. */
  values(): Iterable<Readonly<Omit<Window, "slot">>> {
    return this.#byKey.values();
  }

  clear(): void {
    for (const window of this.#byKey.values()) this.#byEnd.remove(window);
    this.#byKey.clear();
  }

  /** Gives a free key to a message. */
  hold(key: string, id: string, until: number): void {
    const window = { slot: -1, key, id, until };
    this.#byKey.set(key, window);
    this.#byEnd.push(window);
  }
}
