import type { Headers } from "../context.ts";
import type { CommandCall } from "../handler.ts";
import type { Call } from "../pipeline/handler-context.ts";

/** Who sends a text, from where, and how to call it off. */
export interface CommandFrom {
  readonly user?: string | undefined;
  readonly channel?: string | undefined;
  readonly roles?: readonly string[] | undefined;
  /** The language of the reply: `"zh-CN"`, `"en"`. @default English */
  readonly locale?: string | undefined;
  /** Calls the run off. */
  readonly signal?: AbortSignal | undefined;
  /** The id that the handler sees as `ctx.id`. @default a new one */
  readonly id?: string | undefined;
}

const SOURCES = ["user", "channel", "locale"] as const;
let runs = 0;

/**
 * One text on its way to a handler: what the pipeline is told of the run, and what the cooldown asks of the caller.
 * Handlers see `user`, `channel` and `locale` among `ctx.headers`.
 */
export class CommandRun implements Call, CommandCall {
  readonly text: string;
  readonly signal: AbortSignal | undefined;
  /** The prefix that was written in place of the declared `/`. */
  prefix = "/";
  /** Its caller has repeated the token: it is not asked for again. */
  confirmed = false;
  readonly #source: CommandFrom;
  #id: string | undefined;

  constructor(text: string, source: CommandFrom) {
    this.text = text;
    this.#source = source;
    this.signal = source.signal;
  }

  // Made when it is asked for: few runs are, and the reply to a failed one must name the same id as its log lines.
  get id(): string {
    return (this.#id ??= this.#source.id ?? `command-${process.pid.toString(36)}-${(runs++).toString(36)}`);
  }

  /** Another text of the same caller, which he has confirmed. */
  withConfirmed(text: string): CommandRun {
    const run = new CommandRun(text, this.#source);
    run.confirmed = true;
    return run;
  }

  /** A command, or a usage, as this caller writes it: with his prefix. */
  written(declared: string): string {
    return this.prefix !== "/" && declared.startsWith("/") ? this.prefix + declared.slice(1) : declared;
  }

  // Made when a handler asks for them, which few do.
  get headers(): Headers | undefined {
    return headersOf(this.#source);
  }

  get user(): string | undefined {
    return this.#source.user;
  }

  get channel(): string | undefined {
    return this.#source.channel;
  }

  get roles(): readonly string[] | undefined {
    return this.#source.roles;
  }

  get locale(): string | undefined {
    return this.#source.locale;
  }
}

function headersOf(source: CommandFrom): Headers | undefined {
  let headers: Record<string, string> | undefined;
  for (const name of SOURCES) {
    const value = source[name];
    if (value !== undefined) (headers ??= {})[name] = value;
  }
  return headers;
}
