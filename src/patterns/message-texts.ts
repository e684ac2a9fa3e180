import { PayloadError, type PayloadIssue } from "../errors.ts";

/** The field that patterns read unless they are told another, and in which a message that is plain text stands. */
export const DEFAULT_FIELD = "content";

/** What `match` takes: plain text, or an object of texts. */
export type Message = string | Readonly<Record<string, string>>;

/**
 * A message as an object of texts, one for each field; a copy that nobody changes while handlers look at it.
 * @throws {PayloadError} for anything but text or an object of texts; it lists every field that is not text.
 */
export function textsOf(message: Message): Readonly<Record<string, string>> {
  // What comes from outside is not what the types say, so everything is looked at.
  const value: unknown = message;
  if (typeof value === "string") return Object.freeze({ [DEFAULT_FIELD]: value });
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new PayloadError("match", [
      { path: "", message: `must be text or an object of texts, not ${sortOf(value)}` },
    ]);
  }
  const issues: PayloadIssue[] = [];
  for (const [path, text] of Object.entries(value)) {
    if (typeof text !== "string") issues.push({ path, message: `must be text, not ${sortOf(text)}` });
  }
  if (issues.length > 0) throw new PayloadError("match", issues);
  return Object.freeze({ ...(value as Record<string, string>) }); // each value was seen to be text
}

function sortOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : typeof value;
}
