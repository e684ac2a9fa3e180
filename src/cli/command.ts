import type { Command } from "commander";
import type { Reply } from "../commands/reply.ts";
import { readConfig } from "../config.ts";
import { quote } from "../commands/tokenize.ts";
import { CliError } from "./cli-error.ts";
import { outputOf, splitFile, type TargetOptions, withTargetOptions } from "./command-options.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { withApp } from "./one-shot.ts";
import { Remote } from "./remote.ts";

interface CommandFlags extends TargetOptions {
  readonly user?: string;
  readonly channel?: string;
  readonly locale?: string;
  readonly role?: readonly string[];
}

/** The reply's JSON: what of a {@link Reply} may be told. */
export type ReplyFacts = Omit<Reply, "error">;

/** `command`: says a text command to the app. */
export function addCommand(program: Command): void {
  withTargetOptions(program.command("command"))
    .summary("run a text command, such as /help")
    .description(
      "Gives a text command to the app, and prints the reply. Options that are not listed here belong to the command;\n" +
        "write the command in quotes, or behind --, when it has an option of the same name.",
    )
    .usage("[options] <FILE | --url URL> TEXT...")
    .argument("[words...]", "the file, and the command")
    .option("--user <name>", "who says it")
    .option("--channel <name>", "where it is said")
    .option("--locale <locale>", "the language of the reply: en, zh")
    .option(
      "--role <role>",
      "a role of whoever says it; may be given several times (not with --url)",
      collect,
      [],
    )
    .allowUnknownOption()
    .addHelpText("after", EXAMPLES)
    .action(run);
}

const EXAMPLES = `
Examples:
  decorator-framework command src/app.ts /help
  decorator-framework command src/app.ts /backup full --dry-run
  decorator-framework command src/app.ts '/say "hello world"' --user alice --json
  decorator-framework command --url http://localhost:8080 /backup full
`;

async function run(words: readonly string[], flags: CommandFlags, command: Command): Promise<void> {
  const output = outputOf(command);
  const { file, args } = splitFile(words, flags, "TEXT");
  const text = textOf(args);
  const { user, channel, locale, role: roles = [] } = flags;
  const from = { user, channel, locale };
  const reply: ReplyFacts =
    file === undefined
      ? await askRemotely(flags, { text, ...from })
      : await withApp(file, output, (app) =>
          app.handle(text, { ...from, roles, locale: locale ?? readConfig().locale }),
        );
  if (output.json) await output.data(reply);
  else if (reply.status === "ok") await output.line(reply.text);
  if (reply.status !== "ok") throw notOk(reply, text);
}

async function askRemotely(flags: CommandFlags, value: object): Promise<ReplyFacts> {
  refuseRoles(flags.role ?? []);
  return (await new Remote(flags.url ?? "", flags).ask("/commands", { body: { value } })) as ReplyFacts; // as promised
}

/** @throws {CliError} `ROLE_REFUSED` when roles are claimed of a running app. */
export function refuseRoles(roles: readonly string[]): void {
  if (roles.length === 0) return;
  throw new CliError(
    EXIT.usage,
    "ROLE_REFUSED",
    "--role is for FILE: with --url the token says which roles you have.",
  );
}

/** One word is the command as it was written; of several the shell has taken the quotes off, which are put back. */
function textOf(words: readonly string[]): string {
  const [first, ...others] = words;
  if (first === undefined)
    throw new CliError(EXIT.usage, "MISSING_ARGUMENT", "TEXT is missing: the command, such as /help.");
  return others.length === 0 ? first : [first, ...others.map(quoteWhereNeeded)].join(" ");
}

function quoteWhereNeeded(word: string): string {
  return word.startsWith("--") && !/\s/.test(word) ? word : quote(word);
}

/** What a reply that is not ok is told as, and the exit code that it stands for. */
export function notOk({ status, text }: ReplyFacts, written: string): CliError {
  const message =
    text ||
    `${JSON.stringify(written)} is not a command. Commands begin with a prefix, such as /help, which lists them.`;
  const code = status === "not_a_command" ? "NOT_A_COMMAND" : `COMMAND_${status.toUpperCase()}`;
  return new CliError(exitCodeOf(status), code, message);
}

function exitCodeOf(status: Reply["status"]): ExitCode {
  return status === "unknown" || status === "not_a_command" || status === "invalid"
    ? EXIT.usage
    : EXIT.failed;
}

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
