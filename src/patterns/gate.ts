import { type CharSet, type Mask, NO_CHARS, isIn } from "./char-set.ts";
import { shareOf } from "./class-runs.ts";
import { firstOf, isAnchored } from "./safety.ts";
import { isNullable, leastLength, type Node, type Syntax } from "./syntax.ts";

/** What a text must look like at first sight. */
export interface Gate {
  /** In UTF-16 units. */
  readonly least: number;
  /** The chars with which the text begins; undefined for any. */
  readonly first: Mask | undefined;
  /** What its first chars are, one by one. */
  readonly start: readonly CharSet[];
  /** What its last chars are, from the last one on backward. */
  readonly end: readonly CharSet[];
}

/** Looking at more chars of an edge does not pay. */
const MOST_CHARS = 8;
const NARROW = 0.1;

/** What can be seen of a text before the pattern is run. */
export function gateOf({ root, unicode }: Pick<Syntax, "root" | "unicode">): Gate {
  const least = leastLength(root);
  return {
    least,
    first: least > 0 && isAnchored(root) ? firstCharsOf(root) : undefined,
    // By code points there may be more units than chars.
    start: unicode ? [] : edgeOf(root, "start"),
    end: unicode ? [] : edgeOf(root, "end"),
  };
}

/** The chars with which a match begins; undefined when it may be empty. */
export function firstCharsOf(root: Node): Mask | undefined {
  return isNullable(root) ? undefined : firstOf(root, NO_CHARS);
}

/** Whether the edges alone keep most texts away. */
export function isNarrow({ start, end }: Gate): boolean {
  return [...start, ...end].reduce((product, set) => product * shareOf(set), 1) < NARROW;
}

/** Whether the pattern may match the text at all. */
export function mayMatch({ least, first, start, end }: Gate, text: string): boolean {
  const { length } = text;
  if (length < least) return false;
  if (first !== undefined && !isIn(first, text.charCodeAt(0))) return false;
  // Both edges lie within what the text has at least.
  for (let at = 0; at < end.length; at++) {
    if (!(end[at] as CharSet).has(text.charCodeAt(length - 1 - at))) return false;
  }
  for (let at = 0; at < start.length; at++)
    if (!(start[at] as CharSet).has(text.charCodeAt(at))) return false;
  return true;
}

/** The chars that stand at an edge of the text in every match; none when the match need not reach it. */
function edgeOf(root: Node, edge: "start" | "end"): readonly CharSet[] {
  const found: CharSet[] = [];
  let reached = false;
  /** Answers whether what lies farther from the edge is still next to what was found. */
  const visit = (node: Node): boolean => {
    if (found.length >= MOST_CHARS) return false;
    switch (node.kind) {
      case "assert":
        reached ||= node.what === edge;
        return true;
      case "sequence":
        return (edge === "start" ? node.items : node.items.toReversed()).every(visit);
      case "group":
        return visit(node.body);
      case "char":
        if (reached) found.push(node.set);
        return reached;
      case "repeat": {
        const { body, min, max } = node;
        if (body.kind !== "char" || !reached) return false;
        for (let turn = 0; turn < min && found.length < MOST_CHARS; turn++) found.push(body.set);
        return min === max;
      }
      default:
        return false;
    }
  };
  visit(root);
  return found;
}
