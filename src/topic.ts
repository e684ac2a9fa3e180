/*
 * Topics: dotted names (`order.paid`) and patterns over them, where `*` stands for one segment and `**` for any number
 * of segments, none included. Names are matched by the dispatcher on each event and by engines when they fan out, so
 * this is a leaf that both use.
 */

/** Whether a topic has `*` or `**` in it. */
export function isPattern(topic: string): boolean {
  return topic.includes("*");
}

/** What is wrong with a topic, as the end of a sentence; undefined when nothing is. */
export function topicFault(topic: string): string | undefined {
  if (topic === "") return "is empty";
  if (topic.length > 255) return "is longer than 255 characters";
  if (/\s/u.test(topic)) return "has white space in it";
  const segments = topic.split(".");
  if (segments.includes("")) return "has an empty segment";
  if (segments.some((segment) => segment.includes("*") && segment !== "*" && segment !== "**")) {
    return "mixes a star with other characters in one segment";
  }
  return undefined;
}

interface Node<T> {
  readonly literal: Map<string, Node<T>>;
  one: Node<T> | undefined;
  any: Node<T> | undefined;
  readonly values: T[];
}

const CACHE_SIZE = 4096;

/**
 * Finds the values whose topics match a name: exact names through a map, patterns through a trie, and names seen
 * before through a cache that any change empties. The time does not grow with the number of topics.
 */
export class TopicIndex<T> {
  readonly #exact = new Map<string, T[]>();
  #root = emptyNode<T>();
  #patterns = 0;
  readonly #order = new Map<T, number>();
  #next = 0;
  readonly #cache = new Map<string, readonly T[]>();

  /** Adds a value; the same value may be added once only. */
  add(topic: string, value: T): void {
    this.#order.set(value, this.#next++);
    if (isPattern(topic)) {
      this.#patterns++;
      nodeFor(this.#root, topic.split(".")).values.push(value);
    } else {
      const values = this.#exact.get(topic);
      if (values) values.push(value);
      else this.#exact.set(topic, [value]);
    }
    this.#cache.clear();
  }

  remove(topic: string, value: T): void {
    this.#order.delete(value);
    const values = isPattern(topic) ? nodeFor(this.#root, topic.split(".")).values : this.#exact.get(topic);
    const at = values?.indexOf(value) ?? -1;
    if (values === undefined || at < 0) return;
    values.splice(at, 1);
    if (isPattern(topic) && --this.#patterns === 0) this.#root = emptyNode<T>();
    if (!isPattern(topic) && values.length === 0) this.#exact.delete(topic);
    this.#cache.clear();
  }

  /** The values whose topics match, in the order in which they were added. */
  match(name: string): readonly T[] {
    const known = this.#cache.get(name);
    if (known) return known;
    const found = this.find(name);
    // Cleared whole rather than aged: a working set above the cache's size is served by the trie, which is fast enough.
    if (this.#cache.size >= CACHE_SIZE) this.#cache.clear();
    this.#cache.set(name, found);
    return found;
  }

  /** As {@link match}, past the cache. */
  find(name: string): readonly T[] {
    const exact = this.#exact.get(name) ?? [];
    if (this.#patterns === 0) return exact.slice();
    const found = new Set(exact);
    collect(this.#root, name.split("."), 0, found);
    return [...found].sort((a, b) => (this.#order.get(a) ?? 0) - (this.#order.get(b) ?? 0));
  }
}

function emptyNode<T>(): Node<T> {
  return { literal: new Map(), one: undefined, any: undefined, values: [] };
}

function nodeFor<T>(root: Node<T>, segments: readonly string[]): Node<T> {
  let node = root;
  for (const segment of segments) {
    if (segment === "*") node = node.one ??= emptyNode();
    else if (segment === "**") node = node.any ??= emptyNode();
    else {
      let next = node.literal.get(segment);
      if (!next) node.literal.set(segment, (next = emptyNode()));
      node = next;
    }
  }
  return node;
}

function collect<T>(node: Node<T>, segments: readonly string[], at: number, found: Set<T>): void {
  if (node.any) for (let skip = at; skip <= segments.length; skip++) collect(node.any, segments, skip, found);
  if (at === segments.length) {
    for (const value of node.values) found.add(value);
    return;
  }
  const next = node.literal.get(segments[at] as string);
  if (next) collect(next, segments, at + 1, found);
  if (node.one) collect(node.one, segments, at + 1, found);
}
