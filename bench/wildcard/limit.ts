/* The limit: the smallest trie that knows `*` and `**`, and a map of what was found before. It keeps no order and removes nothing. */
export class Trie<T> {
  readonly #root = emptyNode<T>();
  readonly #found = new Map<string, readonly T[]>();

  add(topic: string, value: T): void {
    let node = this.#root;
    for (const segment of topic.split(".")) {
      let next = node.children.get(segment);
      if (!next) node.children.set(segment, (next = emptyNode()));
      node = next;
    }
    node.values.push(value);
  }

  match(name: string): readonly T[] {
    let found = this.#found.get(name);
    if (!found) this.#found.set(name, (found = this.find(name)));
    return found;
  }

  find(name: string): T[] {
    const found: T[] = [];
    walk(this.#root, name.split("."), 0, found);
    return found;
  }
}

interface Node<T> {
  readonly children: Map<string, Node<T>>;
  readonly values: T[];
}

function emptyNode<T>(): Node<T> {
  return { children: new Map(), values: [] };
}

function walk<T>(node: Node<T>, segments: readonly string[], at: number, found: T[]): void {
  const rest = node.children.get("**");
  if (rest) for (let skip = at; skip <= segments.length; skip++) walk(rest, segments, skip, found);
  if (at === segments.length) {
    for (const value of node.values) found.push(value);
    return;
  }
  const own = node.children.get(segments[at] as string); // at is below the length
  if (own) walk(own, segments, at + 1, found);
  const any = node.children.get("*");
  if (any) walk(any, segments, at + 1, found);
}
