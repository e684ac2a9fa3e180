/** Multiplying by it spreads the bits of a key upward. Source: Knuth, The Art of Computer Programming 3, 6.4 (2^32 over the golden ratio). */
export const SPREAD = 0x9e3779b1 | 0;
const SMALLEST_BITS = 12;
const NONE = -1;
/** How many numbers an entry has. */
const SIZE = 8;

/** Bytes beside a key, as a number: by them most of what only shares the key is told from what is looked for. */
export interface Neighbours {
  readonly delta: number;
  readonly bytes: number;
  readonly mask: number;
}

/**
 * Short pieces of text (up to four bytes, as a number) and whom they belong to. Most pieces of a text belong to nobody, and
 * one bit tells: so few bits that they stay in the fastest cache. Pieces come and go one by one; the table doubles when it
 * gets crowded, which is spread over all that were added.
 */
export class GramTable {
  /** One bit for each bucket: whether anything is in it. */
  bits = new Int32Array(0);
  /** The bucket of a key is `Math.imul(key, SPREAD) >>> shift`. */
  shift = 32 - SMALLEST_BITS;
  /** The first entry of each bucket. */
  #heads = new Int32Array(0);
  /** How many entries each bucket has. */
  #crowds = new Uint16Array(0);
  /**
   * Of each entry: the next one of its bucket or the next free one, its key, its owner, where in the owner's run the key
   * begins, what stands beside the key (where, which bytes, and which of them count), how often it was met in vain. All of
   * it is together: reading anything else takes longer than all that is done with it.
   */
  #entries = new Int32Array(SIZE * 64);
  #used = 0;
  #free = NONE;
  #count = 0;

  constructor() {
    this.#resize(SMALLEST_BITS);
  }

  /** How many entries there are. */
  get count(): number {
    return this.#count;
  }

  add(key: number, owner: number, offset: number, { delta, bytes, mask }: Neighbours): void {
    if (this.#count >= this.#heads.length >>> 2 && this.shift > 12) this.#resize(32 - this.shift + 1);
    const entry = this.#take();
    const bucket = this.#bucketOf(key);
    const entries = this.#entries;
    entries[entry] = this.#heads[bucket] as number;
    entries[entry + 1] = key;
    entries[entry + 2] = owner;
    entries[entry + 3] = offset;
    entries[entry + 4] = delta;
    entries[entry + 5] = bytes;
    entries[entry + 6] = mask;
    entries[entry + 7] = 0;
    this.#link(bucket, entry);
    this.#count++;
  }

  remove(key: number, owner: number): void {
    const entries = this.#entries;
    const bucket = this.#bucketOf(key);
    let before = NONE;
    for (
      let entry = this.#heads[bucket] as number;
      entry !== NONE;
      before = entry, entry = entries[entry] as number
    ) {
      if (entries[entry + 1] !== key || entries[entry + 2] !== owner) continue;
      const next = entries[entry] as number;
      if (before === NONE) this.#heads[bucket] = next;
      else entries[before] = next;
      this.#crowds[bucket] = (this.#crowds[bucket] as number) - 1;
      if (this.#heads[bucket] === NONE) this.#setBit(bucket, false);
      entries[entry] = this.#free;
      this.#free = entry;
      this.#count--;
      return;
    }
  }

  /** How many entries the bucket of a key has. */
  crowdAt(key: number): number {
    return this.#crowds[this.#bucketOf(key)] as number;
  }

  /** The first entry of a key; -1 when there is none. */
  first(key: number): number {
    return this.#search(this.#heads[this.#bucketOf(key)] as number, key);
  }

  next(entry: number, key: number): number {
    return this.#search(this.#entries[entry] as number, key);
  }

  ownerOf(entry: number): number {
    return this.#entries[entry + 2] as number;
  }

  offsetOf(entry: number): number {
    return this.#entries[entry + 3] as number;
  }

  /** Where the neighbours of the key stand, from the key. */
  deltaOf(entry: number): number {
    return this.#entries[entry + 4] as number;
  }

  /** Whether so many bytes, read where the neighbours should be, are those. */
  fits(entry: number, bytes: number): boolean {
    const entries = this.#entries;
    return ((bytes ^ (entries[entry + 5] as number)) & (entries[entry + 6] as number)) === 0;
  }

  /** Counts a meeting in vain; true at each `most`th. */
  waste(entry: number, most: number): boolean {
    const wasted = (this.#entries[entry + 7] as number) + 1;
    this.#entries[entry + 7] = wasted % most;
    return wasted === most;
  }

  #search(from: number, key: number): number {
    const entries = this.#entries;
    let entry = from;
    while (entry !== NONE && entries[entry + 1] !== key) entry = entries[entry] as number;
    return entry;
  }

  #bucketOf(key: number): number {
    return Math.imul(key, SPREAD) >>> this.shift;
  }

  #take(): number {
    const free = this.#free;
    if (free !== NONE) {
      this.#free = this.#entries[free] as number;
      return free;
    }
    if (this.#used === this.#entries.length) {
      const more = new Int32Array(this.#used * 2);
      more.set(this.#entries);
      this.#entries = more;
    }
    this.#used += SIZE;
    return this.#used - SIZE;
  }

  #link(bucket: number, entry: number): void {
    this.#heads[bucket] = entry;
    this.#crowds[bucket] = (this.#crowds[bucket] as number) + 1;
    this.#setBit(bucket, true);
  }

  #setBit(bucket: number, on: boolean): void {
    const word = this.bits[bucket >>> 5] as number;
    const bit = 1 << (bucket & 31);
    this.bits[bucket >>> 5] = on ? word | bit : word & ~bit;
  }

  #resize(bits: number): void {
    const before = this.#heads;
    this.shift = 32 - bits;
    this.#heads = new Int32Array(2 ** bits).fill(NONE);
    this.#crowds = new Uint16Array(2 ** bits);
    this.bits = new Int32Array(2 ** bits / 32);
    for (const head of before) {
      for (let entry = head, next = NONE; entry !== NONE; entry = next) {
        next = this.#entries[entry] as number;
        const bucket = this.#bucketOf(this.#entries[entry + 1] as number);
        this.#entries[entry] = this.#heads[bucket] as number;
        this.#link(bucket, entry);
      }
    }
  }
}
