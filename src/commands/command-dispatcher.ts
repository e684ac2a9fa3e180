import type { StandardSchemaV1 } from "@standard-schema/spec";
import { PayloadError } from "../errors.ts";
import type { CommandCall, Handler } from "../handler.ts";
import type { Logger } from "../log.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import { defaultRegistry, type HandlerRegistry } from "../registry.ts";
import { validate } from "../schema.ts";
import { bind, type Bound } from "./bind.ts";
import { takeAll, type UseCounter } from "./call-limit.ts";
import { CommandIndex, CONFIRM, type Found } from "./command-index.ts";
import { CommandRun, type CommandFrom } from "./command-run.ts";
import { Command, type CommandInfo, mayUse } from "./command.ts";
import { ask, LocalPending, type PendingStore, redeem } from "./confirmation.ts";
import { Help } from "./help.ts";
import type { MessagesByLanguage } from "./languages.ts";
import { LocalLimits } from "./local-limits.ts";
import { prefixesOf, type PrefixOption } from "./prefixes.ts";
import { Replies } from "./replies.ts";
import { okReply, type Reply } from "./reply.ts";

export type { CommandFrom };

/** How commands are written and answered. */
export interface CommandSettings {
  /** What is written in place of the `/` of a usage: one prefix, several, or a function of the call, for a prefix of each channel's own. @default "/" */
  readonly prefix?: PrefixOption;
  /** Sentences of replies in other words, or in other languages. */
  readonly messages?: MessagesByLanguage;
}

/** Options of a {@link CommandDispatcher}. */
export interface CommandDispatcherOptions extends CommandSettings {
  /** Whose handlers it runs. @default the registry of module-level `commandOn` */
  readonly registry?: HandlerRegistry;
  /** @default one of its own, without an engine: cooldowns count in this process alone */
  readonly pipeline?: Pipeline;
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
  readonly #help = new Help(this.#index);
  readonly #replies: Replies;
  readonly #prefixes: ((call: CommandCall) => readonly string[]) | undefined;
  readonly #unwatch: () => void;
  #ownLimits: LocalLimits | undefined;
  #ownPending: LocalPending | undefined;

  /** @throws {DeclarationError} when the registry already holds commands that cannot stand beside each other, or `prefix` is none. */
  constructor(options: CommandDispatcherOptions = {}) {
    this.#pipeline = options.pipeline ?? new Pipeline();
    this.#prefixes = options.prefix === undefined ? undefined : prefixesOf(options.prefix);
    this.#replies = new Replies(this.#pipeline.environment, options.messages, options.log);
    this.#unwatch = (options.registry ?? defaultRegistry).watch({
      added: (handler) => this.#added(handler),
      removed: (handler) => this.#removed(handler),
    });
  }

  /**
   * Answers a text. It never rejects: whatever goes wrong is a {@link Reply} whose text may be shown to anybody.
   *
   * What a call goes through, in this order: the command is found, the caller's roles, the arguments, the schema, the
   * confirmation, the limits, the handler. A call that is refused on the way costs nothing; one whose handler fails has
   * been a use.
   */
  handle(text: string, from?: CommandFrom): Promise<Reply> {
    return this.#answer(new CommandRun(text, from ?? NOBODY));
  }

  #answer(run: CommandRun): Promise<Reply> {
    let command: Command | undefined;
    try {
      const found = this.#find(run);
      if (!found) return NOT_A_COMMAND;
      ({ command } = found);
      if (!command) return this.#builtIn(found, run);
      if (!this.#replies.audits) return this.#run(command, found, run);
      const { clock } = this.#pipeline.environment;
      const start = clock.elapsed();
      return this.#audited(command, run, this.#run(command, found, run), start);
    } catch (error) {
      return Promise.resolve(this.#replies.failure(command, run, error));
    }
  }

  #find(run: CommandRun): Found | undefined {
    if (typeof run.text !== "string") return undefined;
    const found = this.#index.find(run.text, this.#prefixes?.(run));
    if (found) run.prefix = found.prefix;
    return found;
  }

  #run(command: Command, found: Found, run: CommandRun): Promise<Reply> {
    if (!command.plain && !mayUse(command.info, run)) {
      return Promise.resolve(this.#replies.denied(command, run));
    }
    const { args, problems } = bindFound(command, found, run.text);
    if (problems.length > 0) return Promise.resolve(this.#replies.invalid(command, problems, run));
    return command.plain ? this.#call(command, args, run) : this.#guarded(command, args, run);
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

  /** `/help` and `/confirm`, unless a handler has taken their words. */
  #builtIn(found: Found, run: CommandRun): Promise<Reply> {
    if (this.#index.asks && found.word.toLowerCase() === CONFIRM) return this.#confirm(found, run);
    return Promise.resolve(this.#help.answer(found, run, this.#replies.in(run)));
  }

  async #confirm({ tokens: [token] }: Found, run: CommandRun): Promise<Reply> {
    try {
      const { clock } = this.#pipeline.environment;
      const text = token && (await redeem(this.#pending, clock, run, token.text));
      if (text !== undefined) return await this.#answer(run.withConfirmed(text));
      // Whoever tries tokens is to be seen.
      const { id, user, channel } = run;
      this.#replies.log.warn({ id, user, channel }, "a confirmation that nothing waits for");
      return this.#replies.nothingToConfirm(run);
    } catch (error) {
      return this.#replies.failure(undefined, run, error);
    }
  }

  // Every promise between a caller and a plain handler costs more than finding the command: there is this one.
  async #call(command: Command, args: unknown, run: CommandRun): Promise<Reply> {
    const { runner } = command;
    const bare = runner.goesBare(run) ? runner.context(args, run) : undefined;
    let value: unknown;
    try {
      value = await (bare ? runner.run(args, bare) : runner.call(args, run));
    } catch (error) {
      if (bare) runner.endedBadly(bare, error);
      return this.#replies.failure(command, run, error);
    }
    if (bare) runner.endedWell(bare, value);
    return okReply(value, command.name);
  }

  async #guarded(command: Command, args: unknown, run: CommandRun): Promise<Reply> {
    try {
      const { schema } = command.handler.options;
      const checked = schema ? await check(schema, args, command) : { args, problems: [] };
      if (checked.problems.length > 0) return this.#replies.invalid(command, checked.problems, run);
      run.signal?.throwIfAborted();
      const asked = await this.#asks(command, checked.args, run);
      return asked ?? (await this.#limited(command, run)) ?? (await this.#call(command, checked.args, run));
    } catch (error) {
      return this.#replies.failure(command, run, error);
    }
  }

  /** The question to a call that has to be confirmed first. */
  async #asks(command: Command, args: unknown, run: CommandRun): Promise<Reply | undefined> {
    const { confirmation } = command;
    if (!confirmation || run.confirmed || !confirmation.when(args, run)) return undefined;
    const { within } = confirmation;
    const token = await ask(this.#pending, this.#pipeline.environment.clock, run, within);
    return this.#replies.confirmationNeeded(command, { token, within }, run);
  }

  /** The refusal of a call that comes too soon; undefined when it was counted. */
  async #limited(command: Command, run: CommandRun): Promise<Reply | undefined> {
    const { limits, name, runner } = command;
    if (limits.length === 0) return undefined;
    let down: unknown;
    try {
      const refusal = await takeAll(limits, this.#limits, run, ({ kind, whenDown }, error) => {
        down = error;
        this.#replies.log.error(
          { handler: name, err: error, whenDown },
          `the ${kind} of a command could not be asked`,
        );
      });
      if (!refusal) return undefined;
      runner.stats.count("limited");
      return this.#replies.tooSoon(command, refusal, run);
    } catch (error) {
      // The user's own `by` may throw as well: that is a failure of the command.
      if (error !== down) throw error;
      return this.#replies.unavailable(command, run, error);
    }
  }

  async #audited(command: Command, run: CommandRun, answer: Promise<Reply>, start: number): Promise<Reply> {
    const reply = await answer;
    try {
      this.#replies.audit(command, run, reply, this.#pipeline.environment.clock.elapsed() - start);
    } catch {
      // A log that fails must not take the reply from whoever waits for it.
    }
    return reply;
  }

  /** The engine's limits, which all replicas share; without an engine, this process's own. */
  get #limits(): UseCounter {
    const { limits, clock } = this.#pipeline.environment;
    return limits ?? (this.#ownLimits ??= new LocalLimits(clock));
  }

  get #pending(): PendingStore {
    return this.#pipeline.environment.state ?? (this.#ownPending ??= new LocalPending());
  }
}

/** Arguments as they are after the schema: whatever it puts out. */
interface Checked {
  readonly args: unknown;
  readonly problems: Bound["problems"];
}

/** In UTF-16 units: a question that is to be confirmed is stored, and a reply repeats parts of what was written. */
const LONGEST_TEXT = 16_384;

function bindFound(command: Command, { tokens, from, unclosed }: Found, text: string): Bound {
  if (text.length > LONGEST_TEXT)
    return { args: {}, problems: [{ code: "too_long", argument: "", most: LONGEST_TEXT }] };
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
