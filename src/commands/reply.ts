import type { Problem } from "./bind.ts";
import type { Messages } from "./messages.ts";

/**
 * How a command ended:
 * `ok`; `not_a_command`: the text begins with no prefix that is in use; `unknown`: no such command; `invalid`: the
 * arguments do not fit; `denied`: the caller's roles do not; `cooling_down`: too soon; `failed`: the handler threw, or was
 * called off; `timed_out`.
 */
export type ReplyStatus =
  | "ok"
  | "not_a_command"
  | "unknown"
  | "invalid"
  | "denied"
  | "cooling_down"
  | "failed"
  | "timed_out";

/** The answer to a text that was handed to the commands. */
export interface Reply {
  readonly status: ReplyStatus;
  /** Ready to show to whoever wrote the command; empty when there is nothing to say. */
  readonly text: string;
  /** What the handler returned; for `invalid`, an {@link InvalidData}. */
  readonly data: unknown;
  /** The name of the handler that was meant. */
  readonly command?: string;
  /** For `cooling_down`: milliseconds until the next call may succeed. */
  readonly retryAfter?: number;
  /** What was thrown, for code. It is left out of JSON: it may tell what users must not know. */
  readonly error?: unknown;
}

/** What was wrong with the arguments, for programs. */
export interface InvalidData {
  readonly usage: string;
  readonly problems: readonly {
    /** `missing`, `misfit`, `too_many`, `unknown_flag`, `flag_twice`, `flag_without_value`, `unclosed_quote` or `schema`. */
    readonly code: string;
    /** The argument or the flag it is about; empty when it is about none. */
    readonly argument: string;
    readonly message: string;
  }[];
}

/** The reply to a handler's value. */
export function okReply(data: unknown, command: string): Reply {
  return { status: "ok", text: typeof data === "string" ? data : textOf(data), data, command };
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
