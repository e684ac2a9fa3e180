import type { AttemptError } from "../engine.ts";

/** Errors are kept with the message; a stack that recursed without end must not fill the store. */
const LONGEST_MESSAGE = 4_000;
const LONGEST_STACK = 8_000;

/** What is kept of a failure. Anything may be thrown, so anything must be kept. */
export function toAttemptError(error: unknown, attempt: number, at: number): AttemptError {
  if (!(error instanceof Error)) return { attempt, at, name: typeof error, message: text(error) };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return {
    attempt,
    at,
    name: error.name,
    message: error.message.slice(0, LONGEST_MESSAGE),
    ...(code === undefined ? {} : { code }),
    stack: withCause(error).slice(0, LONGEST_STACK),
  };
}

function withCause(error: Error): string {
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause instanceof Error ? `${own}\ncaused by ${error.cause.stack ?? error.cause.message}` : own;
}

function text(thrown: unknown): string {
  try {
    return (typeof thrown === "string" ? thrown : (JSON.stringify(thrown) ?? String(thrown))).slice(
      0,
      LONGEST_MESSAGE,
    );
  } catch {
    return "something that cannot be written as text";
  }
}
