import { alike } from "../alike.ts";
import type { Headers, PublishOptions } from "../context.ts";
import { toMs } from "../duration.ts";
import type { NewMessage } from "../engine.ts";
import { DeclarationError, PayloadError } from "../errors.ts";

const DEDUPE_WINDOW_MS = 86_400_000;
/** Large things belong in a store of their own, with their address in the message. */
const LONGEST_PAYLOAD = 8 * 1024 * 1024;

/** Writes a payload as JSON. @throws {PayloadError} for what JSON cannot hold, and for more than 8 MiB. */
export function encodePayload(payload: unknown, event: string): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(payload);
  } catch (error) {
    throw refusal(
      event,
      `it cannot be written as JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (text === undefined && payload !== undefined)
    throw refusal(event, `a ${typeof payload} cannot be written as JSON`);
  if (text !== undefined && text.length > LONGEST_PAYLOAD) {
    throw refusal(
      event,
      `it is ${text.length} characters long; ${LONGEST_PAYLOAD} are allowed. Publish a reference to it instead`,
    );
  }
  return text ?? "null";
}

/** Makes the message that an engine stores. @throws {DeclarationError} `PUBLISH_OPTION_INVALID`. */
export function encodeMessage(
  event: string,
  payload: string,
  options: PublishOptions,
  now: number,
): NewMessage {
  const { delay, at, priority = 0, key, dedupe, expires, headers, transaction } = options;
  if (delay !== undefined && at !== undefined) fail("give either delay or at, not both");
  if (!Number.isSafeInteger(priority)) fail(`priority must be a whole number, not ${priority}`);
  refuseUnknown(options);
  if (transaction !== undefined && (typeof transaction !== "object" || transaction === null))
    fail("transaction must be a client of the engine's server in a transaction");
  if (key !== undefined && (typeof key !== "string" || key === ""))
    fail("key must be a string that is not empty");
  return {
    event,
    payload,
    headers: headers && encodeHeaders(headers),
    priority,
    due: at !== undefined ? moment(at, "at") : delay !== undefined ? now + toMs(delay, "delay") : now,
    key,
    dedupe: dedupe === undefined ? undefined : encodeDedupe(dedupe, now),
    expires:
      expires === undefined
        ? undefined
        : expires instanceof Date
          ? moment(expires, "expires")
          : now + toMs(expires, "expires"),
  };
}

function encodeDedupe(
  dedupe: NonNullable<PublishOptions["dedupe"]>,
  now: number,
): { key: string; until: number } {
  if (
    typeof dedupe !== "string" &&
    (typeof dedupe !== "object" || dedupe === null || dedupe.within === undefined)
  ) {
    fail('dedupe must be a key, or { key, within: "1h" }');
  }
  const [key, within] =
    typeof dedupe === "string"
      ? [dedupe, DEDUPE_WINDOW_MS]
      : [dedupe.key, toMs(dedupe.within, "dedupe.within")];
  if (typeof key !== "string" || key === "") fail("dedupe needs a key that is not empty");
  return { key, until: now + within };
}

function encodeHeaders(headers: Headers): string | undefined {
  if (typeof headers !== "object" || headers === null) fail("headers must be an object of strings");
  const entries = Object.entries(headers);
  for (const [name, value] of entries) {
    if (typeof value !== "string") fail(`header "${name}" must be a string, not ${typeof value}`);
  }
  if (entries.length === 0) return undefined;
  return JSON.stringify(Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value])));
}

function moment(value: Date | number, what: string): number {
  const ms = value instanceof Date ? value.getTime() : value;
  // What Date can hold (ECMA-262, time values): beyond it nothing can be shown, and nothing ever falls due.
  if (!(Math.abs(ms) <= 8.64e15)) fail(`${what} is not a valid moment`);
  return ms;
}

const OPTIONS = new Set(["delay", "at", "priority", "key", "dedupe", "expires", "headers", "transaction"]);

function refuseUnknown(options: PublishOptions): void {
  for (const name in options) {
    if (OPTIONS.has(name)) continue;
    const [meant] = alike(name, OPTIONS, 1);
    fail(`there is no option "${name}"${meant === undefined ? "" : `. Did you mean "${meant}"?`}`);
  }
}

function refusal(event: string, message: string): PayloadError {
  return new PayloadError(`event "${event}"`, [{ path: "", message }]);
}

function fail(why: string): never {
  throw new DeclarationError("PUBLISH_OPTION_INVALID", `publish: ${why}.`);
}
