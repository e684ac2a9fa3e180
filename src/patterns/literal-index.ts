import { GramSample } from "./gram-sample.ts";
import { GramTable, type Neighbours, SPREAD } from "./gram-table.ts";
import type { Cell, Requirement, Run } from "./literals.ts";
import { FOLD, IS_LITTLE_ENDIAN, TextBytes } from "./text-bytes.ts";
import { chooseWindow, type Experience, keysOf, type Window } from "./windows.ts";

type Kind = "strided" | "quad" | "pair";

/** One run of an owner's requirement, and how the scan finds it. */
interface Place {
  readonly owner: number;
  readonly kind: Kind;
  readonly start: number;
  readonly run: Run;
}

/** An owner's requirements, and the one of them by which it is found. */
interface Owned {
  readonly requirements: readonly Requirement[];
  places: readonly number[];
  /** How often it was moved, and how many alarms are let pass before the next time: each time twice as many. */
  moves: number;
  calm: number;
}

/** How the best of an owner's requirements is found. */
interface Choice {
  readonly windows: readonly Window[];
  readonly runs: Requirement;
}

/** After so many looks in vain it is seen whether other chars of the owner would do better. */
const MOST_WASTED = 64;
/** One text in so many (a power of two) is counted in the sample. */
const SAMPLED = 256;
/** All texts are loaded into the same memory: nothing is kept from one scan to the next. */
const text = new TextBytes();

/**
 * The literals that patterns require, found in one pass over a text, however many there are.
 *
 * Of each literal a few bytes are looked for. When all literals are long enough, the text is read in steps of four bytes:
 * each literal is entered with four beginnings, one of which falls on a step. Where a piece is known, the whole literal is
 * compared. Owners are small numbers. Which bytes are looked for is guessed at first, by what is rare in logs, and then
 * learned from the texts: what is met in vain too often gives way to other bytes of the same pattern.
 *
 * Source of the steps: Wu and Manber, "A Fast Algorithm for Multi-Pattern Searching" (1994), with the shift fixed.
 */
export class LiteralIndex {
  readonly #tables: Readonly<Record<Kind, GramTable>> = {
    strided: new GramTable(),
    quad: new GramTable(),
    pair: new GramTable(),
  };
  readonly #places: (Place | undefined)[] = [];
  readonly #freePlaces: number[] = [];
  /** By owner. */
  readonly #owned: (Owned | undefined)[] = [];
  #owners = 0;
  readonly #sample = new GramSample();
  /** Owners that are met in vain too often. */
  readonly #misplaced: number[] = [];
  /** The last text in which each owner was found, by number, so that it is found once. */
  #foundIn = new Int32Array(64);
  #texts = 0;
  readonly #found: number[] = [];
  readonly #experience: Experience = (kind, key, guess) =>
    this.#sample.shareOf(key, guess, kind === "pair") * (1 + this.#tables[kind].crowdAt(key));

  /**
   * Takes in one of the requirements, the one that is met most seldom; false when each is met too often to be of use.
   * @param hasOtherGate Whether the owner can be told from most texts without: then only steps are worth their cost.
   */
  add(owner: number, requirements: readonly Requirement[], hasOtherGate = false): boolean {
    const choice = IS_LITTLE_ENDIAN ? this.#choose(requirements) : undefined;
    if (!choice || (hasOtherGate && choice.windows.some(({ kind }) => kind !== "strided"))) return false;
    this.#owned[owner] = { requirements, places: this.#placeAll(owner, choice), moves: 0, calm: 0 };
    this.#owners++;
    if (owner >= this.#foundIn.length) {
      const more = new Int32Array(owner * 2);
      more.set(this.#foundIn);
      this.#foundIn = more;
    }
    this.#foundIn[owner] = 0;
    return true;
  }

  remove(owner: number): void {
    const owned = this.#owned[owner];
    if (!owned) return;
    this.#displace(owned.places);
    this.#owned[owner] = undefined;
    this.#owners--;
  }

  #displace(places: readonly number[]): void {
    for (const number of places) {
      const place = this.#places[number] as Place; // it was placed
      for (const offset of offsetsOf(place)) {
        for (const key of keysOf(place.run, offset, sizeOf(place)))
          this.#tables[place.kind].remove(key, number);
      }
      this.#places[number] = undefined;
      this.#freePlaces.push(number);
    }
  }

  /** The owners that may be in a text, each once, in no order. The array is good until the next call. */
  find(written: string): readonly number[] {
    const { strided, quad, pair } = this.#tables;
    // Setting a length takes longer than looking at it.
    if (this.#found.length > 0) this.#found.length = 0;
    if (this.#owners === 0) return this.#found;
    this.#texts = (this.#texts + 1) | 0;
    const words = text.load(written);
    if (strided.count > 0) this.#lookAtAll(this.#inSteps(words, strided), strided, -1);
    if (quad.count > 0) this.#lookAtAll(this.#everywhere(words, quad, -1), quad, -1);
    if (pair.count > 0) this.#lookAtAll(this.#everywhere(words, pair, 0xffff), pair, 0xffff);
    if ((this.#texts & (SAMPLED - 1)) === 0) this.#sample.take(text.words, written.length);
    if (this.#misplaced.length > 0) this.#moveOne();
    return this.#found;
  }

  #choose(requirements: readonly Requirement[]): Choice | undefined {
    let choice: Choice | undefined;
    let least = Infinity;
    for (const runs of requirements) {
      const windows = runs.map((run) => chooseWindow(run, this.#experience));
      const cost = windows.reduce((sum, window) => sum + window.cost, 0);
      if (cost < least) [choice, least] = [{ windows, runs }, cost];
    }
    return choice;
  }

  #placeAll(owner: number, { windows, runs }: Choice): readonly number[] {
    return windows.map((window, at) => this.#place(owner, window, runs[at] as Run)); // one for each
  }

  /** Looks for other chars of an owner from now on, if there are better ones: one owner a text, so that no text waits. */
  #moveOne(): void {
    const owner = this.#misplaced.pop() as number; // the caller looked
    const owned = this.#owned[owner];
    if (!owned || owned.calm-- > 0) return;
    owned.calm = 2 ** ++owned.moves;
    const choice = this.#choose(owned.requirements);
    if (!choice) return;
    this.#displace(owned.places);
    owned.places = this.#placeAll(owner, choice);
  }

  #place(owner: number, { kind, start }: Window, run: Run): number {
    const number = this.#freePlaces.pop() ?? this.#places.length;
    const place: Place = { owner, kind: kind as Kind, start, run }; // the cost of "none" is never the least
    const table = this.#tables[place.kind];
    for (const offset of offsetsOf(place)) {
      const beside = neighboursOf(run, offset, sizeOf(place));
      for (const key of keysOf(run, offset, sizeOf(place))) table.add(key, number, offset, beside);
    }
    this.#places[number] = place;
    return number;
  }

  /** Notes where a piece of the text may be known: in a loop that calls nothing, which V8 makes half as long. */
  #inSteps(count: number, { bits, shift }: GramTable): number {
    const { words, hits } = text;
    let met = 0;
    for (let at = 0; at < count; at++) {
      const bucket = Math.imul((words[at] as number) | FOLD, SPREAD) >>> shift; // within the text
      if (((bits[bucket >>> 5] as number) & (1 << (bucket & 31))) !== 0) hits[met++] = at * 4;
    }
    return met;
  }

  #everywhere(count: number, { bits, shift }: GramTable, mask: number): number {
    const { words, hits } = text;
    let met = 0;
    let word = (words[0] as number) | FOLD;
    // Written out for the four places in a word: this is all the time that there is.
    for (let at = 0; at < count; at++) {
      const next = (words[at + 1] as number) | FOLD;
      let bucket = Math.imul(word & mask, SPREAD) >>> shift;
      if (((bits[bucket >>> 5] as number) & (1 << (bucket & 31))) !== 0) hits[met++] = at * 4;
      bucket = Math.imul(((word >>> 8) | (next << 24)) & mask, SPREAD) >>> shift;
      if (((bits[bucket >>> 5] as number) & (1 << (bucket & 31))) !== 0) hits[met++] = at * 4 + 1;
      bucket = Math.imul(((word >>> 16) | (next << 16)) & mask, SPREAD) >>> shift;
      if (((bits[bucket >>> 5] as number) & (1 << (bucket & 31))) !== 0) hits[met++] = at * 4 + 2;
      bucket = Math.imul(((word >>> 24) | (next << 8)) & mask, SPREAD) >>> shift;
      if (((bits[bucket >>> 5] as number) & (1 << (bucket & 31))) !== 0) hits[met++] = at * 4 + 3;
      word = next;
    }
    return met;
  }

  #lookAtAll(met: number, table: GramTable, mask: number): void {
    for (let n = 0; n < met; n++) {
      const at = text.hits[n] as number; // noted
      this.#look(table, text.wordAt(at) & mask, at);
    }
  }

  /** A piece of the text is known, or one that shares its bucket. */
  #look(table: GramTable, key: number, at: number): void {
    for (let entry = table.first(key); entry >= 0; entry = table.next(entry, key)) {
      if (table.fits(entry, text.wordAt(at + table.deltaOf(entry))) && this.#compare(table, entry, at))
        continue;
      if (table.waste(entry, MOST_WASTED)) this.#misplaced.push(this.#ownerAt(table, entry));
    }
  }

  /** Compares the whole run; true when it is there. */
  #compare(table: GramTable, entry: number, at: number): boolean {
    const { owner, run } = this.#places[table.ownerOf(entry)] as Place; // as long as it has entries
    if (this.#foundIn[owner] === this.#texts) return true;
    if (!isAt(run, at - table.offsetOf(entry))) return false;
    this.#foundIn[owner] = this.#texts;
    this.#found.push(owner);
    return true;
  }

  #ownerAt(table: GramTable, entry: number): number {
    return (this.#places[table.ownerOf(entry)] as Place).owner; // as long as it has entries
  }
}

/** Where in the run the keys begin by which it is found. */
function offsetsOf({ kind, start }: Place): readonly number[] {
  return kind === "strided" ? [start, start + 1, start + 2, start + 3] : [start];
}

function sizeOf({ kind }: Place): number {
  return kind === "pair" ? 2 : 4;
}

/** The four bytes behind a key or those before it, whichever say more. */
function neighboursOf(run: Run, offset: number, size: number): Neighbours {
  const behind = bytesAt(run, offset + size, size);
  const before = bytesAt(run, offset - 4, -4);
  return behind.mask >>> 0 >= before.mask >>> 0 ? behind : before;
}

function bytesAt(run: Run, start: number, delta: number): Neighbours {
  let bytes = 0;
  let mask = 0;
  for (let at = 0; at < 4; at++) {
    const cell = run[start + at];
    if (typeof cell !== "number") continue;
    bytes |= cell << (at * 8);
    mask |= 0xff << (at * 8);
  }
  return { delta, bytes, mask };
}

function isAt(run: Run, start: number): boolean {
  if (start < 0) return false;
  const { bytes } = text;
  for (let at = 0; at < run.length; at++) {
    const cell = run[at] as Cell; // within the run
    const byte = (bytes[start + at] as number) | 0x20;
    if (typeof cell === "number" ? cell !== byte : !cell.includes(byte)) return false;
  }
  return true;
}
