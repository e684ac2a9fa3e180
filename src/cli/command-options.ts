import { existsSync } from "node:fs";
import type { Command } from "commander";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-codes.ts";
import { Output, type OutputOptions } from "./output.ts";

/** The options that every command has. */
export type CommonOptions = Partial<OutputOptions>;

/** The options of commands that may be sent to a running app. */
export interface TargetOptions extends CommonOptions {
  readonly url?: string;
  readonly token?: string;
  readonly timeout?: string;
}

/** Gives a command the options that every command has. */
export function withCommonOptions(command: Command): Command {
  return command
    .option("--json", "print JSON for programs; errors as JSON on standard error")
    .option("--verbose", "show the stacks of errors");
}

/** Gives a command the options that send it to a running app. */
export function withTargetOptions(command: Command): Command {
  return withCommonOptions(command)
    .option("--url <url>", "ask the app that runs at this address, instead of starting FILE")
    .option("--token <token>", "the token for --url (or the environment's API_TOKEN)")
    .option("--timeout <duration>", "how long to wait for an answer of --url", "30s");
}

/** What a command prints with. */
export function outputOf(command: Command): Output {
  const { json = false, verbose = false } = command.optsWithGlobals<CommonOptions>();
  return new Output({ json, verbose: verbose || Boolean(process.env["DEBUG"]) });
}

/**
 * Takes FILE off the arguments of a command, unless the command goes to `--url`.
 * @param rest The names of the other arguments, as the help shows them.
 * @throws {CliError} when neither is given, or both are.
 */
export function splitFile(
  args: readonly string[],
  { url }: TargetOptions,
  rest: string,
): { file: string | undefined; args: readonly string[] } {
  const [file, ...others] = args;
  if (url !== undefined) {
    if (file !== undefined && /\.[cm]?[jt]sx?$/.test(file) && existsSync(file)) throw notBoth(file);
    return { file: undefined, args };
  }
  if (file !== undefined) return { file, args: others };
  const behind = rest === "" ? "" : ` ${rest}`;
  throw new CliError(
    EXIT.usage,
    "MISSING_ARGUMENT",
    `Give the file that declares the handlers: FILE${behind}, or the address of a running app: --url http://localhost:8080${behind}.`,
  );
}

function notBoth(file: string): CliError {
  const message = `--url asks an app that runs, and starts no file: leave out ${file}, or --url.`;
  return new CliError(EXIT.usage, "EXCESS_ARGUMENTS", message);
}

/** @throws {CliError} when arguments are missing or too many. */
export function needArguments(
  args: readonly string[],
  names: readonly string[],
  optional: number,
): readonly string[] {
  const missing = names.slice(0, names.length - optional)[args.length];
  if (missing !== undefined) {
    throw new CliError(EXIT.usage, "MISSING_ARGUMENT", `${missing} is missing. See --help.`);
  }
  if (args.length <= names.length) return args;
  throw new CliError(
    EXIT.usage,
    "EXCESS_ARGUMENTS",
    `${JSON.stringify(args[names.length])} is one argument too many. Arguments with blanks, such as JSON, stand in single quotes.`,
  );
}
