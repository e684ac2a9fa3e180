import { Command, CommanderError } from "commander";
import { version } from "../version.ts";
import { CliError } from "./cli-error.ts";
import { addCommand } from "./command.ts";
import { withCommonOptions } from "./command-options.ts";
import { addConfig } from "./config.ts";
import { addConsole } from "./console.ts";
import { addDeadLetters } from "./dead-letters.ts";
import { addDev } from "./dev.ts";
import { addDoctor } from "./doctor.ts";
import { EXIT, EXIT_CODES_HELP, exitCodeOf } from "./exit-codes.ts";
import { addList } from "./list.ts";
import { addMatch } from "./match.ts";
import { addCancel, addMessages } from "./messages.ts";
import { printError, ReaderGone } from "./output.ts";
import { addPublish } from "./publish.ts";
import { addSchedules } from "./schedules.ts";
import { addStart } from "./start.ts";
import { addInstances, addSubscriptions } from "./subscriptions.ts";
import { addTransfer } from "./transfer.ts";
import { addTrigger } from "./trigger.ts";

/** Runs the program with the words of a command line, and ends the process. */
export async function run(args: readonly string[]): Promise<void> {
  let code: number = EXIT.ok;
  let unwritten: NodeJS.ErrnoException | undefined;
  process.stdout.on("error", (error) => (unwritten ??= error));
  // Nobody who could be told.
  process.stderr.on("error", () => {});
  try {
    if (args.length === 0) createProgram().help({ error: true });
    await createProgram().parseAsync(args, { from: "user" });
  } catch (error) {
    code = fail(error, args);
  }
  // What a file has left running (timers, pools) must not keep the process; what was printed must have gone out.
  await new Promise<void>((resolve) => void process.stdout.write("", () => resolve()));
  // A reader that has seen enough (`| head`) is no error; a full disk is.
  if (unwritten && unwritten.code !== "EPIPE" && code === EXIT.ok) {
    const message = `Standard output cannot be written to (${unwritten.message}): what was printed is not complete.`;
    code = fail(new CliError(EXIT.failed, "OUTPUT_FAILED", message, { cause: unwritten }), args);
  }
  process.exit(code);
}

/** The program with all of its commands. */
export function createProgram(): Command {
  const program = new Command("decorator-framework");
  withCommonOptions(program)
    .description("Runs, and talks to, apps of event, time, command and pattern handlers.")
    .version(version, "--version", "print the version")
    .helpOption("-h, --help", "show help; decorator-framework help COMMAND has the details")
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .configureOutput({ outputError: () => {} })
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .exitOverride()
    .addHelpText("after", EXIT_CODES_HELP + EXAMPLES);
  for (const add of COMMANDS) add(program);
  return program;
}

const COMMANDS: readonly ((program: Command) => void)[] = [
  addStart,
  addDev,
  addList,
  addTrigger,
  addPublish,
  addCommand,
  addConsole,
  addMatch,
  addDeadLetters,
  addMessages,
  addCancel,
  addSubscriptions,
  addInstances,
  addSchedules,
  addTransfer,
  addConfig,
  addDoctor,
];

const EXAMPLES = `
Examples:
  decorator-framework start src/app.ts
  decorator-framework trigger src/app.ts user.registered '{"email":"ann@example.com"}'
  decorator-framework command --url http://localhost:8080 /help
`;

/** Says what went wrong, and gives the exit code. */
function fail(error: unknown, args: readonly string[]): number {
  if (error instanceof ReaderGone) return EXIT.ok;
  const code = exitCodeOf(error);
  const isHelp = error instanceof CommanderError && error.message === "(outputHelp)";
  if (code !== EXIT.ok && !isHelp) {
    const own = args.slice(0, args.includes("--") ? args.indexOf("--") : undefined);
    const verbose = own.includes("--verbose") || Boolean(process.env["DEBUG"]);
    printError(error, { json: own.includes("--json"), verbose });
  }
  return code;
}
