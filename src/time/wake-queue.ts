/** What a {@link WakeQueue} keeps. The item remembers its place, so that it can be moved and taken out; -1 is nowhere. */
export interface WakeItem {
  slot: number;
}

/**
 * Items by the moment at which they are to be woken: a heap with four branches, and with the moments in an array of
 * their own. Of a hundred thousand items a tick moves one from the top far down, and what that costs is memory that is
 * not in the processor's cache; so few levels, and moments that lie side by side, are what counts.
 */
export class WakeQueue<T extends WakeItem> {
  readonly #items: T[] = [];
  readonly #wakes: number[] = [];

  /** The moment of the first item. */
  get next(): number | undefined {
    return this.#wakes[0];
  }

  /** The first item, which stays. */
  peek(): T | undefined {
    return this.#items[0];
  }

  /** Puts an item in, or moves it. */
  set(item: T, wake: number): void {
    if (this.#items[item.slot] !== item) {
      this.#rise(item, wake, this.#items.length);
      return;
    }
    const before = this.#wakes[item.slot] as number; // its own
    if (wake < before) this.#rise(item, wake, item.slot);
    else this.#sink(item, wake, item.slot);
  }

  /** Takes an item out; harmless when it is not in. */
  remove(item: T): void {
    const at = item.slot;
    if (this.#items[at] !== item) return;
    item.slot = -1;
    const last = this.#items.pop();
    const wake = this.#wakes.pop();
    if (last === undefined || wake === undefined || last === item) return;
    // It takes the place, and goes from there to where it belongs.
    this.#put(last, wake, at);
    this.#sink(last, wake, at);
    if (last.slot === at) this.#rise(last, wake, at);
  }

  clear(): void {
    for (const item of this.#items) item.slot = -1;
    this.#items.length = 0;
    this.#wakes.length = 0;
  }

  #rise(item: T, wake: number, from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 2;
      const above = this.#wakes[parent] as number; // parent < at
      if (above <= wake) break;
      this.#put(this.#items[parent] as T, above, at);
      at = parent;
    }
    this.#put(item, wake, at);
  }

  #sink(item: T, wake: number, from: number): void {
    const wakes = this.#wakes;
    const { length } = wakes;
    let at = from;
    for (;;) {
      const first = 4 * at + 1;
      if (first >= length) break;
      let least = first;
      const end = Math.min(first + 4, length);
      // Every index below is smaller than the length.
      for (let child = first + 1; child < end; child++) {
        if ((wakes[child] as number) < (wakes[least] as number)) least = child;
      }
      const below = wakes[least] as number;
      if (below >= wake) break;
      this.#put(this.#items[least] as T, below, at);
      at = least;
    }
    this.#put(item, wake, at);
  }

  #put(item: T, wake: number, at: number): void {
    this.#items[at] = item;
    this.#wakes[at] = wake;
    item.slot = at;
  }
}
