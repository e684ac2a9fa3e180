import type { Token } from "./tokenize.ts";

/** A word of one or more commands. */
export interface WordNode<T> {
  /** The command that these words are, if they are one by themselves. */
  readonly value: T | undefined;
  /** How many words lead here. */
  readonly depth: number;
  readonly children: ReadonlyMap<string, WordNode<T>>;
}

/**
 * Commands by their words: `/db`, `/db migrate`. Finding one costs the same however many there are. A word is looked up
 * as it was written, and only then without regard to case.
 */
export class CommandWords<T> {
  readonly #root = new Node<T>(0);

  /** What these words are taken by. */
  get(words: readonly string[]): T | undefined {
    let node: Node<T> | undefined = this.#root;
    for (const word of words) node = node?.children.get(word);
    return node?.value;
  }

  set(words: readonly string[], value: T): void {
    let node = this.#root;
    for (const word of words) node = node.childFor(word);
    node.value = value;
  }

  delete(words: readonly string[]): void {
    const path = [this.#root];
    for (const word of words) {
      const next = path.at(-1)?.children.get(word);
      if (!next) return;
      path.push(next);
    }
    const last = path.at(-1);
    if (last) last.value = undefined;
    // A word that leads nowhere any more goes, and so may the one before it.
    for (let depth = words.length; depth > 0; depth--) {
      const node = path[depth];
      if (!node || node.value !== undefined || node.children.size > 0) return;
      path[depth - 1]?.drop(words[depth - 1] as string); // as long as the path
    }
  }

  /** Where a command's first word leads. */
  first(word: string, anyCase: boolean): WordNode<T> | undefined {
    return anyCase ? this.#root.anyCase(word) : this.#root.children.get(word);
  }

  /**
   * Follows the tokens from a first word: to the longest command they spell, or if they spell none, as far as they are
   * words of commands.
   */
  follow(first: WordNode<T>, tokens: readonly Token[]): WordNode<T> {
    let node = first as Node<T>; // every WordNode is one of ours
    let best = node;
    for (const { text, literal } of tokens) {
      const next = literal ? undefined : node.anyCase(text);
      if (!next) break;
      node = next;
      if (node.value !== undefined || best.value === undefined) best = node;
    }
    return best;
  }

  /** The commands at a node and below it. */
  *below(node: WordNode<T>): Iterable<T> {
    if (node.value !== undefined) yield node.value;
    for (const child of node.children.values()) yield* this.below(child);
  }
}

class Node<T> implements WordNode<T> {
  value: T | undefined;
  readonly depth: number;
  #children: Map<string, Node<T>> | undefined;
  /** The children by their words in lower case; made when somebody's case differs, dropped when a child comes or goes. */
  #folded: Map<string, Node<T>> | undefined;

  constructor(depth: number) {
    this.depth = depth;
  }

  // Most words lead no further: they share one empty map.
  get children(): ReadonlyMap<string, Node<T>> {
    return this.#children ?? (NO_CHILDREN as ReadonlyMap<string, Node<T>>); // empty, so of any type
  }

  childFor(word: string): Node<T> {
    const children = (this.#children ??= new Map<string, Node<T>>());
    const known = children.get(word);
    if (known) return known;
    const child = new Node<T>(this.depth + 1);
    children.set(word, child);
    this.#folded = undefined;
    return child;
  }

  drop(word: string): void {
    this.#children?.delete(word);
    this.#folded = undefined;
  }

  anyCase(word: string): Node<T> | undefined {
    const exact = this.#children?.get(word);
    if (exact || !this.#children) return exact;
    this.#folded ??= fold(this.#children);
    return this.#folded.get(word.toLowerCase());
  }
}

const NO_CHILDREN: ReadonlyMap<string, unknown> = new Map();

/** Of two words that differ by case only, the first declared is found. */
function fold<T>(children: ReadonlyMap<string, Node<T>>): Map<string, Node<T>> {
  const folded = new Map<string, Node<T>>();
  for (const [word, child] of children) {
    const lower = word.toLowerCase();
    if (!folded.has(lower)) folded.set(lower, child);
  }
  return folded;
}
