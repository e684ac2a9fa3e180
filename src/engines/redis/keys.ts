/** The names of everything that an engine keeps in its server, and of the channels that it speaks on. */
export class Keys {
  /** What spans handlers. It has a hash slot of its own in a cluster. */
  readonly root: string;
  readonly wakes: string;
  readonly signals: string;
  readonly #alive: string;
  readonly #prefix: string;

  constructor(prefix: string, db: number) {
    this.#prefix = prefix;
    this.root = `{${prefix}}`;
    // Channels know no databases.
    this.wakes = `${this.root}:${db}:wakes`;
    this.signals = `${this.root}:${db}:signals`;
    this.#alive = `${this.root}:${db}:alive:`;
  }

  /** The channel that an instance of this number listens on as long as it lives. */
  alive(instance: string): string {
    return this.#alive + instance;
  }

  /** What a handler has; unrouted messages, which have none, stand with the root. */
  of(handler: string): string {
    return handler === "" ? this.root : `{${this.#prefix}:${handler}}`;
  }

  /** What a limited key has: each its own slot. */
  ofLimit(key: string): string {
    return `{${this.#prefix}:/${key}}`;
  }

  /** The handler of what {@link of} answered. */
  handlerOf(base: string): string {
    return base.slice(this.#prefix.length + 2, -1);
  }
}
