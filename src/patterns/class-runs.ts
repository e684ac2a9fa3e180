import type { CharSet } from "./char-set.ts";
import type { Node } from "./syntax.ts";
import { frequencyOf } from "./windows.ts";

/** More chars in a row tell little more. */
const LONGEST = 8;
/** What is met in more than one of so many chars of text is met in most lines. */
const MOST_SHARE = 0.002;
/** Chars of one class stand together. */
const TOGETHER = 2.5;

/** Sets of chars that stand one behind the other in every match, the rarest such run; undefined when none is rare. */
export function classRunOf(root: Node): readonly CharSet[] | undefined {
  let run: CharSet[] = [];
  let best: readonly CharSet[] | undefined;
  let least = MOST_SHARE;
  const cut = (): void => {
    for (let start = 0; start < run.length; start++) {
      const part = run.slice(start, start + LONGEST);
      const share = part.reduce((product, set) => product * shareOf(set), 1) * TOGETHER ** (part.length - 1);
      if (share < least) [best, least] = [part, share];
    }
    run = [];
  };
  const visit = (node: Node): void => {
    switch (node.kind) {
      case "char":
        run.push(node.set);
        break;
      case "sequence":
        for (const item of node.items) visit(item);
        break;
      case "group":
        visit(node.body);
        break;
      case "repeat":
        for (let turn = 0; turn < Math.min(node.min, LONGEST) && node.body.kind === "char"; turn++)
          visit(node.body);
        if (node.body.kind === "char" && node.min === node.max && node.min <= LONGEST) break;
        cut();
        for (let turn = 0; turn < Math.min(node.min, LONGEST) && node.body.kind === "char"; turn++)
          visit(node.body);
        break;
      case "choice":
      case "opaque":
        cut();
        break;
      case "assert":
      case "look":
        break;
    }
  };
  visit(root);
  cut();
  return best;
}

const shares = new WeakMap<CharSet, number>();

/** About how large a part of the chars of logs belongs to a set. */
export function shareOf(set: CharSet): number {
  let share = shares.get(set);
  if (share === undefined) {
    share = 0;
    for (let code = 0; code < 128; code++) if (set.has(code)) share += frequencyOf(code);
    shares.set(set, (share = Math.min(1, share)));
  }
  return share;
}
