import { Heap } from "../../heap.ts";

interface Uses {
  slot: number;
  readonly key: string;
  /** When it was used, oldest first. */
  readonly times: number[];
  /** The longest window that was asked for: older uses are forgotten. */
  window: number;
  /** When the last use leaves the window, and all is forgotten. */
  end: number;
}

/** Counts uses by key over sliding windows, each use by its own moment; keys that nobody uses any more are forgotten. */
export class UseWindows {
  readonly #byKey = new Map<string, Uses>();
  readonly #byEnd = new Heap<Uses>((a, b) => a.end < b.end);

  /** How many keys are remembered. */
  get size(): number {
    return this.#byKey.size;
  }

  /** The moments of the uses of `key` within the last `window` ms, oldest first. */
  within(key: string, window: number, now: number): readonly number[] {
    this.#forget(now);
    const uses = this.#byKey.get(key);
    if (!uses) return [];
    uses.window = Math.max(uses.window, window);
    const kept = uses.times.findIndex((time) => time > now - uses.window);
    uses.times.splice(0, kept < 0 ? uses.times.length : kept);
    const first = uses.times.findIndex((time) => time > now - window);
    return first === 0 ? uses.times : uses.times.slice(first < 0 ? uses.times.length : first);
  }

  add(key: string, window: number, now: number): void {
    const uses = this.#byKey.get(key) ?? { slot: -1, key, times: [], window, end: 0 };
    uses.window = Math.max(uses.window, window);
    uses.times.push(now);
    this.#byKey.set(key, uses);
    this.#keepUntil(uses, now + uses.window);
  }

  /** Forgets the latest use of `key`. */
  takeBack(key: string): void {
    const uses = this.#byKey.get(key);
    uses?.times.pop();
    if (uses?.times.length === 0) this.clear(key);
  }

  /** All keys that are used, with the moments of their uses. */
  values(): Iterable<Readonly<Pick<Uses, "key" | "times" | "end">>> {
    return this.#byKey.values();
  }

  /** Forgets every use of `key`. */
  clear(key: string): void {
    const uses = this.#byKey.get(key);
    if (!uses) return;
    this.#byEnd.remove(uses);
    this.#byKey.delete(key);
  }

  #keepUntil(uses: Uses, end: number): void {
    this.#byEnd.remove(uses);
    uses.end = end;
    this.#byEnd.push(uses);
  }

  #forget(now: number): void {
    for (let next = this.#byEnd.peek(); next && next.end <= now; next = this.#byEnd.peek())
      this.clear(next.key);
  }
}
