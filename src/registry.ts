import { DuplicateHandlerError } from "./errors.ts";
import type { Handler } from "./handler.ts";

/** What a registry tells those who watch it. */
export interface RegistryWatcher {
  added(handler: Handler): void;
  removed(handler: Handler): void;
}

/** A declaration that has come to nothing so far. */
export interface Unfinished {
  /** `on("user.registered")` */
  readonly what: string;
  readonly site: string;
  readonly why: string;
}

/**
 * The handlers that were declared, by name. An ordinary value: the module-level `on`, `timeOn`, `commandOn` and `reOn`
 * use {@link defaultRegistry}, `createRegistry()` makes another, and two registries know nothing of each other. An app
 * stands a registry of its own on top of the one it was given, so that its classes are seen by nobody else.
 */
export class HandlerRegistry {
  readonly #handlers = new Map<string, Handler>();
  readonly #watchers = new Set<RegistryWatcher>();
  readonly #unfinished = new Set<Unfinished>();
  readonly #parent: HandlerRegistry | undefined;
  readonly #leaveParent: (() => void) | undefined;

  constructor(parent?: HandlerRegistry) {
    this.#parent = parent;
    this.#leaveParent = parent?.watch({
      added: (handler) => {
        this.#refuseTaken(handler, this.#handlers.get(handler.name));
        this.#tell(handler);
      },
      removed: (handler) => this.#tellRemoved(handler),
    });
  }

  /**
   * Adds a handler; the returned function takes it out again.
   * @throws {DuplicateHandlerError} when another handler has the name.
   */
  add(handler: Handler): () => void {
    this.#refuseTaken(handler, this.get(handler.name));
    this.#handlers.set(handler.name, handler);
    try {
      this.#tell(handler);
    } catch (error) {
      this.#handlers.delete(handler.name);
      throw error;
    }
    return () => {
      if (this.#handlers.get(handler.name) === handler) this.remove(handler.name);
    };
  }

  /** Takes a handler out; false when there is none of this name. */
  remove(name: string): boolean {
    const handler = this.#handlers.get(name);
    if (!handler) return this.#parent?.remove(name) ?? false;
    this.#handlers.delete(name);
    this.#tellRemoved(handler);
    return true;
  }

  /** Remembers a declaration that is not a handler yet. */
  begin(unfinished: Unfinished): void {
    this.#unfinished.add(unfinished);
  }

  /** The declaration has become a handler, or begins anew. */
  finish(unfinished: Unfinished): void {
    this.#unfinished.delete(unfinished);
  }

  /** The declarations that never became handlers: a forgotten function, a class that no app was given. */
  unfinished(): Unfinished[] {
    return [...(this.#parent?.unfinished() ?? []), ...this.#unfinished];
  }

  get(name: string): Handler | undefined {
    return this.#handlers.get(name) ?? this.#parent?.get(name);
  }

  /** How many handlers there are. */
  get size(): number {
    return this.#handlers.size + (this.#parent?.size ?? 0);
  }

  /** All handlers, in order of declaration. */
  list(): Handler[] {
    return [...(this.#parent?.list() ?? []), ...this.#handlers.values()];
  }

  /** Tells `watcher` of each handler there is, and from now on of each that comes or goes; the returned function ends it. */
  watch(watcher: RegistryWatcher): () => void {
    for (const handler of this.list()) watcher.added(handler);
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Stops looking at the registry it stands on. */
  close(): void {
    this.#leaveParent?.();
  }

  #refuseTaken(handler: Handler, other: Handler | undefined): void {
    if (other) throw new DuplicateHandlerError(handler.name, other.site, handler.site);
  }

  #tell(handler: Handler): void {
    let asked: RegistryWatcher | undefined;
    try {
      for (const watcher of this.#watchers) {
        asked = watcher;
        watcher.added(handler);
      }
    } catch (error) {
      // A watcher refuses what it cannot serve (a taken command, a pattern it cannot run): nothing stays half declared.
      for (const watcher of this.#watchers) {
        if (watcher === asked) break;
        watcher.removed(handler);
      }
      throw error;
    }
  }

  #tellRemoved(handler: Handler): void {
    for (const watcher of this.#watchers) watcher.removed(handler);
  }
}

/** Where handlers declared at module level land. */
export const defaultRegistry = new HandlerRegistry();
