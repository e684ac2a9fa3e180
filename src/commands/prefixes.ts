import { DeclarationError } from "../errors.ts";
import type { CommandCall } from "../handler.ts";

/** What is written in place of the `/` of a usage. */
export type PrefixOption = string | readonly string[] | ((call: CommandCall) => string | readonly string[]);

/**
 * The prefixes that a call may use.
 * @throws {DeclarationError} `PREFIX_INVALID`, from a function at the call.
 */
export function prefixesOf(option: PrefixOption): (call: CommandCall) => readonly string[] {
  if (typeof option === "function") return (call) => checked(option(call));
  const fixed = checked(option);
  return () => fixed;
}

function checked(prefix: string | readonly string[]): readonly string[] {
  const prefixes = typeof prefix === "string" ? [prefix] : prefix;
  if (Array.isArray(prefixes) && prefixes.length > 0 && prefixes.every(isPrefix)) return prefixes;
  throw new DeclarationError(
    "PREFIX_INVALID",
    `prefix is ${JSON.stringify(prefix)}. Write a text without blanks, such as "!", a list of such texts, or a function of the call that gives one.`,
  );
}

function isPrefix(prefix: unknown): boolean {
  return typeof prefix === "string" && /^\S+$/u.test(prefix);
}
