import { caseVariants } from "./case-variants.ts";

/** The flags that decide which chars a piece of a pattern means. */
export interface CharFlags {
  readonly ignoreCase: boolean;
  readonly dotAll: boolean;
  /** "u", "v" or nothing. */
  readonly unicode: "u" | "v" | "";
}

/** Sets of chars, as bits: 128 for ASCII, and 64 that stand for all others, by the last bits of their codes. */
export type Mask = readonly [number, number, number, number, number, number];

export const NO_CHARS: Mask = [0, 0, 0, 0, 0, 0];
export const ALL_CHARS: Mask = [-1, -1, -1, -1, -1, -1];

/** Whether two sets may have a char in common. */
export function overlaps(a: Mask, b: Mask): boolean {
  for (let at = 0; at < 6; at++) if (((a[at] as number) & (b[at] as number)) !== 0) return true; // six each
  return false;
}

export function union(a: Mask, b: Mask): Mask {
  return [a[0] | b[0], a[1] | b[1], a[2] | b[2], a[3] | b[3], a[4] | b[4], a[5] | b[5]];
}

/** The place of a char among the bits of a {@link Mask}. */
function bitOf(code: number): number {
  return code < 128 ? code : 128 + (code & 63);
}

/** Whether a char may be among those of a mask. */
export function isIn(mask: Mask, code: number): boolean {
  const bit = bitOf(code);
  return ((mask[bit >>> 5] as number) & (1 << (bit & 31))) !== 0; // below 192
}

/** Beyond this many, the chars of a set are not told one by one. */
const MOST_LISTED = 64;
const UNKNOWN = 0;
const YES = 2;

/**
 * The chars that one piece of a pattern matches: a char, an escape, a class, the dot. What belongs to it is asked of V8
 * itself, so that no table of ours can differ: `\p{…}`, the folds of `i` with and without `u`, set notation.
 */
export class CharSet {
  /** Where it stands in a syntax tree: the same object everywhere, for there are many. */
  readonly node: { readonly kind: "char"; readonly set: CharSet } = { kind: "char", set: this };
  /** The code when it is one plain char, whose case counts or that has none. */
  readonly code: number | undefined;
  readonly #source: string;
  readonly #flags: CharFlags;
  #regExp: RegExp | undefined;
  readonly #latin1 = new Uint8Array(256);
  /** Answers for the chars beyond, once one was asked for. */
  #beyond: Uint8Array | undefined;
  #listed: readonly number[] | null | undefined;
  #mask: Mask | undefined;

  /**
   * @param source As it stands in the pattern.
   * @param listed Its chars (at least those), where the parser knows them; null for more than can be listed; undefined to find out.
   */
  constructor(source: string, flags: CharFlags, listed?: readonly number[] | null) {
    this.#source = source;
    this.#flags = flags;
    this.#listed = listed;
    this.code = listed?.length === 1 ? listed[0] : undefined;
  }

  /** Whether the char, or the UTF-16 unit without `u`, belongs to it. */
  has(code: number): boolean {
    if (this.code !== undefined) return code === this.code;
    if (code > 0xffff) return this.#ask(code);
    const known = code < 256 ? this.#latin1 : (this.#beyond ??= new Uint8Array(0x10000));
    if (known[code] === UNKNOWN) known[code] = this.#ask(code) ? YES : 1;
    return known[code] === YES;
  }

  /** Its chars (at least those), or undefined when they are too many. */
  get listed(): readonly number[] | undefined {
    if (this.#listed === undefined) this.#listed = this.#list();
    return this.#listed ?? undefined;
  }

  /** Its chars, and perhaps more. */
  get mask(): Mask {
    return (this.#mask ??= this.#findMask());
  }

  #ask(code: number): boolean {
    const { ignoreCase, dotAll, unicode } = this.#flags;
    const flags = `${ignoreCase ? "i" : ""}${dotAll ? "s" : ""}${unicode}`;
    this.#regExp ??= new RegExp(`^(?:${this.#source})$`, flags);
    return this.#regExp.test(String.fromCodePoint(code));
  }

  #list(): readonly number[] | null {
    if (!this.#isWithinAscii()) return null;
    const listed: number[] = [];
    for (let code = 0; code < 128; code++) if (this.has(code)) listed.push(code);
    for (const folded of [0x17f, 0x212a]) if (this.has(folded)) listed.push(folded);
    return listed.length <= MOST_LISTED ? listed : null;
  }

  /** Seen from its source: an escape that stays in ASCII, or a class of such and of ASCII chars. Case may add the two folds only. */
  #isWithinAscii(): boolean {
    if (this.#flags.unicode === "v") return false;
    return /^(?:\\[dw]|\[(?!\^)(?:[\x20-\x5b\x5d-\x7e\t]|\\[dwtnrfv]|\\[^A-Za-z0-9\x80-\uffff])*\])$/.test(
      this.#source,
    );
  }

  #findMask(): Mask {
    const bits = new Int32Array(6);
    const add = (bit: number): void =>
      void (bits[bit >>> 5] = (bits[bit >>> 5] as number) | (1 << (bit & 31))); // below 192
    const { listed } = this;
    // A char of two units is known by its first unit too, which may be any.
    if (listed?.every((code) => code <= 0xffff)) for (const code of listed) add(bitOf(code));
    else {
      for (let code = 0; code < 128; code++) if (this.has(code)) add(code);
      bits.fill(-1, 4);
    }
    return [...bits] as unknown as Mask; // six of them
  }
}

const literals = new Map<number, CharSet>();
/** Of ASCII where case counts: what patterns are mostly made of. */
const plain: CharSet[] = [];
const classes = new Map<string, CharSet>();
/** Classes come from developers and are few; one who makes them up without end gets no memory for it. */
const MOST_CLASSES = 10_000;

/** The set of one char; shared by all patterns. */
export function literalSet(code: number, flags: CharFlags): CharSet {
  if (code < 128 && !flags.ignoreCase) {
    return (plain[code] ??= new CharSet(escaped(code, flags), flags, [code]));
  }
  const key = code * 4 + (flags.ignoreCase ? (flags.unicode === "" ? 1 : 2) : 0);
  let set = literals.get(key);
  if (!set) {
    const variants = flags.ignoreCase ? variantsOf(code, flags) : [code];
    set = new CharSet(escaped(code, flags), flags, variants);
    if (literals.size < MOST_CLASSES) literals.set(key, set);
  }
  return set;
}

/** The set of an escape, a class or the dot; shared by all patterns. */
export function classSet(source: string, flags: CharFlags): CharSet {
  const key = `${flags.ignoreCase ? "i" : ""}${flags.dotAll ? "s" : ""}${flags.unicode}/${source}`;
  let set = classes.get(key);
  if (!set) {
    set = new CharSet(source, flags);
    if (classes.size < MOST_CLASSES) classes.set(key, set);
  }
  return set;
}

/** Null beyond the first plane: those are cased so seldom that they need no list. */
function variantsOf(code: number, { unicode }: CharFlags): readonly number[] | null {
  return code > 0xffff ? null : caseVariants(code, unicode !== "");
}

function escaped(code: number, { unicode }: CharFlags): string {
  const hex = code.toString(16);
  return unicode === "" ? `\\u${hex.padStart(4, "0")}` : `\\u{${hex}}`;
}
