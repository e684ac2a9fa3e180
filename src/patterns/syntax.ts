import type { CharSet } from "./char-set.ts";

/** The syntax tree of a pattern: what is needed to find its literals, to judge its cost and to run it. */
export type Node =
  | { readonly kind: "char"; readonly set: CharSet }
  | { readonly kind: "sequence"; readonly items: readonly Node[] }
  | { readonly kind: "choice"; readonly options: readonly Node[] }
  /** A capturing group. */
  | { readonly kind: "group"; readonly index: number; readonly body: Node }
  | Repeat
  | { readonly kind: "assert"; readonly what: Assertion }
  | Look
  /** What only V8 can run: a backreference, or a class that has strings in it. */
  | { readonly kind: "opaque"; readonly what: string; readonly remedy: string };

/** `*`, `+`, `?` and `{n,m}`. */
export interface Repeat {
  readonly kind: "repeat";
  readonly min: number;
  readonly max: number;
  readonly lazy: boolean;
  readonly body: Node;
  /** The capturing groups inside, from the first to before the last: each turn forgets what they held. */
  readonly groups: readonly [from: number, to: number];
}

/** Lookahead or lookbehind. */
export interface Look {
  readonly kind: "look";
  readonly behind: boolean;
  readonly negative: boolean;
  readonly body: Node;
  /** As of a {@link Repeat}. */
  readonly groups: readonly [from: number, to: number];
}

/** What consumes nothing and looks only at the neighbours. */
export type Assertion =
  | "start"
  | "end"
  | "lineStart"
  | "lineEnd"
  | { readonly word: CharSet; readonly negative: boolean };

/** A parsed pattern. */
export interface Syntax {
  readonly root: Node;
  /** How many groups there are, the whole match counted as one. */
  readonly groups: number;
  /** The numbers of the groups of each name; several where alternatives share it. */
  readonly names: ReadonlyMap<string, readonly number[]>;
  /** Whether the text is read by code points (`u`, `v`) and not by UTF-16 units. */
  readonly unicode: boolean;
}

/** Whether a node may match without consuming anything; true also where it is not known. */
export function isNullable(node: Node): boolean {
  switch (node.kind) {
    case "char":
      return false;
    case "sequence":
      return node.items.every(isNullable);
    case "choice":
      return node.options.some(isNullable);
    case "group":
      return isNullable(node.body);
    case "repeat":
      return node.min === 0 || isNullable(node.body);
    case "assert":
    case "look":
    case "opaque":
      return true;
  }
}

/** How many UTF-16 units a match has at least. */
export function leastLength(node: Node): number {
  switch (node.kind) {
    case "char":
      return 1;
    case "sequence":
      return node.items.reduce((sum, item) => sum + leastLength(item), 0);
    case "choice":
      return Math.min(...node.options.map(leastLength));
    case "group":
      return leastLength(node.body);
    case "repeat":
      return node.min === 0 ? 0 : node.min * leastLength(node.body);
    case "assert":
    case "look":
    case "opaque":
      return 0;
  }
}
