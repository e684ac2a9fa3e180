import type { CharSet } from "./char-set.ts";

/** Runs share a number: one bit for each of their chars. */
interface Word {
  /** By char: the bits of the runs' chars that it may be. */
  readonly table: Int32Array;
  used: number;
  firsts: number;
  lasts: number;
}

/** Where a run is told of. */
export interface ClassPlace {
  readonly word: number;
  readonly bits: number;
  readonly last: number;
}

const BITS = 32;
/** V8 sees at once that a text of one-byte chars has none of these. */
const BEYOND = /[^\0-\xff]/;

/**
 * Runs of classes, such as nine capitals, found in one pass over a text for each few of them: each is followed by one bit
 * that moves on with each char that fits.
 *
 * Source: Baeza-Yates and Gonnet, "A New Approach to Text Searching" (1992), the shift-and method.
 */
export class ClassScan {
  readonly #words: Word[] = [];
  readonly #met: number[] = [];

  add(run: readonly CharSet[]): ClassPlace {
    const length = run.length;
    let number = this.#words.findIndex(({ used }) => gapIn(used, length) >= 0);
    if (number < 0)
      number = this.#words.push({ table: new Int32Array(256), used: 0, firsts: 0, lasts: 0 }) - 1;
    const word = this.#words[number] as Word; // found or made
    const at = gapIn(word.used, length);
    const place = { word: number, bits: bitsAt(at, length), last: 1 << (at + length - 1) };
    word.used |= place.bits;
    word.firsts |= 1 << at;
    word.lasts |= place.last;
    for (const [n, set] of run.entries()) {
      for (let code = 0; code < 256; code++)
        if (set.has(code)) word.table[code] = (word.table[code] as number) | (1 << (at + n));
    }
    return place;
  }

  remove({ word: number, bits }: ClassPlace): void {
    const word = this.#words[number] as Word; // it was placed there
    word.used &= ~bits;
    word.firsts &= ~bits;
    word.lasts &= ~bits;
    for (let code = 0; code < 256; code++) word.table[code] = (word.table[code] as number) & ~bits;
  }

  /** Looks for all runs; `has` answers for this text until the next one. */
  scan(text: string): void {
    this.#met.length = 0;
    if (this.#words.length === 0) return;
    const isBeyond = BEYOND.test(text);
    for (const word of this.#words) this.#met.push(isBeyond ? -1 : metIn(word, text));
  }

  /** Whether the run of a place may be in the text. */
  has({ word, last }: ClassPlace): boolean {
    return ((this.#met[word] as number) & last) !== 0; // one for each word
  }
}

/** The last bits of the runs that are in the text. */
function metIn({ table, firsts, lasts }: Word, text: string): number {
  let met = 0;
  let state = 0;
  for (let at = 0; at < text.length; at++) {
    state = ((state << 1) | firsts) & (table[text.charCodeAt(at)] as number); // below 256: the caller looked
    met |= state;
  }
  return met & lasts;
}

function bitsAt(at: number, length: number): number {
  return length === BITS ? -1 : ((1 << length) - 1) << at;
}

/** Where so many bits in a row are free; -1 when nowhere. */
function gapIn(used: number, length: number): number {
  for (let at = 0; at + length <= BITS; at++) if ((used & bitsAt(at, length)) === 0) return at;
  return -1;
}
