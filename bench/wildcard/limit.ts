/* The limit: the smallest trie that knows `*` and `**`, and a map of what was found before. It keeps no order and removes nothing. */
export class Trie<T> {
  readonly #root = emptyNode<T>();
  readonly #found = new Map<string, readonly T[]>();

  add(topic: string, value: T): void {
    let node = this.#root;
    for (const segment of topic.split(".")) node = childOf(node, segment);
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
  one: Node<T> | undefined;
  rest: Node<T> | undefined;
  readonly values: T[];
}

function emptyNode<T>(): Node<T> {
  return { children: new Map(), one: undefined, rest: undefined, values: [] };
}

function childOf<T>(node: Node<T>, segment: string): Node<T> {
  if (segment === "*") return (node.one ??= emptyNode());
  if (segment === "**") return (node.rest ??= emptyNode());
  let child = node.children.get(segment);
  if (!child) node.children.set(segment, (child = emptyNode()));
  return child;
}

function walk<T>(node: Node<T>, segments: readonly string[], at: number, found: T[]): void {
  if (node.rest) for (let skip = at; skip <= segments.length; skip++) walk(node.rest, segments, skip, found);
  if (at === segments.length) {
    for (const value of node.values) found.push(value);
    return;
  }
  const child = node.children.get(segments[at] as string); // at is below the length
  if (child) walk(child, segments, at + 1, found);
  if (node.one) walk(node.one, segments, at + 1, found);
}
