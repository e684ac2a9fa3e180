import type { PatternHandler } from "../handler.ts";
import { MAX_TEXT, planFor } from "./pattern-runner.ts";

/** How a pattern is found and run; everything survives JSON. */
export interface PatternDescription {
  readonly handler: string;
  readonly field: string;
  readonly pattern: string;
  /** `file:line:column` of the declaration. */
  readonly site: string;
  /** Whether it is run only on texts in which a literal that it requires was seen; false: on every text. */
  readonly indexed: boolean;
  /** Who runs it: `"both"` is V8 for texts up to `v8UpTo`, and the linear engine for longer ones. */
  readonly engine: "v8" | "linear" | "both";
  /** In UTF-16 units; null for any length. */
  readonly v8UpTo: number | null;
  /** The longest text that is seen whole, in UTF-16 units; null for any length. Of longer ones only the beginning is. */
  readonly seenUpTo: number | null;
  readonly trusted: boolean;
  /** Why it costs more than others, as sentences; empty for most. */
  readonly slow: readonly string[];
}

/** Texts that are longer are no lines of a log. */
const LONG = 2 ** 17;

/** @param indexed Whether the matcher finds it by its literals. */
export function describePattern(handler: PatternHandler, indexed: boolean): PatternDescription {
  const { name, field, pattern, site, options } = handler;
  const trusted = options.trusted === true;
  const { v8UpTo, linearUpTo } = planFor(pattern);
  const engine = trusted || v8UpTo === Infinity ? "v8" : v8UpTo === 0 ? "linear" : "both";
  const seenUpTo = engine === "v8" || linearUpTo >= MAX_TEXT ? null : linearUpTo;
  return {
    handler: name,
    field,
    pattern: String(pattern),
    site,
    indexed,
    engine,
    v8UpTo: engine === "both" ? v8UpTo : null,
    seenUpTo,
    trusted,
    slow: reasons(indexed, engine, seenUpTo, trusted && v8UpTo !== Infinity),
  };
}

function reasons(
  indexed: boolean,
  engine: PatternDescription["engine"],
  seenUpTo: number | null,
  risky: boolean,
): string[] {
  const found: string[] = [];
  if (!indexed)
    found.push(
      "It requires no literal that is rare enough, so that it is tried on every text: give it a word that every match has.",
    );
  if (engine === "linear")
    found.push(
      "V8 could take exponential time for it, so that it runs on the slower linear engine: loops in it can match the same text in several ways.",
    );
  if (seenUpTo !== null && seenUpTo < LONG)
    found.push(
      `Its repetitions are so long that of a text only the first ${seenUpTo.toLocaleString("en")} chars are seen: bound them more closely.`,
    );
  if (risky) found.push("It is trusted, and a text made for it could keep the process busy without end.");
  return found;
}
