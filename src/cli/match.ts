import type { Command } from "commander";
import { errorFacts } from "../http/problem.ts";
import type { PatternResult } from "../patterns/pattern-dispatcher.ts";
import { lines } from "../sources/lines.ts";
import { CliError } from "./cli-error.ts";
import { outputOf, splitFile, type TargetOptions, withTargetOptions } from "./command-options.ts";
import { EXIT } from "./exit-codes.ts";
import { withApp } from "./one-shot.ts";
import { type Output, paint, showValue } from "./output.ts";
import { Remote } from "./remote.ts";

/** What became of one pattern that matched; the same as from a running app. */
interface Result {
  readonly handler: string;
  readonly status: string;
  /** Null where the handler returned nothing. */
  readonly value: unknown;
  readonly error?: { readonly message: string };
}

type Match = (text: string) => Promise<readonly Result[]>;

/** `match`: runs the handlers of the patterns that match a text, or each line of standard input. */
export function addMatch(program: Command): void {
  withTargetOptions(program.command("match"))
    .summary("run the handlers of the patterns that match a text, or each line of standard input")
    .description(
      "Runs the handlers of all patterns that match a text, and prints what they return. Without a text, or with -, each\n" +
        "line of standard input is a text; with --json there is then a line of JSON for each that matched.",
    )
    .usage("[options] <FILE | --url URL> [TEXT... | -]")
    .argument("[words...]", "the file, and the text")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

const EXAMPLES = `
Examples:
  decorator-framework match src/app.ts 'ERROR disk full'
  tail -n 1000 /var/log/auth.log | decorator-framework match src/app.ts
  decorator-framework match --url http://localhost:8080 --json - < app.log
`;

async function run(words: readonly string[], options: TargetOptions, command: Command): Promise<void> {
  const output = outputOf(command);
  const { file, args } = splitFile(words, options, "[TEXT]");
  const text = args.length === 0 || (args.length === 1 && args[0] === "-") ? undefined : args.join(" ");
  const use = (match: Match): Promise<number> =>
    text === undefined ? matchLines(match, output) : matchText(text, match, output);
  const failed =
    file === undefined
      ? await use(remoteMatch(new Remote(options.url ?? "", options)))
      : await withApp(file, output, (app) => use(async (line) => (await app.match(line)).map(resultOf)));
  if (failed === 0) return;
  throw new CliError(
    EXIT.failed,
    "HANDLERS_FAILED",
    failed === 1 ? "One handler failed." : `${failed} runs of handlers failed.`,
  );
}

function resultOf({ handler, status, value, error }: PatternResult): Result {
  return { handler, status, value: value ?? null, ...(error !== undefined && { error: errorFacts(error) }) };
}

function remoteMatch(remote: Remote): Match {
  return async (content) => {
    const reply = await remote.ask("/match", { body: { value: { content } } });
    return (reply as { results: readonly Result[] }).results; // what the app promises
  };
}

/** @returns how many handlers failed. */
async function matchText(text: string, match: Match, output: Output): Promise<number> {
  const results = await match(text);
  if (output.json) await output.data({ results });
  else if (results.length === 0) await output.line("no pattern matches");
  for (const result of output.json ? [] : results) await output.line(resultLine(result));
  return results.filter(isFailed).length;
}

/** One line after the other: the next is read when the handlers of this one are done. */
async function matchLines(match: Match, output: Output): Promise<number> {
  let failed = 0;
  for await (const line of lines(process.stdin)) {
    const results = await match(line);
    if (results.length === 0) continue;
    failed += results.filter(isFailed).length;
    if (output.json) await output.data({ content: line, results });
    else for (const result of results) await output.line(resultLine(result));
  }
  return failed;
}

function isFailed({ status }: Result): boolean {
  return status !== "ok";
}

function resultLine({ handler, status, value, error }: Result): string {
  const name = paint("bold", handler);
  if (status === "ok") return `${name}: ${showValue(value)}`;
  return `${name}: ${paint("red", status)}${error === undefined ? "" : `: ${error.message}`}`;
}
