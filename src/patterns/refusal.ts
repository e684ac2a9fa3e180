import { DeclarationError } from "../errors.ts";
import { parsePattern } from "./parse.ts";
import { planFor } from "./pattern-runner.ts";
import { surelyCompiles } from "./program.ts";

/** Backreferences, lookarounds, counted repetitions, groups that are repeated; whatever else there is. */
const NOT_PLAIN = /\\[1-9kq]|\(\?<?[=!]|\{|\)[*+?]/;
const LONG = 200;

/**
 * Refuses a pattern that a stranger's text could keep busy without end.
 *
 * @param what How the declaration reads, for the message.
 * @throws {DeclarationError} `PATTERN_UNSAFE` when V8 may take more than linear time for it, and no linear engine can run it.
 */
export function refuseUnsafe(what: string, pattern: RegExp): void {
  // Nearly all patterns: what can be run in linear time need not be judged before its first text.
  if (isPlain(pattern) || surelyCompiles(parsePattern(pattern))) return;
  const { v8UpTo, v8Only } = planFor(pattern);
  if (v8UpTo === Infinity || v8Only === undefined) return;
  throw new DeclarationError(
    "PATTERN_UNSAFE",
    `${what}: a text made for it could keep ${String(pattern)} busy for minutes, and since it has ${v8Only.message} it cannot be run in linear time. ` +
      `${v8Only.remedy}, or, if strangers do not write the texts, pass { trusted: true }.`,
  );
}

/** Seen at first sight: too few and too simple repetitions to make anything long of it. */
function isPlain({ source }: RegExp): boolean {
  return source.length < LONG && !NOT_PLAIN.test(source);
}
