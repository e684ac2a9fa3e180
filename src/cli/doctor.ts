import type { Command } from "commander";
import { CliError } from "./cli-error.ts";
import {
  needArguments,
  outputOf,
  splitFile,
  type TargetOptions,
  withTargetOptions,
} from "./command-options.ts";
import { EXIT } from "./exit-codes.ts";
import { withApp } from "./one-shot.ts";
import { type Output, paint } from "./output.ts";
import type { Problem } from "../problems.ts";
import { Remote } from "./remote.ts";
import { RemoteOperating } from "./remote-operating.ts";
import { noRows } from "./rows.ts";
import { cell } from "../text-for-people.ts";

/** `doctor`: looks for what is wrong with an app though it runs. */
export function addDoctor(program: Command): void {
  withTargetOptions(program.command("doctor"))
    .summary("look for what is wrong with an app though it runs")
    .description(
      "Looks at what a file or a running app declares, and at what the engine has stored of it: slow and risky patterns,\n" +
        "declarations that come to nothing, subscriptions and timers whose code is gone, timers that replicas declare\n" +
        "differently, an engine that does not answer. Ends with 1 when it finds anything. No handler is run.",
    )
    .usage("[options] <FILE | --url URL>")
    .argument("[words...]", "the file")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

const EXAMPLES = `
Examples:
  decorator-framework doctor src/app.ts
  decorator-framework doctor src/app.ts --json
  decorator-framework doctor --url http://localhost:8080
`;

async function run(words: readonly string[], options: TargetOptions, command: Command): Promise<void> {
  const output = outputOf(command);
  const { file, args } = splitFile(words, options, "");
  needArguments(args, [], 0);
  const problems =
    file === undefined
      ? await new RemoteOperating(new Remote(options.url ?? "", options)).problems()
      : await withApp(file, output, (app) => app.operations.problems());
  await show(problems, output);
  if (problems.length === 0) return;
  const count = problems.length === 1 ? "One problem was" : `${problems.length} problems were`;
  throw new CliError(EXIT.failed, "PROBLEMS_FOUND", `${count} found.`);
}

async function show(problems: readonly Problem[], output: Output): Promise<void> {
  if (output.json) return output.data({ problems });
  if (problems.length === 0) return noRows(output, "No problems.");
  for (const { kind, name, problem, site } of problems) {
    const where = site === undefined ? "" : paint("dim", ` (${site})`);
    await output.line(`${kind} ${paint("bold", cell(name))}${where}\n  ${problem}`);
  }
}
