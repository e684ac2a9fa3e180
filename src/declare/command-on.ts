import type { StandardSchemaV1 } from "@standard-schema/spec";
import { checkCommandOptions } from "../commands/command.ts";
import type { CheckedUsage, UsageArguments } from "../commands/usage-types.ts";
import { parseUsage } from "../commands/usage.ts";
import { DeclarationError } from "../errors.ts";
import type { CommandOptions, OwnTypes } from "../handler.ts";
import { defaultRegistry, type HandlerRegistry } from "../registry.ts";
import { builder, type HandlerBuilder, type HandlerOf } from "./builder.ts";
import { checkOptions } from "./check-options.ts";
import type { Declaration } from "./declaration.ts";

/** Declares a handler of a command; see {@link commandOn}. */
export interface CommandOn {
  <const Usage extends string, S extends StandardSchemaV1>(
    name: string,
    usage: CheckedUsage<Usage>,
    options: BuiltInTypes & { readonly schema: S },
  ): HandlerBuilder<HandlerOf<StandardSchemaV1.InferOutput<S>>>;
  <const Usage extends string>(
    name: string,
    usage: CheckedUsage<Usage>,
    options?: BuiltInTypes,
  ): HandlerBuilder<HandlerOf<UsageArguments<Usage>>>;
  // Apart, without a default for `Own`: the compiler looks at the usage before it knows the types, and must not mind.
  <const Usage extends string, S extends StandardSchemaV1, Own extends OwnTypes>(
    name: string,
    usage: CheckedUsage<Usage, Own>,
    options: WithTypes<Own> & { readonly schema: S },
  ): HandlerBuilder<HandlerOf<StandardSchemaV1.InferOutput<S>>>;
  <const Usage extends string, Own extends OwnTypes>(
    name: string,
    usage: CheckedUsage<Usage, Own>,
    options: WithTypes<Own>,
  ): HandlerBuilder<HandlerOf<UsageArguments<Usage, Own>>>;
}

type BuiltInTypes = CommandOptions & { readonly types?: undefined };
type WithTypes<Own extends OwnTypes> = Omit<CommandOptions, "types"> & { readonly types: Own };

const NO_OPTIONS: CommandOptions = Object.freeze({});

/** Makes the `commandOn` of a registry. */
export function createCommandOn(registry: HandlerRegistry): CommandOn {
  const commandOn = (
    name: string,
    usage: string,
    options: CommandOptions = NO_OPTIONS,
  ): HandlerBuilder<HandlerOf<never>> => builder(registry, declare(name, usage, options), commandOn);
  return commandOn as CommandOn; // the overloads type the same builder by its usage string
}

/**
 * Declares a handler of a text command. Its arguments are typed by the usage string.
 *
 * @param name Unique in the registry.
 * @param usage The command with its prefix and what it takes: `<required>`, `[optional]`, `<id:int>`, `[mode:full|incremental]`,
 *   `[rest...]`, `[--flag]`, `[--for=duration]`, `[--tag=string...]`. Without anything behind the command, handlers get `{ args: string[] }`.
 * @throws {DeclarationError} `COMMAND_PREFIX`, `USAGE_INVALID` and its like; {@link DuplicateHandlerError}.
 * @example
 * commandOn("backup", "/backup [mode:full|incremental] [--dry-run]", { cooldown: "60s" })
 *   .execute(async ({ mode = "incremental", dryRun }) => `${mode} backup${dryRun ? ", not really" : ""}`);
 */
export const commandOn: CommandOn = createCommandOn(defaultRegistry);

function declare(name: string, usage: string, options: CommandOptions): Declaration {
  const what = `commandOn(${JSON.stringify(name)})`;
  if (typeof name !== "string" || name === "") {
    throw new DeclarationError(
      "COMMAND_NAME_INVALID",
      `${what}: give the command's handler a name, such as commandOn("backup", "/backup").`,
    );
  }
  checkOptions(what, options);
  checkCommandOptions(what, options);
  parseUsage(usage, options.types);
  return {
    what,
    name: options.name ?? name,
    fallbackName: name,
    record: { kind: "command", usage, options },
  };
}
