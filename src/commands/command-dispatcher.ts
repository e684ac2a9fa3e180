import type { StandardSchemaV1 } from "@standard-schema/spec";
import { CancelledError, PayloadError, TimeoutError } from "../errors.ts";
import type { Handler } from "../handler.ts";
import type { Logger } from "../log.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import { defaultRegistry, type HandlerRegistry } from "../registry.ts";
import { validate } from "../schema.ts";
import { bind, type Bound } from "./bind.ts";
import { CommandIndex, type Found } from "./command-index.ts";
import { CommandRun, type CommandFrom } from "./command-run.ts";
import { Command, type CommandInfo, mayUse } from "./command.ts";
import { Help } from "./help.ts";
import { Languages, type MessagesByLanguage } from "./languages.ts";
import { LocalLimits } from "./local-limits.ts";
import { english } from "./messages-english.ts";
import { errorReply, invalidReply, okReply, type Reply } from "./reply.ts";

export type { CommandFrom };

/** Options of a {@link CommandDispatcher}. */
export interface CommandDispatcherOptions {
  /** Whose handlers it runs. @default the registry of module-level `commandOn` */
  readonly registry?: HandlerRegistry;
  /** @default one of its own, without an engine: cooldowns count in this process alone */
  readonly pipeline?: Pipeline;
  /** Sentences of replies in other words, or in other languages. */
  readonly messages?: MessagesByLanguage;
  /** Where failures are written. @default the pipeline's log */
  readonly log?: Logger;
}

const NOBODY: CommandFrom = {};
const NOT_A_COMMAND: Promise<Reply> = Promise.resolve(
  Object.freeze({ status: "not_a_command", text: "", data: undefined }),
);

/**
 * Runs the handlers of text commands. It watches its registry: handlers may come and go at any time.
 *
 * @example
 * const commands = new CommandDispatcher({ registry });
 * const reply = await commands.handle("/backup full", { user: "ann" });
 * console.log(reply.status, reply.text);
 */
export class CommandDispatcher {
  readonly #pipeline: Pipeline;
  readonly #index = new CommandIndex();
  readonly #languages: Languages;
  readonly #help = new Help(this.#index);
  readonly #log: Logger | undefined;
  readonly #unwatch: () => void;
  #ownLimits: LocalLimits | undefined;

  /** @throws {DeclarationError} when the registry already holds commands that cannot stand beside each other. */
  constructor(options: CommandDispatcherOptions = {}) {
    this.#pipeline = options.pipeline ?? new Pipeline();
    this.#languages = new Languages(options.messages);
    this.#log = options.log;
    this.#unwatch = (options.registry ?? defaultRegistry).watch({
      added: (handler) => this.#added(handler),
      removed: (handler) => this.#removed(handler),
    });
  }

  /**
   * Answers a text. It never rejects: whatever goes wrong is a {@link Reply} whose text may be shown to anybody.
   *
   * What a call goes through, in this order: the command is found, the caller's roles, the arguments, the schema, the
   * cooldown, the handler. A call that is refused on the way starts no cooldown; one whose handler fails does.
   */
  handle(text: string, from?: CommandFrom): Promise<Reply> {
    const run = new CommandRun(text, from ?? NOBODY);
    let command: Command | undefined;
    try {
      const found = typeof text === "string" ? this.#index.find(text) : undefined;
      if (!found) return NOT_A_COMMAND;
      ({ command } = found);
      if (!command) return Promise.resolve(this.#help.answer(found, run, this.#languages.of(run.locale)));
      if (!command.plain && !mayUse(command.info, run)) return Promise.resolve(this.#denied(command, run));
      const { args, problems } = bindFound(command, found);
      if (problems.length > 0) return Promise.resolve(this.#invalid(command, problems, run));
      return command.plain ? this.#call(command, args, run) : this.#guarded(command, args, run);
    } catch (error) {
      return Promise.resolve(this.#failure(command, run, error));
    }
  }

  /** All commands, hidden ones included, in order of declaration: for lists and completion. */
  list(): CommandInfo[] {
    return this.#index.list();
  }

  /** Stops following the registry. Legal twice. */
  close(): void {
    this.#unwatch();
  }

  #added(handler: Handler): void {
    if (handler.kind !== "command") return;
    try {
      this.#index.add(new Command(handler, this.#pipeline));
    } catch (error) {
      this.#pipeline.forget(handler);
      throw error;
    }
  }

  #removed(handler: Handler): void {
    if (handler.kind !== "command") return;
    this.#index.remove(handler);
    this.#pipeline.forget(handler);
  }

  #denied({ name, info }: Command, run: CommandRun): Reply {
    const text = this.#languages.of(run.locale).denied(info.command, info.roles);
    return { status: "denied", text, data: undefined, command: name };
  }

  #invalid(command: Command, problems: Bound["problems"], run: CommandRun): Reply {
    return invalidReply(problems, command.spec.usage, this.#languages.of(run.locale), command.name);
  }

  // Without async: every promise between a caller and a plain handler costs more than finding the command.
  #call(command: Command, args: unknown, run: CommandRun): Promise<Reply> {
    return command.runner.call(args, run).then(
      (value) => okReply(value, command.name),
      (error: unknown) => this.#failure(command, run, error),
    );
  }

  async #guarded(command: Command, args: unknown, run: CommandRun): Promise<Reply> {
    try {
      const { schema } = command.handler.options;
      const checked = schema ? await check(schema, args, command) : { args, problems: [] };
      if (checked.problems.length > 0) return this.#invalid(command, checked.problems, run);
      run.signal?.throwIfAborted();
      const wait = command.cooldown ? await command.cooldown.take(this.#limits, run) : 0;
      return wait > 0 ? this.#coolingDown(command, run, wait) : await this.#call(command, checked.args, run);
    } catch (error) {
      return this.#failure(command, run, error);
    }
  }

  #coolingDown(command: Command, run: CommandRun, retryAfter: number): Reply {
    command.runner.stats.count("limited");
    const seconds = Math.ceil(retryAfter / 1_000);
    const text = this.#languages.of(run.locale).coolingDown(command.info.command, seconds);
    return { status: "cooling_down", text, data: undefined, command: command.name, retryAfter };
  }

  /** The engine's limits, which all replicas share; without an engine, this process's own. */
  get #limits(): Pick<LocalLimits, "take"> {
    const { limits, clock } = this.#pipeline.environment;
    return limits ?? (this.#ownLimits ??= new LocalLimits(clock));
  }

  /** Says nothing of the error but where to find it; even the caller's own sentences and log may fail here. */
  #failure(command: Command | undefined, run: CommandRun, error: unknown): Reply {
    const handler = command?.name;
    const written = command?.info.command ?? "/help";
    const cancelled = error instanceof CancelledError || run.signal?.aborted === true;
    const status = error instanceof TimeoutError && !cancelled ? "timed_out" : "failed";
    try {
      const messages = this.#languages.of(run.locale);
      const log = this.#log ?? this.#pipeline.environment.log;
      const fields = { handler, id: run.id, status, err: error };
      if (cancelled) log.info(fields, "a command was called off");
      else log.error(fields, "a command failed");
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
}

/** Arguments as they are after the schema: whatever it puts out. */
interface Checked {
  readonly args: unknown;
  readonly problems: Bound["problems"];
}

function bindFound(command: Command, { tokens, from, unclosed }: Found): Bound {
  if (unclosed === undefined) return bind(command.spec, tokens, from);
  return { args: {}, problems: [{ code: "unclosed_quote", argument: "", given: unclosed }] };
}

async function check(schema: StandardSchemaV1, args: unknown, command: Command): Promise<Checked> {
  try {
    return { args: await validate(schema, args, command.info.command), problems: [] };
  } catch (error) {
    // A schema that breaks down is no fault of whoever wrote the command.
    if (!(error instanceof PayloadError)) throw error;
    const problems = error.issues.map(
      ({ path, message }) => ({ code: "schema", argument: path, message }) as const,
    );
    return { args, problems };
  }
}
