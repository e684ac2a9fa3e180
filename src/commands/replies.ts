import { CancelledError, TimeoutError } from "../errors.ts";
import { type Logger, silentLogger } from "../log.ts";
import type { Environment } from "../pipeline/environment.ts";
import type { Problem } from "./bind.ts";
import type { Refusal } from "./call-limit.ts";
import type { CommandRun } from "./command-run.ts";
import type { Command } from "./command.ts";
import { Languages, type MessagesByLanguage } from "./languages.ts";
import { english } from "./messages-english.ts";
import type { Messages } from "./messages.ts";
import { type ConfirmationData, errorReply, invalidReply, type Reply } from "./reply.ts";

/** Makes the replies to calls whose handler did not run or did not end well, in the caller's language, and keeps the log. */
export class Replies {
  readonly #languages: Languages;
  readonly #environment: Environment;
  readonly #log: Logger | undefined;

  constructor(environment: Environment, messages: MessagesByLanguage | undefined, log: Logger | undefined) {
    this.#environment = environment;
    this.#languages = new Languages(messages);
    this.#log = log;
  }

  /** The sentences for a caller. */
  in(run: CommandRun): Messages {
    return this.#languages.of(run.locale);
  }

  denied({ name, info }: Command, run: CommandRun): Reply {
    const text = this.in(run).denied(run.written(info.command), info.roles);
    return { status: "denied", text, data: undefined, command: name };
  }

  invalid({ name, spec }: Command, problems: readonly Problem[], run: CommandRun): Reply {
    return invalidReply(problems, run.written(spec.usage), this.in(run), name);
  }

  tooSoon({ name, info }: Command, { by, wait }: Refusal, run: CommandRun): Reply {
    const seconds = Math.ceil(wait / 1_000);
    const written = run.written(info.command);
    const text =
      by.kind === "cooldown"
        ? this.in(run).coolingDown(written, seconds)
        : this.in(run).tooOften(written, by.limit, seconds);
    return { status: "cooling_down", text, data: undefined, command: name, retryAfter: wait };
  }

  /** The engine cannot count its uses now, and its author wants none that is not counted. */
  unavailable({ name, info }: Command, run: CommandRun, error: unknown): Reply {
    return errorReply("failed", this.in(run).unavailable(run.written(info.command)), error, name);
  }

  confirmationNeeded({ name, info }: Command, data: ConfirmationData, run: CommandRun): Reply {
    const answer = run.written(`/confirm ${data.token}`);
    const text = this.in(run).confirm(run.written(info.command), answer, Math.ceil(data.within / 1_000));
    return { status: "confirmation_needed", text, data, command: name };
  }

  nothingToConfirm(run: CommandRun): Reply {
    return { status: "invalid", text: this.in(run).nothingToConfirm(), data: undefined, command: "confirm" };
  }

  /** Says nothing of the error but where to find it; even the user's own sentences and log may fail here. */
  failure(command: Command | undefined, run: CommandRun, error: unknown): Reply {
    const handler = command?.name;
    const written = run.written(command?.info.command ?? "/help");
    const cancelled = error instanceof CancelledError || run.signal?.aborted === true;
    const status = error instanceof TimeoutError && !cancelled ? "timed_out" : "failed";
    try {
      const messages = this.in(run);
      const fields = { handler, id: run.id, status, err: error };
      if (cancelled) this.log.info(fields, "a command was called off");
      else this.log.error(fields, "a command failed");
      const text = cancelled
        ? messages.cancelled(written)
        : status === "timed_out"
          ? messages.timedOut(written, run.id)
          : messages.failed(written, run.id);
      return errorReply(status, text, error, handler);
    } catch {
      return errorReply(status, english.failed(written, run.id), error, handler);
    }
  }

  /** Whether somebody reads what {@link audit} writes. */
  get audits(): boolean {
    return this.log.info !== silentLogger.info;
  }

  /** One line for each call: who, where, which, how it ended, how long it took; what was written only where its author asks for it. */
  audit({ name, handler }: Command, run: CommandRun, { status }: Reply, ms: number): void {
    const { audit = true } = handler.options;
    if (audit === false) return;
    const { id, user, channel } = run;
    const took = Math.round(ms * 1_000) / 1_000;
    const text = audit === "text" ? { text: run.text } : undefined;
    this.log.info({ handler: name, id, user, channel, status, ms: took, ...text }, "command");
  }

  get log(): Logger {
    return this.#log ?? this.#environment.log;
  }
}
