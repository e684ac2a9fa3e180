import type { PatternHandler } from "../handler.ts";

/** A handler whose pattern matches a text. */
export interface Candidate {
  readonly handler: PatternHandler;
  readonly found: RegExpExecArray;
  /** Grows with each pattern added: settles ties of priority between fields. */
  readonly order: number;
}

/**
 * Finds which of many patterns match a text. How is the implementation's affair: one pattern after another, or an index
 * of the literals that patterns require with a linear-time engine behind it. All of them give the same answers.
 */
export interface Matcher {
  /** Takes a pattern in, from the next `match` on; throws a DeclarationError for one it cannot run, and is unchanged then. */
  add(handler: PatternHandler): void;
  /** Takes a pattern out, from the next `match` on; does nothing for one it does not have. */
  remove(handler: PatternHandler): void;
  /** The first match of each pattern of the field, smaller priority first, ties in order of `add`; none after that of a handler with `stop`. Patterns keep nothing in mind from one call to the next. */
  match(field: string, text: string): readonly Candidate[];
  /** Whether a pattern is run only on texts in which something that it requires was seen; false: on every text. */
  isIndexed(handler: PatternHandler): boolean;
}
