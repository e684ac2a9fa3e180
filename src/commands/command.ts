import { DeclarationError } from "../errors.ts";
import type { CommandCall, CommandHandler, CommandOptions } from "../handler.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { Runner } from "../pipeline/runner.ts";
import { type CallLimit, callLimits } from "./call-limit.ts";
import { confirmation, type Confirmation } from "./confirmation.ts";
import { parseUsage, type UsageSpec } from "./usage.ts";
import { checkOwnTypes } from "./value-types.ts";

/** A command as lists and completion see it. */
export interface CommandInfo {
  /** The handler's name. */
  readonly name: string;
  /** As it is called: `/db migrate`. */
  readonly command: string;
  readonly usage: string;
  readonly description: string | undefined;
  readonly aliases: readonly string[];
  /** Empty when everybody may. */
  readonly roles: readonly string[];
  readonly hidden: boolean;
  /** Milliseconds between two uses, if that is limited. */
  readonly cooldown: number | undefined;
  /** How many uses there may be in how many milliseconds, if that is limited. */
  readonly rateLimit: { readonly limit: number; readonly per: number } | undefined;
  /** Whether it may ask to be confirmed. */
  readonly confirm: boolean;
}

/**
 * A handler of a command with what is worked out of it. What only calls and lists need is made at the first of them:
 * registering thousands of commands must cost next to nothing.
 */
export class Command {
  readonly handler: CommandHandler;
  readonly name: string;
  readonly spec: UsageSpec;
  readonly limits: readonly CallLimit[];
  readonly confirmation: Confirmation | undefined;
  /** Nothing stands between a text and the handler: no roles, no schema, no limits, nothing to confirm. */
  readonly plain: boolean;
  readonly #pipeline: Pipeline;
  #runner: Runner | undefined;
  #info: CommandInfo | undefined;

  /** @throws {DeclarationError} see {@link parseUsage} and {@link checkCommandOptions}. */
  constructor(handler: CommandHandler, pipeline: Pipeline) {
    const { name, usage, options } = handler;
    this.handler = handler;
    this.name = name;
    this.spec = parseUsage(usage, options.types);
    checkCommandOptions(`The command of "${name}"`, options);
    this.limits = callLimits(name, options);
    this.confirmation = confirmation(options, `"${name}"`);
    this.plain = !options.roles && !options.schema && this.limits.length === 0 && !this.confirmation;
    this.#pipeline = pipeline;
  }

  get runner(): Runner {
    return (this.#runner ??= this.#pipeline.runner(this.handler));
  }

  /** As lists show it. */
  get info(): CommandInfo {
    return (this.#info ??= infoOf(this));
  }

  /** The words it can be called by, its own first. */
  get calledBy(): readonly (readonly string[])[] {
    const { aliases } = this.handler.options;
    const { words } = this.spec;
    return aliases ? [words, ...aliases.map((alias) => parseUsage(alias).words)] : [words];
  }
}

/** Whether somebody with these roles may use a command. */
export function mayUse({ roles }: CommandInfo, { roles: has = [] }: Pick<CommandCall, "roles">): boolean {
  if (roles.length === 0) return true;
  // A front without types may give one text, of which a role could be a part.
  return Array.isArray(has) && roles.some((role) => has.includes(role));
}

/**
 * Checks the options that only commands have.
 *
 * @param what The declaration, for the error's text.
 * @throws {DeclarationError} `ALIAS_INVALID`, `ROLES_INVALID`, `COOLDOWN_INVALID`, `RATE_LIMIT_INVALID`, `DURATION_INVALID`,
 * `COMMAND_TYPE_INVALID`, `OPTION_INVALID`, and those of {@link parseUsage}.
 */
export function checkCommandOptions(what: string, options: CommandOptions): void {
  callLimits("", options, what);
  confirmation(options, what);
  if (options.types !== undefined) checkOwnTypes(what, options.types);
  if (options.audit !== undefined && typeof options.audit !== "boolean" && options.audit !== "text") {
    throw new DeclarationError("OPTION_INVALID", `${what}: audit is true, false or "text".`);
  }
  for (const alias of listed(what, "aliases", "ALIAS_INVALID", options.aliases)) {
    if (!parseUsage(alias).bare) {
      const remedy = "An alias is the command's words alone, such as";
      throw new DeclarationError(
        "ALIAS_INVALID",
        `${what}: the alias "${alias}" has arguments. ${remedy} "/bk".`,
      );
    }
  }
  // An empty list would let everybody in, which is the last thing its author means.
  const roles = listed(what, "roles", "ROLES_INVALID", options.roles);
  if (options.roles && roles.length === 0) {
    throw new DeclarationError(
      "ROLES_INVALID",
      `${what}: roles is empty. Name a role, or leave the option out.`,
    );
  }
}

const NONE: readonly string[] = [];

function listed(
  what: string,
  option: string,
  code: string,
  value: readonly string[] | undefined,
): readonly string[] {
  if (value === undefined) return NONE;
  if (Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "")) return value;
  throw new DeclarationError(code, `${what}: ${option} is a list of texts, such as ["…"].`);
}

function infoOf({ handler, spec, limits, confirmation: asks }: Command): CommandInfo {
  const { name, usage, options } = handler;
  const rate = limits.find(({ kind }) => kind === "rateLimit");
  return {
    name,
    command: spec.words.join(" "),
    usage,
    description: options.description,
    aliases: options.aliases ?? [],
    roles: options.roles ?? [],
    hidden: options.hidden ?? false,
    cooldown: limits.find(({ kind }) => kind === "cooldown")?.window,
    rateLimit: rate && { limit: rate.limit, per: rate.window },
    confirm: asks !== undefined,
  };
}
