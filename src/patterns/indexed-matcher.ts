import type { PatternHandler } from "../handler.ts";
import { FieldPatterns } from "./field-patterns.ts";
import type { Candidate, Matcher } from "./matcher.ts";

const NO_CANDIDATES: readonly Candidate[] = [];

/**
 * Finds in one pass over a text which patterns have their literals in it, and runs only those: a text that matches
 * nothing costs the same with ten patterns and with ten thousand. Patterns without a literal are tried on every text.
 *
 * A pattern that comes or goes is entered or taken out at once, in the microseconds that it alone takes.
 */
export class IndexedMatcher implements Matcher {
  readonly #fields = new Map<string, FieldPatterns>();
  #added = 0;

  add(handler: PatternHandler): void {
    let patterns = this.#fields.get(handler.field);
    if (!patterns) this.#fields.set(handler.field, (patterns = new FieldPatterns()));
    patterns.add(handler, this.#added++);
  }

  remove(handler: PatternHandler): void {
    const patterns = this.#fields.get(handler.field);
    patterns?.remove(handler);
    if (patterns?.size === 0) this.#fields.delete(handler.field);
  }

  match(field: string, text: string): readonly Candidate[] {
    return this.#fields.get(field)?.match(text) ?? NO_CANDIDATES;
  }

  isIndexed(handler: PatternHandler): boolean {
    return this.#fields.get(handler.field)?.isIndexed(handler) ?? false;
  }
}
