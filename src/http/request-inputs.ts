import { PayloadError, type PayloadIssue } from "../errors.ts";

/** The body of `POST /commands`. */
export interface CommandInput {
  readonly text: string;
  readonly user?: string;
  readonly channel?: string;
  readonly locale?: string;
}

const COMMAND_FIELDS = ["text", "user", "channel", "locale"];

/** Checks the body of `POST /commands`. @throws {PayloadError} with every misfit. */
export function readCommand(body: unknown): CommandInput {
  const what = "POST /commands";
  const fields = readObject(body, what, 'an object such as { "text": "/help" }');
  const issues: PayloadIssue[] = [];
  if (fields["text"] === undefined)
    issues.push({ path: "text", message: "is missing: the command, as it was written" });
  for (const [path, value] of Object.entries(fields)) {
    if (path === "roles")
      issues.push({ path, message: "is not the caller's to say: roles come from the token" });
    else if (!COMMAND_FIELDS.includes(path)) {
      issues.push({ path, message: `is not known; there are ${COMMAND_FIELDS.join(", ")}` });
    } else if (typeof value !== "string") issues.push({ path, message: "must be text" });
  }
  if (issues.length > 0) throw new PayloadError(what, issues);
  return fields as unknown as CommandInput; // just checked, field by field
}

/** Checks the body of `POST /match`. @throws {PayloadError} with every field that is not text. */
export function readMessage(body: unknown): Record<string, string> {
  const what = "POST /match";
  const fields = readObject(body, what, 'an object of texts such as { "content": "ERROR disk full" }');
  const issues = Object.entries(fields)
    .filter(([, value]) => typeof value !== "string")
    .map(([path]) => ({ path, message: "must be text" }));
  if (issues.length > 0) throw new PayloadError(what, issues);
  return fields as Record<string, string>; // just checked, field by field
}

/** @param accepted What it must be, for the error's text. @throws {PayloadError} when a body is no object. */
export function readObject(body: unknown, what: string, accepted: string): Record<string, unknown> {
  if (typeof body === "object" && body !== null && !Array.isArray(body))
    return body as Record<string, unknown>;
  throw new PayloadError(what, [{ path: "", message: `must be ${accepted}` }]);
}
