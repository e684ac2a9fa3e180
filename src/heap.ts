/** What a {@link Heap} keeps. The item remembers its place, so that it can be taken out from the middle; -1 is nowhere. */
export interface HeapItem {
  slot: number;
}

/**
 * A binary heap whose items can be removed wherever they are: every change costs O(log n).
 * An item may be in one heap at a time only.
 */
export class Heap<T extends HeapItem> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  /** @param before Whether `a` comes out before `b`. */
  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The first item, which stays. */
  peek(): T | undefined {
    return this.#items[0];
  }

  /** All items, in no order. */
  values(): Iterable<T> {
    return this.#items.values();
  }

  push(item: T): void {
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  /** Takes out the first item. */
  pop(): T | undefined {
    const first = this.#items[0];
    if (first) this.remove(first);
    return first;
  }

  /** Takes out an item; false when it is not in this heap. */
  remove(item: T): boolean {
    const at = item.slot;
    if (this.#items[at] !== item) return false;
    item.slot = -1;
    const last = this.#items.pop();
    if (last === undefined || last === item) return true;
    this.#sink(last, at);
    if (last.slot === at) this.#rise(last, at);
    return true;
  }

  #rise(item: T, from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#items[parent];
      if (above === undefined || !this.#before(item, above)) break;
      this.#put(above, at);
      at = parent;
    }
    this.#put(item, at);
  }

  #sink(item: T, from: number): void {
    let at = from;
    for (;;) {
      const left = this.#items[2 * at + 1];
      if (left === undefined) break;
      const right = this.#items[2 * at + 2];
      const smaller = right !== undefined && this.#before(right, left) ? right : left;
      if (!this.#before(smaller, item)) break;
      const next = smaller.slot;
      this.#put(smaller, at);
      at = next;
    }
    this.#put(item, at);
  }

  #put(item: T, at: number): void {
    this.#items[at] = item;
    item.slot = at;
  }
}
