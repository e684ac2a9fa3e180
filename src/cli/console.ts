import type { Command } from "commander";
import type { App } from "../app.ts";
import { readConfig } from "../config.ts";
import { collect, refuseRoles, type ReplyFacts } from "./command.ts";
import {
  needArguments,
  outputOf,
  splitFile,
  type TargetOptions,
  withTargetOptions,
} from "./command-options.ts";
import { ConsoleSession } from "./console-session.ts";
import { withApp } from "./one-shot.ts";
import { Remote } from "./remote.ts";

interface ConsoleFlags extends TargetOptions {
  readonly user?: string;
  readonly channel?: string;
  readonly locale?: string;
  readonly role?: readonly string[];
  readonly roles?: string;
}

/** `console`: text commands, one after the other. */
export function addConsole(program: Command): void {
  withTargetOptions(program.command("console"))
    .summary("run text commands one after the other, with history and completion")
    .description(
      "Takes text commands line by line. On a terminal Tab completes, the arrow keys go through what was written before (also\n" +
        "in earlier sessions), Ctrl-C calls off what runs, and Ctrl-D leaves. Where standard input is no terminal each line of it is\n" +
        "a command, blank lines and remarks (# ...) left out, and the exit code tells whether all of them were ok.",
    )
    .usage("[options] <FILE | --url URL>")
    .argument("[words...]", "the file")
    .option("--user <name>", "who says it")
    .option("--channel <name>", "where it is said")
    .option("--locale <locale>", "the language of the replies: en, zh (LOCALE unless told)")
    .option(
      "--role <role>",
      "a role of whoever says it; may be given several times (not with --url)",
      collect,
      [],
    )
    .option("--roles <roles>", "the same as a list: operate,moderator")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

const EXAMPLES = `
Examples:
  decorator-framework console src/app.ts --user ann --roles operate,moderator
  decorator-framework console --url http://localhost:8080 --token "$API_TOKEN"
  printf '/add 1 2\\n/backup full\\n' | decorator-framework console src/app.ts --json
`;

async function run(words: readonly string[], flags: ConsoleFlags, command: Command): Promise<void> {
  const output = outputOf(command);
  const { file, args } = splitFile(words, flags, "");
  needArguments(args, [], 0);
  const roles = [...(flags.role ?? []), ...(flags.roles ?? "").split(",")]
    .map((role) => role.trim())
    .filter(Boolean);
  const { user, channel, locale } = flags;
  if (file === undefined) {
    refuseRoles(roles);
    const remote = new Remote(flags.url ?? "", flags);
    const session = new ConsoleSession(output, async (text, signal) => {
      const value = { text, user, channel, locale };
      return (await remote.ask("/commands", { body: { value }, signal })) as ReplyFacts; // as promised
    });
    return session.run();
  }
  const from = { user, channel, roles, locale: locale ?? readConfig().locale };
  await withApp(file, output, (app: App) =>
    new ConsoleSession(output, (text, signal) => app.handle(text, { ...from, signal })).run(),
  );
}
