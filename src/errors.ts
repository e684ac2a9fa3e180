/*
 * The error tree. Every error the framework throws has a stable `code`, a message that says what to do, and `cause`
 * where something else was the reason.
 *
 *   FrameworkError
 *   ├─ DeclarationError      a handler, event, schedule or usage string is declared wrongly
 *   │  └─ DuplicateHandlerError
 *   ├─ ConfigError           the environment or the options of createApp are wrong; lists every mistake
 *   ├─ LifecycleError        start, stop and use came in the wrong order
 *   ├─ PayloadError          a payload does not fit its schema; lists every issue with its path
 *   ├─ UnknownEventError     nobody handles an event of this name
 *   ├─ HandlersFailedError   some handlers of a trigger failed (an AggregateError; it has the others' results)
 *   ├─ EngineError           the engine cannot do what was asked, or cannot be reached
 *   │  ├─ UnsupportedError     it never can: a capability is missing
 *   │  └─ DataFileError        the data file cannot be opened, is corrupt, or belongs to another version
 *   ├─ TimeoutError          a handler or a request took longer than allowed
 *   ├─ CancelledError        work was cancelled, or its app is stopping
 *   ├─ LeaseLostError        another holder has taken the message over
 *   ├─ RateLimitedError      a limit is used up; says when to come back
 *   ├─ Suspended             how ctx.sleep leaves a handler; no failure
 *   ├─ Fatal                 thrown by handlers: do not retry
 *   └─ RetryAfter            thrown by handlers: retry, but not before
 */

import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Duration } from "./duration.ts";

/** The root of every error the framework throws. */
export class FrameworkError extends Error {
  /** Stable, for programs: `PAYLOAD_INVALID`, `HANDLER_DUPLICATE`, … See docs/reference/errors.md. */
  readonly code: string;
  /** Whether the same call may succeed later without anyone changing anything. */
  readonly retryable: boolean = false;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** A declaration is wrong; it is thrown where the declaration stands. */
export class DeclarationError extends FrameworkError {}

/** Two handlers of one registry have the same name; the message shows where both stand. */
export class DuplicateHandlerError extends DeclarationError {
  constructor(name: string, first: string, second: string) {
    super(
      "HANDLER_DUPLICATE",
      `Two handlers are named "${name}".\n  first:  ${first}\n  second: ${second}\n` +
        `Handler names are unique in a registry: name the function, or pass { name: "…" } to one of them.`,
    );
  }
}

/** The configuration is wrong; `mistakes` has every mistake, not only the first. */
export class ConfigError extends FrameworkError {
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(
      "CONFIG_INVALID",
      `The configuration has ${mistakes.length === 1 ? "a mistake" : `${mistakes.length} mistakes`}:\n` +
        mistakes.map((mistake) => `  - ${mistake}`).join("\n"),
    );
    this.mistakes = mistakes;
  }
}

/** The app is not in the state the call needs: `APP_NOT_STARTED`, `APP_STOPPED`, `NODE_TOO_OLD`, `PORT_IN_USE`, … */
export class LifecycleError extends FrameworkError {}

/** A payload does not fit its event's schema. */
export class PayloadError extends FrameworkError {
  readonly issues: readonly PayloadIssue[];

  constructor(what: string, issues: readonly PayloadIssue[]) {
    const lines = issues.map(
      (issue) => `  - ${issue.path === "" ? "(the whole)" : issue.path}: ${issue.message}`,
    );
    super("PAYLOAD_INVALID", `The payload of ${what} does not fit its schema:\n${lines.join("\n")}`);
    this.issues = issues;
  }
}

/** One way in which a payload does not fit: where (`user.emails[0]`, empty for the whole) and why. */
export interface PayloadIssue {
  readonly path: string;
  readonly message: string;
}

/** Writes the issues of a Standard Schema with their paths as text. */
export function toIssues(issues: readonly StandardSchemaV1.Issue[]): PayloadIssue[] {
  return issues.map((issue) => ({ path: pathOf(issue), message: issue.message }));
}

function pathOf(issue: StandardSchemaV1.Issue): string {
  let path = "";
  for (const part of issue.path ?? []) {
    const key = typeof part === "object" ? part.key : part;
    path += typeof key === "number" ? `[${key}]` : `${path === "" ? "" : "."}${String(key)}`;
  }
  return path;
}

/** No handler, here or on another replica, handles the event. */
export class UnknownEventError extends FrameworkError {
  constructor(event: string, alike: readonly string[]) {
    const hint = alike.length > 0 ? ` Did you mean ${alike.map((name) => `"${name}"`).join(" or ")}?` : "";
    super(
      "EVENT_UNKNOWN",
      `No handler is subscribed to the event "${event}".${hint} Declare one with on("${event}"), or start the replica that handles it first.`,
    );
  }
}

/** How one handler of a trigger ended. */
export type HandlerOutcome =
  | { readonly handler: string; readonly status: "ok"; readonly value: unknown }
  | { readonly handler: string; readonly status: "failed"; readonly error: unknown };

/** Some handlers of a trigger failed: `errors` has their errors, `results` what the others returned, in priority order. */
export class HandlersFailedError extends AggregateError {
  readonly code = "HANDLERS_FAILED";
  readonly results: readonly unknown[];
  /** All handlers that ran, failed or not, in priority order. */
  readonly outcomes: readonly HandlerOutcome[];

  constructor(event: string, outcomes: readonly HandlerOutcome[]) {
    const failed = outcomes.filter((outcome) => outcome.status === "failed");
    const lines = failed.map(
      ({ handler, error }) => `  - ${handler}: ${error instanceof Error ? error.message : String(error)}`,
    );
    super(
      failed.map(({ error }) => error),
      `${failed.length} of ${outcomes.length} handlers of "${event}" failed:\n${lines.join("\n")}`,
    );
    this.name = "HandlersFailedError";
    this.outcomes = outcomes;
    this.results = outcomes.flatMap((outcome) => (outcome.status === "ok" ? [outcome.value] : []));
  }
}

/** The engine failed or refused. `ENGINE_UNKNOWN`, `ENGINE_UNAVAILABLE`, `ENGINE_BUSY`, `ENGINE_FULL`, … */
export class EngineError extends FrameworkError {
  override readonly retryable: boolean;

  constructor(code: string, message: string, options?: ErrorOptions & { retryable?: boolean }) {
    super(code, message, options);
    this.retryable = options?.retryable ?? false;
  }
}

/** A backup cannot be written, read or trusted: `BACKUP_UNWRITABLE`, `BACKUP_UNREADABLE`, `BACKUP_DAMAGED`, `BACKUP_VERSION`. */
export class BackupError extends FrameworkError {}

/** What the engine holds is being moved, has been moved, or is not whole yet: it refuses every change. */
export class SealedError extends EngineError {
  /** @param seal As the engine keeps it: the JSON of what it was sealed with. */
  constructor(location: string, seal: string) {
    // As the engine was given it: see Seal in engine-transfer.ts.
    const { state, other } = JSON.parse(seal) as { state: keyof typeof SEALED; other: string };
    super("ENGINE_SEALED", `${location} is sealed: ${SEALED[state](other)}`);
  }
}

const SEALED = {
  moving: (other: string) =>
    `what it holds is being moved to ${other}. Set ENGINE_URL to that when it is done. If it was broken off, run the same migrate again, or open this one again with migrate --undo.`,
  moved: (other: string) => `what it held has moved to ${other}. Set ENGINE_URL to that, and restart.`,
  filling: (other: string) =>
    `it is being filled from ${other} and is not whole yet. If that was broken off, run the same command again.`,
};

/** The engine has no such capability; nothing was done. */
export class UnsupportedError extends EngineError {
  constructor(engine: string, what: string, remedy: string) {
    super("ENGINE_UNSUPPORTED", `The ${engine} engine cannot keep ${what}. ${remedy}`);
  }
}

/** The data file cannot be used: `DATA_FILE_UNWRITABLE`, `DATA_FILE_CORRUPT`, `DATA_FILE_VERSION`. It was not changed. */
export class DataFileError extends EngineError {
  readonly file: string;

  constructor(code: string, file: string, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.file = file;
  }
}

/** Something took longer than its timeout. */
export class TimeoutError extends FrameworkError {
  override readonly retryable = true;

  constructor(what: string, limit: string) {
    super(
      "TIMEOUT",
      `${what} took longer than its timeout of ${limit}. Raise \`timeout\`, or make it faster.`,
    );
  }
}

/** The work was called off: by `cancel`, or because the app is stopping. */
export class CancelledError extends FrameworkError {
  constructor(message: string) {
    super("CANCELLED", message);
  }
}

/** The message's lease ran out and somebody else holds it now; what this holder says of it is refused. */
export class LeaseLostError extends FrameworkError {
  constructor(id: string, handler: string) {
    super(
      "LEASE_LOST",
      `The lease of message ${id} for "${handler}" was lost: this process did not answer in time and the message runs elsewhere. Keep the event loop free, or raise \`lease\`.`,
    );
  }
}

/** A rate limit or cooldown is used up. */
export class RateLimitedError extends FrameworkError {
  override readonly retryable = true;
  /** Milliseconds until the next call may succeed. */
  readonly retryAfter: number;

  constructor(what: string, retryAfter: number) {
    super("RATE_LIMITED", `${what} is limited: try again in ${Math.ceil(retryAfter / 1000)} s.`);
    this.retryAfter = retryAfter;
  }
}

/** How `ctx.sleep` leaves a handler. Let it pass: the handler is run again when the time has come. */
export class Suspended extends FrameworkError {
  /** Milliseconds since 1970. */
  readonly until: number;

  constructor(until: number) {
    super(
      "SUSPENDED",
      "The handler sleeps: this is how ctx.sleep leaves it, and no failure. Do not catch it.",
    );
    this.until = until;
  }
}

/**
 * Thrown by a handler: the message goes to the dead letters at once, without another attempt.
 * @example
 * throw new Fatal("the card is closed");
 */
export class Fatal extends FrameworkError {
  constructor(message: string, options?: ErrorOptions) {
    super("FATAL", message, options);
  }
}

/**
 * Thrown by a handler: the attempt failed, and the next must not come before the given time has passed.
 * @example
 * throw new RetryAfter("30s");
 */
export class RetryAfter extends FrameworkError {
  override readonly retryable = true;
  /** The wait as it was given: milliseconds, or text such as `"30s"`. */
  readonly wait: Duration;

  constructor(wait: Duration, message = `asked to be retried after ${wait}`, options?: ErrorOptions) {
    super("RETRY_AFTER", message, options);
    this.wait = wait;
  }
}
