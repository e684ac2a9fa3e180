import { ALL_CHARS, type Mask, NO_CHARS, overlaps, union } from "./char-set.ts";
import { isNullable, type Node, type Repeat, type Syntax } from "./syntax.ts";

/**
 * How the time that V8's backtracking takes grows with the length of a text, at the most: with its `power`-th power.
 * 1 is linear; Infinity is exponential, or not shown to be less.
 */
export interface Verdict {
  readonly power: number;
}

/** Choices that are not in a loop double the work; beyond this many times it is no constant any more. */
const MOST_BRANCHES = 64;

/**
 * Judges from its syntax how a pattern behaves on the worst of texts.
 *
 * The reasoning: a loop is *decided* when no char that it goes on with can also begin what follows it; then there is one
 * way through it for each text, and trying again elsewhere ends at once. Each undecided loop multiplies the ways by the
 * text's length. A choice that is undecided inside a loop may double them with each turn. A search from everywhere
 * multiplies once more, unless an attempt cannot run past the place where the next one begins. What cannot fail any more
 * costs nothing. In doubt the verdict is the worse one.
 *
 * Source: Brüggemann-Klein and Wood, "One-Unambiguous Regular Languages" (1998), for what decided means; Weideman et al.,
 * "Analyzing Matching Time Behavior of Backtracking Regular Expression Matchers" (2016), for what it costs.
 */
export function judge({ root }: Pick<Syntax, "root">): Verdict {
  const judgement = new Judgement(false);
  judgement.visit(root, NO_CHARS, { looping: false, sure: true });
  const inner = judgement.power();
  const repeated = inner > 0 && !isAnchored(root) && !cannotOverlap(root);
  return { power: Math.max(1, inner + (repeated ? 1 : 0)) };
}

/** Whether every match begins at the start of the text. */
export function isAnchored(node: Node): boolean {
  switch (node.kind) {
    case "assert":
      return node.what === "start";
    case "sequence": {
      const first = node.items.find((item) => item.kind !== "look");
      return first !== undefined && isAnchored(first);
    }
    case "choice":
      return node.options.every(isAnchored);
    case "group":
      return isAnchored(node.body);
    default:
      return false;
  }
}

/** The chars with which a match of the node may begin, given those that may come behind it. */
export function firstOf(node: Node, follow: Mask, behind = false): Mask {
  switch (node.kind) {
    case "char":
      return node.set.mask;
    case "sequence":
      return inOrder(node.items, behind).reduceRight((after, item) => firstOf(item, after, behind), follow);
    case "choice":
      return node.options.map((option) => firstOf(option, follow, behind)).reduce(union);
    case "group":
      return firstOf(node.body, follow, behind);
    case "repeat": {
      if (node.max === 0) return follow;
      const first = firstOf(node.body, NO_CHARS, behind);
      return node.min === 0 || isNullable(node.body) ? union(first, follow) : first;
    }
    case "assert":
      // Whoever gets past another one is still to read a char of what follows. Behind the end there is none.
      return node.what === "end" ? NO_CHARS : follow;
    case "look":
      return follow;
    case "opaque":
      return ALL_CHARS;
  }
}

function inOrder<T>(items: readonly T[], behind: boolean): readonly T[] {
  return behind ? items.toReversed() : items;
}

interface Place {
  /** Whether it is inside a loop. */
  readonly looping: boolean;
  /** Whether nothing that comes behind it can fail. */
  readonly sure: boolean;
}

class Judgement {
  /** How many loops are undecided, and whether any is decided. */
  #undecided = 0;
  #decided = false;
  #branches = 1;
  #exponential = false;
  /** The power of the worst lookaround. */
  looks = 0;
  readonly #behind: boolean;

  constructor(behind: boolean) {
    this.#behind = behind;
  }

  /** The power for one attempt. */
  power(): number {
    if (this.#exponential || this.#branches > MOST_BRANCHES) return Infinity;
    return this.#undecided + (this.#decided ? 1 : 0) + this.looks;
  }

  /** @param follow The chars that may come behind the node. */
  visit(node: Node, follow: Mask, place: Place): void {
    switch (node.kind) {
      case "sequence":
        this.#sequence(node.items, follow, place);
        break;
      case "choice":
        this.#choice(node.options, follow, place);
        break;
      case "group":
        this.visit(node.body, follow, place);
        break;
      case "repeat":
        this.#repeat(node, follow, place);
        break;
      case "look":
        this.#look(node.body, node.behind);
        break;
      case "opaque":
        this.#undecided++;
        if (place.looping) this.#exponential = true;
        break;
      case "char":
      case "assert":
        break;
    }
  }

  #sequence(items: readonly Node[], follow: Mask, place: Place): void {
    let after = follow;
    let { sure } = place;
    for (const item of inOrder(items, this.#behind).toReversed()) {
      this.visit(item, after, { ...place, sure });
      after = firstOf(item, after, this.#behind);
      sure &&= cannotFail(item);
    }
  }

  #choice(options: readonly Node[], follow: Mask, place: Place): void {
    let seen = NO_CHARS;
    for (const option of options) {
      const first = firstOf(option, follow, this.#behind);
      if (overlaps(seen, first)) this.#branch(place);
      seen = union(seen, first);
      this.visit(option, follow, place);
    }
  }

  #repeat({ body, min, max }: Repeat, follow: Mask, place: Place): void {
    if (max === 0) return;
    const first = firstOf(body, NO_CHARS, this.#behind);
    const undecided = overlaps(first, follow);
    if (max === 1) {
      if (min === 0 && undecided) this.#branch(place);
      return this.visit(body, follow, place);
    }
    // Nothing behind it fails, nor does one more turn of a single char: it is gone through once.
    if (place.sure && body.kind === "char") return;
    this.visit(body, union(first, follow), { looping: true, sure: false });
    if (isNullable(body)) this.#exponential = true;
    if (!undecided || min === max) this.#decided = true;
    else if (place.looping) this.#exponential = true;
    else this.#undecided++;
  }

  #branch({ looping }: Place): void {
    if (looping) this.#exponential = true;
    else this.#branches *= 2;
  }

  #look(body: Node, behind: boolean): void {
    const inner = new Judgement(behind);
    // That it cannot fail does not end the search here: what it costs is paid each time.
    inner.visit(body, NO_CHARS, { looping: false, sure: false });
    this.looks = Math.max(this.looks, inner.power());
  }
}

/** Whether it matches whatever stands there. */
function cannotFail(node: Node): boolean {
  if (node.kind === "repeat") return node.min === 0;
  if (node.kind === "group") return cannotFail(node.body);
  return node.kind === "sequence" && node.items.every(cannotFail);
}

/**
 * Whether an attempt can never run past the place where another one may begin: the first char of a match occurs in it
 * nowhere else.
 */
function cannotOverlap(root: Node): boolean {
  const items = root.kind === "sequence" ? root.items : [root];
  const at = items.findIndex((item) => item.kind !== "assert");
  const first = items[at];
  if (first?.kind !== "char") return false;
  return items.slice(at + 1).every((item) => !overlaps(first.set.mask, charsOf(item)));
}

/** All chars that may be read in a node. */
function charsOf(node: Node): Mask {
  switch (node.kind) {
    case "char":
      return node.set.mask;
    case "sequence":
      return node.items.map(charsOf).reduce(union, NO_CHARS);
    case "choice":
      return node.options.map(charsOf).reduce(union, NO_CHARS);
    case "group":
    case "repeat":
      return charsOf(node.body);
    case "assert":
      return NO_CHARS;
    case "look":
    case "opaque":
      return ALL_CHARS;
  }
}
