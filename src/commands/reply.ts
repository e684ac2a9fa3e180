import type { Problem } from "./bind.ts";
import type { Messages } from "./messages.ts";

/**
 * How a command ended:
 * `ok`; `not_a_command`: the text begins with no prefix that is in use; `unknown`: no such command; `invalid`: the
 * arguments do not fit; `denied`: the caller's roles do not; `confirmation_needed`: not run yet; `cooling_down`: too soon, or
 * too often; `failed`: the handler threw, or was called off; `timed_out`.
 */
export type ReplyStatus =
  | "ok"
  | "not_a_command"
  | "unknown"
  | "invalid"
  | "denied"
  | "confirmation_needed"
  | "cooling_down"
  | "failed"
  | "timed_out";

/** The answer to a text that was handed to the commands. */
export interface Reply {
  readonly status: ReplyStatus;
  /** Ready to show to whoever wrote the command; empty when there is nothing to say. */
  readonly text: string;
  /** What the handler returned; for `invalid`, an {@link InvalidData}; for `confirmation_needed`, a {@link ConfirmationData}. */
  readonly data: unknown;
  /** The name of the handler that was meant. */
  readonly command?: string;
  /** For `cooling_down`: milliseconds until the next call may succeed. */
  readonly retryAfter?: number;
  /** What was thrown, for code. It is left out of JSON: it may tell what users must not know. */
  readonly error?: unknown;
}

/** What has to be repeated, for programs: `/confirm TOKEN`, by the same user in the same channel. */
export interface ConfirmationData {
  readonly token: string;
  /** For how long, in milliseconds. */
  readonly within: number;
}

/** What was wrong with the arguments, for programs. */
export interface InvalidData {
  readonly usage: string;
  readonly problems: readonly {
    /** `missing`, `misfit`, `too_many`, `unknown_flag`, `flag_twice`, `flag_without_value`, `unclosed_quote`, `too_long` or `schema`. */
    readonly code: string;
    /** The argument or the flag it is about; empty when it is about none. */
    readonly argument: string;
    readonly message: string;
  }[];
}

/** What a handler says in its own words, beside its value. See {@link said}. */
export class Said {
  readonly text: string;
  readonly data: unknown;
  readonly status: "ok" | "invalid";

  /** @internal Handlers use {@link said}. */
  constructor(text: string, data: unknown, status: "ok" | "invalid") {
    this.text = text;
    this.data = data;
    this.status = status;
  }
}

/**
 * Returned by a command's handler: a text for people, and a value for programs.
 *
 * @param text Shown as it is.
 * @param data The reply's `data`.
 * @param status `"invalid"` where the caller asked for what is not there. @default "ok"
 * @example
 * commandOn("stock", "/stock <id:int>").execute(({ id }) => said(`3 pieces of ${id}`, { id, pieces: 3 }));
 */
export function said(text: string, data?: unknown, status: "ok" | "invalid" = "ok"): Said {
  return new Said(text, data, status);
}

/** The reply to a handler's value. */
export function okReply(value: unknown, command: string): Reply {
  if (typeof value === "string") return { status: "ok", text: value, data: value, command };
  if (value instanceof Said) return { status: value.status, text: value.text, data: value.data, command };
  return { status: "ok", text: textOf(value), data: value, command };
}

/** The reply to arguments that do not fit. */
export function invalidReply(
  problems: readonly Problem[],
  usage: string,
  messages: Messages,
  command: string,
): Reply {
  const told = problems.map((problem) => ({
    code: problem.code,
    argument: problem.argument,
    message: messages.problem(problem),
  }));
  const text = messages.invalid(
    told.map(({ message }) => message),
    usage,
  );
  const data: InvalidData = { usage, problems: told };
  return { status: "invalid", text, data, command };
}

/** The reply to a call whose handler threw. */
export function errorReply(status: ReplyStatus, text: string, error: unknown, command?: string): Reply {
  const reply: Reply = { status, text, data: undefined, ...(command === undefined ? {} : { command }) };
  return Object.defineProperty(reply, "error", { value: error, enumerable: false });
}

/** A value as text: strings as they are, nothing for undefined, null and functions, objects as JSON. It never throws. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null || typeof value === "function") return "";
  if (typeof value !== "object") return String(value as string | number | bigint | boolean | symbol); // all that is left
  try {
    if (value instanceof Error) return value.message;
    return (
      JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner)) ?? ""
    );
  } catch {
    return "[a value that JSON cannot hold]"; // a circle in it, or a toJSON that throws
  }
}
