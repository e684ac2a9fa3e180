import type { PatternMatch } from "../handler.ts";

/**
 * What a handler gets of a match.
 *
 * @param found What the regular expression found.
 * @param field The field it was found in.
 * @param message All texts of the message.
 */
export function toPatternMatch(
  found: RegExpExecArray,
  field: string,
  message: Readonly<Record<string, string>>,
): PatternMatch {
  const [text, ...captures] = found;
  return { text, groups: namedGroups(found), captures, index: found.index, field, message };
}

function namedGroups(found: RegExpExecArray): Record<string, string> {
  // Without a prototype, as the engine's own: a group may be called `constructor` or `__proto__`.
  const groups: Record<string, string> = Object.create(null);
  for (const name in found.groups) groups[name] = found.groups[name] ?? "";
  return groups;
}
