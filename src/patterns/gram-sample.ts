import { SPREAD } from "./gram-table.ts";
import { FOLD } from "./text-bytes.ts";

const BITS = 14;
/** The guess counts as much as so many chars of text. */
const WEIGHT = 20_000;
/** When so many chars were counted all counts are halved: what was long ago says less. */
const MOST_COUNTED = 1_000_000;
/** Of a long text the beginning speaks for the rest. */
const LONGEST = 4_096;

/** How often pieces of four and of two chars occur in the texts that there were, by a sample of these. */
export class GramSample {
  /** By the bucket of a piece; several pieces share one, and then seem more frequent than they are. */
  readonly #counts = { quad: new Uint32Array(2 ** BITS), pair: new Uint32Array(2 ** BITS) };
  #counted = 0;

  /** Counts all pieces of a text. */
  take(words: Int32Array, length: number): void {
    const { quad, pair } = this.#counts;
    const most = Math.min(length, LONGEST);
    for (let at = 0; at < most; at++) {
      const shift = (at & 3) * 8;
      const word = (words[at >>> 2] as number) | FOLD; // both within: there is padding behind a text
      const next = (words[(at >>> 2) + 1] as number) | FOLD;
      const key = shift === 0 ? word : (word >>> shift) | (next << (32 - shift));
      add(quad, key);
      add(pair, key & 0xffff);
    }
    this.#counted += most;
    if (this.#counted > MOST_COUNTED) this.#halve();
  }

  /** How large a part of all places a piece stands in, given what one would guess without having seen any. */
  shareOf(key: number, guess: number, isPair: boolean): number {
    if (this.#counted === 0) return guess;
    const counts = isPair ? this.#counts.pair : this.#counts.quad;
    return (guess * WEIGHT + (counts[bucketOf(key)] as number)) / (WEIGHT + this.#counted);
  }

  #halve(): void {
    for (const counts of Object.values(this.#counts))
      for (const [at, count] of counts.entries()) counts[at] = count >>> 1;
    this.#counted >>>= 1;
  }
}

function bucketOf(key: number): number {
  return Math.imul(key, SPREAD) >>> (32 - BITS);
}

function add(counts: Uint32Array, key: number): void {
  const bucket = bucketOf(key);
  counts[bucket] = (counts[bucket] as number) + 1;
}
