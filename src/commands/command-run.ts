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
  readonly headers: Headers | undefined;
  readonly signal: AbortSignal | undefined;
  readonly #source: CommandFrom;
  #id: string | undefined;

  constructor(text: string, source: CommandFrom) {
    this.text = text;
    this.#source = source;
    this.headers = headersOf(source);
    this.signal = source.signal;
  }

  // Made when it is asked for: few runs are, and the reply to a failed one must name the same id as its log lines.
  get id(): string {
    return (this.#id ??= this.#source.id ?? `command-${process.pid.toString(36)}-${(runs++).toString(36)}`);
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
