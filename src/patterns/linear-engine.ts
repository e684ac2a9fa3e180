import { type CharSet, isIn, type Mask } from "./char-set.ts";
import { OP, type Packed, pack } from "./packed-program.ts";
import type { Program, Step } from "./program.ts";
import type { Assertion } from "./syntax.ts";

/** Where a match may begin. */
export interface Beginning {
  /** Only at the start of the text. */
  readonly anchored: boolean;
  /** The chars it begins with; undefined when it may begin with anything, or be empty. */
  readonly first: Mask | undefined;
}

/**
 * What is remembered for the text in hand; all engines share the memory, since none is interrupted.
 *
 * The stack holds pairs: a step and the position to go back to; the complement of a slot and what it held before; or FACT and
 * a fact that rests on a lookaround still under way.
 */
let stack = new Int32Array(4096);
let failed = new Int32Array(0);
let succeeded = new Int32Array(0);
const NOWHERE = -1;
const FACT = -0x40000000;
/** In words: what one huge text has needed is not held for ever. */
const LARGE = 1024 * 1024;

/**
 * Runs a pattern as ECMAScript says, in a time that grows with the length of the text and the length of the pattern, and
 * no faster, whatever they are.
 *
 * It goes back and tries again like every engine of JavaScript, so that it finds the same match with the same groups. But
 * where several ways come together it remembers, a bit for each position, what has led nowhere, and does not go there
 * twice. Lookaround is remembered in the same way. Backreferences cannot be: what follows them depends on more than the position.
 *
 * Source: Cox, "Regular Expression Matching: the Virtual Machine Approach" (2009), the bit-state matcher; Davis et al., "Using
 * Selective Memoization to Defeat Regular Expression Denial of Service" (2021); Barrière and Pit-Claudel, "Linear
 * Matching of JavaScript Regular Expressions" (2024).
 */
export class LinearEngine {
  readonly #program: Program;
  readonly #packed: Packed;
  readonly #beginning: Beginning;
  readonly #slots: Int32Array;
  #text = "";

  constructor(program: Program, beginning: Beginning) {
    this.#program = program;
    this.#packed = pack(program);
    this.#beginning = beginning;
    this.#slots = new Int32Array(program.slots);
  }

  /** The first match in the text, as `RegExp.prototype.exec` gives it. */
  exec(text: string): RegExpExecArray | null {
    this.#text = text;
    this.#forgetAll(text.length);
    const { anchored, first } = this.#beginning;
    for (let at = 0; at <= text.length; at++) {
      if (first === undefined || (at < text.length && isIn(first, text.charCodeAt(at)))) {
        this.#slots.fill(NOWHERE);
        if (this.#run(0, at, 0, false) !== NOWHERE) return this.#result();
      }
      if (anchored) break;
    }
    return null;
  }

  #forgetAll(length: number): void {
    const words = Math.ceil((this.#program.places * (length + 1)) / 32);
    failed = cleared(failed, words);
    if (this.#program.hasLooks) succeeded = cleared(succeeded, words);
  }

  /**
   * Runs from a step to the `match` that belongs to it; answers how high the stack is then, or -1.
   * @param floor Where the stack begins for it.
   */
  #run(from: number, start: number, floor: number, looking: boolean): number {
    const { code, latin1, sets } = this.#packed;
    const { length } = this.#text;
    const text = this.#text;
    const slots = this.#slots;
    const failing = failed;
    let entries = stack;
    let top = floor;
    let number = from;
    let at = start;
    // What is read from typed arrays below is there: the program was packed so. This loop is all the time that there is.
    for (;;) {
      let goesOn = true;
      const a = code[number * 4 + 1] as number;
      const b = code[number * 4 + 2] as number;
      if (top + 4 > entries.length) entries = grown();
      switch (code[number * 4]) {
        case OP.match:
          return top;
        case OP.char: {
          const char = at < length ? text.charCodeAt(at++) : 0x10000;
          goesOn =
            char < 256 ? latin1[a * 256 + char] === 1 : char < 0x10000 && (sets[a] as CharSet).has(char);
          number++;
          break;
        }
        case OP.span: {
          const facts = b * (length + 1);
          if (isSet(failing, facts + at)) {
            goesOn = false;
            break;
          }
          // From where it has been before, all ways have been tried: they lie behind those from here.
          for (;;) {
            set(failing, facts + at);
            const char = at < length ? text.charCodeAt(at) : 0x10000;
            const has =
              char < 256 ? latin1[a * 256 + char] === 1 : char < 0x10000 && (sets[a] as CharSet).has(char);
            if (!has || isSet(failing, facts + at + 1)) break;
            if (top + 4 > entries.length) entries = grown();
            entries[top] = number + 1;
            entries[top + 1] = at++;
            top += 2;
          }
          number++;
          break;
        }
        case OP.split:
          entries[top] = b;
          entries[top + 1] = at;
          top += 2;
          number = a;
          break;
        case OP.jump:
          number = a;
          break;
        case OP.keep:
          entries[top] = ~a;
          entries[top + 1] = slots[a] as number;
          top += 2;
          slots[a] = at;
          number++;
          break;
        case OP.forget:
          top = this.#forget(a, b, top);
          entries = stack;
          number++;
          break;
        case OP.moved:
          goesOn = slots[a] !== at;
          number++;
          break;
        case OP.once: {
          const fact = b === 0 ? a * (length + 1) + at : this.#factOf(number, at);
          if (looking && isSet(succeeded, fact)) return top;
          const word = failing[fact >>> 5] as number;
          const bit = 1 << (fact & 31);
          goesOn = (word & bit) === 0;
          failing[fact >>> 5] = word | bit;
          if (looking && goesOn) {
            entries[top] = FACT;
            entries[top + 1] = fact;
            top += 2;
          }
          number++;
          break;
        }
        case OP.look:
          top = this.#look(number, at, top);
          entries = stack;
          goesOn = top >= 0;
          if (!goesOn) top = ~top;
          number = a;
          break;
        default: {
          const step = this.#program.steps[number] as Step;
          const to =
            step.op === "char"
              ? this.#readPoint(step, at)
              : step.op === "assert" && this.#holds(step.what, at)
                ? at
                : NOWHERE;
          goesOn = to !== NOWHERE;
          at = to;
          number++;
        }
      }
      if (goesOn) continue;
      for (;;) {
        if (top === floor) return NOWHERE;
        top -= 2;
        const back = entries[top] as number;
        if (back >= 0) {
          number = back;
          at = entries[top + 1] as number;
          break;
        }
        if (back !== FACT) slots[~back] = entries[top + 1] as number;
      }
    }
  }

  #forget(from: number, to: number, floor: number): number {
    while (floor + 2 * (to - from) + 4 > stack.length) grown();
    let top = floor;
    for (let slot = from; slot < to; slot++) {
      stack[top] = ~slot;
      stack[top + 1] = this.#slots[slot] as number;
      top += 2;
      this.#slots[slot] = NOWHERE;
    }
    return top;
  }

  /** Answers how high the stack is when it lets go on, else the complement of that. */
  #look(number: number, at: number, floor: number): number {
    const { negative, keeps } = this.#program.steps[number] as Extract<Step, { op: "look" }>;
    const end = this.#run(number + 1, at, floor, true);
    if (end === NOWHERE) return negative ? floor : ~floor;
    let top = floor;
    for (let entry = floor; entry < end; entry += 2) {
      const kind = stack[entry] as number;
      const value = stack[entry + 1] as number;
      if (kind === FACT) {
        // What stood on the way to the end has not failed. With groups in it the way itself must be found again.
        if (keeps) clear(failed, value);
        else set(succeeded, value);
      } else if (kind < 0) {
        stack[top] = kind;
        stack[top + 1] = value;
        top += 2;
      }
    }
    if (!negative) return top;
    for (let entry = top - 2; entry >= floor; entry -= 2)
      this.#slots[~(stack[entry] as number)] = stack[entry + 1] as number;
    return ~floor;
  }

  #factOf(number: number, at: number): number {
    const { place, loops } = this.#program.steps[number] as Extract<Step, { op: "once" }>;
    let which = 0;
    for (let n = 0; n < loops.length; n++) if (this.#slots[loops[n] as number] !== at) which |= 1 << n; // within
    return (place + which) * (this.#text.length + 1) + at;
  }

  /** Reads a char of any plane, or backward; answers the position behind it, or -1. */
  #readPoint({ set, behind }: Extract<Step, { op: "char" }>, at: number): number {
    const text = this.#text;
    const { unicode } = this.#program;
    // As in V8, a search with `u` comes to the middle of a pair too, but no char is read from there.
    if (unicode && at > 0 && (text.codePointAt(at - 1) as number) > 0xffff) return NOWHERE;
    if (behind) {
      const pair = unicode && at > 1 ? (text.codePointAt(at - 2) as number) : 0; // within the text
      if (pair > 0xffff) return set.has(pair) ? at - 2 : NOWHERE;
      return at > 0 && set.has(text.charCodeAt(at - 1)) ? at - 1 : NOWHERE;
    }
    const code = unicode ? text.codePointAt(at) : text.charCodeAt(at);
    if (code === undefined || !set.has(code)) return NOWHERE;
    return at + (code > 0xffff ? 2 : 1);
  }

  #holds(what: Assertion, at: number): boolean {
    const text = this.#text;
    if (what === "start") return at === 0;
    if (what === "end") return at === text.length;
    if (what === "lineStart") return at === 0 || isLineEnd(text.charCodeAt(at - 1));
    if (what === "lineEnd") return at === text.length || isLineEnd(text.charCodeAt(at));
    const before = at > 0 && what.word.has(text.charCodeAt(at - 1));
    const after = at < text.length && what.word.has(text.charCodeAt(at));
    return (before !== after) !== what.negative;
  }

  #result(): RegExpExecArray {
    const { groups, names } = this.#program;
    const found: (string | undefined)[] = [];
    for (let group = 0; group < groups; group++) found.push(this.#group(group));
    const named = names.size > 0 ? namedGroups(found, names) : undefined;
    const rest = { index: this.#slots[0] as number, input: this.#text, groups: named }; // the match has a beginning
    return Object.assign(found, rest) as RegExpExecArray; // what exec gives, without `indices`
  }

  #group(group: number): string | undefined {
    const start = this.#slots[group * 2] as number;
    const end = this.#slots[group * 2 + 1] as number;
    return start === NOWHERE || end === NOWHERE ? undefined : this.#text.slice(start, end);
  }
}

function namedGroups(
  found: readonly (string | undefined)[],
  names: Program["names"],
): Record<string, string> {
  const groups: Record<string, string> = Object.create(null);
  for (const [name, numbers] of names) {
    const taken = numbers.find((number) => found[number] !== undefined);
    // As V8 has it: a group that took no part is there and undefined, whatever the type says.
    groups[name] = found[taken ?? Infinity] as string;
  }
  return groups;
}

function isLineEnd(code: number): boolean {
  return code === 10 || code === 13 || code === 0x2028 || code === 0x2029;
}

function grown(): Int32Array<ArrayBuffer> {
  const more = new Int32Array(stack.length * 2);
  more.set(stack);
  return (stack = more);
}

function cleared(bits: Int32Array<ArrayBuffer>, words: number): Int32Array<ArrayBuffer> {
  const isLarge = bits.length > LARGE && words < LARGE;
  return bits.length < words || isLarge ? new Int32Array(words * 2) : bits.fill(0, 0, words);
}

function isSet(bits: Int32Array, fact: number): boolean {
  return ((bits[fact >>> 5] as number) & (1 << (fact & 31))) !== 0; // there is room for all facts
}

function set(bits: Int32Array, fact: number): void {
  bits[fact >>> 5] = (bits[fact >>> 5] as number) | (1 << (fact & 31));
}

function clear(bits: Int32Array, fact: number): void {
  bits[fact >>> 5] = (bits[fact >>> 5] as number) & ~(1 << (fact & 31));
}
