import type { CharSet } from "./char-set.ts";
import { type Assertion, isNullable, type Look, type Node, type Repeat, type Syntax } from "./syntax.ts";

/** One step of a program. `next` is the step behind it, unless it says where to go on. */
export type Step =
  | { readonly op: "match" }
  | { readonly op: "char"; readonly set: CharSet; readonly behind: boolean }
  /** Consumes as many chars as it can, and one less each time nothing comes of it; `place` as of `once`. */
  | { readonly op: "span"; readonly set: CharSet; readonly place: number }
  /** Tries `first`, and `second` if nothing comes of it. */
  | { readonly op: "split"; first: number; second: number }
  | { readonly op: "jump"; to: number }
  /** Keeps the position in a slot: the ends of groups, and where the turn of a loop began. */
  | { readonly op: "keep"; readonly slot: number }
  /** Forgets the groups from one to before another. */
  | { readonly op: "forget"; readonly from: number; readonly to: number }
  | { readonly op: "assert"; readonly what: Assertion }
  /** Goes on at `next` when the steps behind it, up to their `match`, lead somewhere, or lead nowhere. */
  | { readonly op: "look"; readonly negative: boolean; readonly keeps: boolean; next: number }
  /** A turn that has consumed nothing ends here. */
  | { readonly op: "moved"; readonly slot: number }
  /** Several ways lead here; what failed once from here, at one position, fails again. `loops` are the slots that matter then. */
  | { readonly op: "once"; readonly place: number; readonly loops: readonly number[] };

/** A pattern as steps, for {@link LinearEngine}. */
export interface Program {
  readonly steps: readonly Step[];
  /** How many slots there are: two for each group, and one for each loop whose turns may be empty. */
  readonly slots: number;
  readonly groups: number;
  readonly names: ReadonlyMap<string, readonly number[]>;
  readonly unicode: boolean;
  /** How many facts there are to remember of each position. */
  readonly places: number;
  readonly hasLooks: boolean;
}

/** Counted repetitions are written out; a pattern that gets longer is not run. */
const MOST_STEPS = 5_000;
/** Of a text of a million chars, so many million bits. */
const MOST_PLACES = 500;
/** Loops in loops whose turns may all be empty. */
const MOST_EMPTY_LOOPS = 4;

/** Why a pattern cannot run in linear time, as the rest of a sentence: "it has …"; and what to write instead. */
export class NotLinear extends Error {
  readonly remedy: string;

  constructor(what: string, remedy: string) {
    super(what);
    this.remedy = remedy;
  }
}

/** Writes a pattern as steps. @throws {NotLinear} */
export function compile(syntax: Syntax): Program {
  return new Compiler(syntax).compile();
}

/** Whether a pattern can be written as steps for certain, seen without writing it. */
export function surelyCompiles({ root }: Pick<Syntax, "root">): boolean {
  const { steps, places, empties } = boundOf(root);
  return (
    steps + 3 <= MOST_STEPS &&
    places * 2 ** Math.min(empties, MOST_EMPTY_LOOPS) <= MOST_PLACES &&
    empties <= MOST_EMPTY_LOOPS
  );
}

interface Bound {
  readonly steps: number;
  readonly places: number;
  /** How deep loops stand in loops whose turns may be empty. */
  readonly empties: number;
}

const IMPOSSIBLE: Bound = { steps: Infinity, places: 0, empties: 0 };

/** At least what the compiler makes of a node. */
function boundOf(node: Node): Bound {
  switch (node.kind) {
    case "char":
    case "assert":
      return { steps: 1, places: 0, empties: 0 };
    case "sequence":
      return sumOf(node.items.map(boundOf));
    case "choice":
      return sumOf([
        ...node.options.map(boundOf),
        { steps: node.options.length * 2 + 1, places: 1, empties: 0 },
      ]);
    case "group":
      return sumOf([boundOf(node.body), { steps: 2, places: 0, empties: 0 }]);
    case "repeat": {
      const { steps, places, empties } = boundOf(node.body);
      const turns = (node.max < Infinity ? node.max : node.min) + 1;
      return {
        steps: (steps + 5) * turns + 2,
        places: places * turns + 2,
        empties: empties + (isNullable(node.body) ? 1 : 0),
      };
    }
    case "look":
      return node.groups[0] < node.groups[1]
        ? IMPOSSIBLE
        : sumOf([boundOf(node.body), { steps: 2, places: 0, empties: 0 }]);
    case "opaque":
      return IMPOSSIBLE;
  }
}

function sumOf(bounds: readonly Bound[]): Bound {
  let [steps, places, empties] = [0, 0, 0];
  for (const bound of bounds) {
    steps += bound.steps;
    places += bound.places;
    empties = Math.max(empties, bound.empties);
  }
  return { steps, places, empties };
}

class Compiler {
  readonly #syntax: Syntax;
  readonly #steps: Step[] = [];
  #slots: number;
  #places = 0;
  #hasLooks = false;
  /** Inside lookbehind everything is matched from right to left. */
  #behind = false;
  #looking = false;
  /** The slots of the loops around, whose turns may be empty. */
  #loops: readonly number[] = [];

  constructor(syntax: Syntax) {
    this.#syntax = syntax;
    this.#slots = syntax.groups * 2;
  }

  compile(): Program {
    this.#add({ op: "keep", slot: 0 });
    this.#node(this.#syntax.root);
    this.#add({ op: "keep", slot: 1 });
    this.#add({ op: "match" });
    const { groups, names, unicode } = this.#syntax;
    const { length } = this.#steps;
    if (length > MOST_STEPS) throw tooLong();
    return {
      steps: this.#steps,
      slots: this.#slots,
      groups,
      names,
      unicode,
      places: this.#places,
      hasLooks: this.#hasLooks,
    };
  }

  #add<S extends Step>(step: S): S {
    if (this.#steps.length > MOST_STEPS) throw tooLong();
    this.#steps.push(step);
    return step;
  }

  get #next(): number {
    return this.#steps.length;
  }

  #node(node: Node): void {
    switch (node.kind) {
      case "char":
        this.#add({ op: "char", set: node.set, behind: this.#behind });
        break;
      case "sequence":
        for (const item of this.#behind ? node.items.toReversed() : node.items) this.#node(item);
        break;
      case "choice":
        this.#choice(node.options);
        break;
      case "group":
        this.#add({ op: "keep", slot: node.index * 2 + (this.#behind ? 1 : 0) });
        this.#node(node.body);
        this.#add({ op: "keep", slot: node.index * 2 + (this.#behind ? 0 : 1) });
        break;
      case "repeat":
        this.#repeat(node);
        break;
      case "assert":
        this.#add({ op: "assert", what: node.what });
        break;
      case "look":
        this.#look(node);
        break;
      case "opaque":
        throw new NotLinear(node.what, node.remedy);
    }
  }

  #choice(options: readonly Node[]): void {
    const jumps: { to: number }[] = [];
    for (const [at, option] of options.entries()) {
      if (at === options.length - 1) {
        this.#node(option);
        break;
      }
      const split = this.#add({ op: "split", first: this.#next + 1, second: 0 });
      this.#node(option);
      jumps.push(this.#add({ op: "jump", to: 0 }));
      split.second = this.#next;
    }
    for (const jump of jumps) jump.to = this.#next;
    this.#once();
  }

  #repeat(repeat: Repeat): void {
    const { body, min, max } = repeat;
    const nullable = isNullable(body);
    // The last turn that must be made is the first of the loop.
    const isLoop = max === Infinity && !nullable && min > 0 && body.kind !== "char";
    const before = isLoop ? min - 1 : min;
    for (let turn = 0, end = -1; turn < before && this.#next > end; turn++) {
      end = this.#next;
      this.#turn(repeat);
    }
    if (isLoop) this.#loopAtLeastOnce(repeat);
    else if (max > min) this.#optional(repeat, nullable ? this.#slots++ : undefined);
  }

  #optional(repeat: Repeat, slot: number | undefined): void {
    const { body, min, max, lazy } = repeat;
    const outer = this.#loops;
    if (slot !== undefined) this.#loops = [...outer, slot];
    if (this.#loops.length > MOST_EMPTY_LOOPS)
      throw new NotLinear(
        "too many loops in loops whose turns may be empty",
        "Write + in place of * where something has to stand",
      );
    if (max < Infinity) this.#upTo(repeat, max - min, slot);
    else if (body.kind === "char" && !lazy && this.#isPlain) this.#span(body.set);
    else this.#loop(repeat, outer, slot);
    this.#loops = outer;
    if (max < Infinity) this.#once();
  }

  /** Whether chars are read one by one, from left to right, and positions tell all there is to know. */
  get #isPlain(): boolean {
    return !this.#syntax.unicode && !this.#behind && !this.#looking && this.#loops.length === 0;
  }

  #span(set: CharSet): void {
    this.#add({ op: "span", set, place: this.#places });
    this.#claim(1);
  }

  /** One loop, to which each turn comes back. */
  #loop(repeat: Repeat, outer: readonly number[], slot: number | undefined): void {
    const head = this.#next;
    // Between two turns it does not matter where the last one began.
    this.#once(outer);
    const split = this.#split(repeat.lazy);
    this.#guardedTurn(repeat, slot);
    this.#add({ op: "jump", to: head });
    leave(split, repeat.lazy, this.#next);
  }

  #loopAtLeastOnce(repeat: Repeat): void {
    const head = this.#next;
    this.#turn(repeat);
    this.#once();
    const out = this.#next + 1;
    this.#add({ op: "split", first: repeat.lazy ? out : head, second: repeat.lazy ? head : out });
  }

  /** So many turns, each of which may be the last. */
  #upTo(repeat: Repeat, most: number, slot: number | undefined): void {
    const splits: { first: number; second: number }[] = [];
    for (let turn = 0; turn < most; turn++) {
      splits.push(this.#split(repeat.lazy));
      this.#guardedTurn(repeat, slot);
    }
    for (const split of splits) leave(split, repeat.lazy, this.#next);
  }

  /** Whether another turn is made, and where it begins; where one leaves is filled in later. */
  #split(lazy: boolean): { first: number; second: number } {
    const turn = this.#next + 1;
    return this.#add({ op: "split", first: lazy ? 0 : turn, second: lazy ? turn : 0 });
  }

  #guardedTurn(repeat: Repeat, slot: number | undefined): void {
    if (slot !== undefined) this.#add({ op: "keep", slot });
    this.#turn(repeat);
    if (slot !== undefined) this.#add({ op: "moved", slot });
  }

  #turn({ body, groups: [from, to] }: Repeat): void {
    if (from < to && !setsAllGroups(body)) this.#add({ op: "forget", from, to });
    this.#node(body);
  }

  #look({ behind, negative, body, groups: [from, to] }: Look): void {
    const before = { behind: this.#behind, looking: this.#looking, loops: this.#loops, places: this.#places };
    const keeps = !negative && from < to;
    this.#hasLooks = true;
    this.#behind = behind;
    this.#looking = true;
    this.#loops = [];
    const look = this.#add({ op: "look", negative, keeps, next: 0 });
    this.#node(body);
    this.#add({ op: "match" });
    look.next = this.#next;
    if (keeps && this.#places > before.places && hasLoop(body))
      throw new NotLinear(
        "a capturing group and a loop in one lookaround",
        "Make the group non-capturing: (?:…)",
      );
    this.#behind = before.behind;
    this.#looking = before.looking;
    this.#loops = before.loops;
  }

  #once(loops = this.#loops): void {
    this.#add({ op: "once", place: this.#places, loops });
    this.#claim(2 ** loops.length);
  }

  #claim(places: number): void {
    this.#places += places;
    if (this.#places > MOST_PLACES) throw tooLong();
  }
}

function leave(split: { first: number; second: number }, lazy: boolean, to: number): void {
  if (lazy) split.first = to;
  else split.second = to;
}

/** Whether each way through it passes all of its groups: what they held before is then gone without being forgotten. */
function setsAllGroups(node: Node): boolean {
  switch (node.kind) {
    case "sequence":
      return node.items.every(setsAllGroups);
    case "group":
      return setsAllGroups(node.body);
    case "repeat":
    case "look":
    case "choice":
      return !hasGroup(node);
    default:
      return true;
  }
}

function hasGroup(node: Node): boolean {
  switch (node.kind) {
    case "sequence":
      return node.items.some(hasGroup);
    case "choice":
      return node.options.some(hasGroup);
    case "group":
      return true;
    case "repeat":
    case "look":
      return node.groups[0] < node.groups[1];
    default:
      return false;
  }
}

function hasLoop(node: Node): boolean {
  switch (node.kind) {
    case "sequence":
      return node.items.some(hasLoop);
    case "choice":
      return node.options.some(hasLoop);
    case "group":
    case "look":
      return hasLoop(node.body);
    case "repeat":
      return node.max > 1 || hasLoop(node.body);
    default:
      return false;
  }
}

function tooLong(): NotLinear {
  return new NotLinear(
    "repetitions that make it too long when they are written out",
    "Bound them more closely",
  );
}
