import { type Command, Option } from "commander";
import { DELIVERY_STATES, MOST_ROWS } from "../http/operation-inputs.ts";
import type { MessageView } from "../operations.ts";
import { CliError } from "./cli-error.ts";
import { type TargetOptions, withCommonOptions, withTargetOptions } from "./command-options.ts";
import { EXIT } from "./exit-codes.ts";
import { operate } from "./operating.ts";
import { noRows, numberOf, tableOf } from "./rows.ts";
import { lastError, showMessage } from "./show-delivery.ts";
import { ago, cell, counted } from "../text-for-people.ts";

interface Flags extends TargetOptions {
  readonly handler?: string;
  readonly event?: string;
  /** commander lets nothing else pass. */
  readonly state?: (typeof DELIVERY_STATES)[number];
  readonly limit?: string;
}

/** `messages`: what waits and runs. */
export function addMessages(program: Command): void {
  const group = withCommonOptions(program.command("messages"))
    .summary("look at the messages that wait or run")
    .description(
      "Looks at the messages that are not done. FILE is the app's file; its app is not started to work, only to reach its\n" +
        "engine. With --url the running app is asked.",
    )
    .addHelpText("after", EXAMPLES);
  withTargetOptions(group.command("list"))
    .summary("list what waits and runs, the oldest first")
    .usage("[options] <FILE | --url URL>")
    .argument("[words...]", "the file")
    .option("--handler <name>", "for this handler")
    .option("--event <name>", "of this event")
    .addOption(new Option("--state <state>", "in this state").choices(DELIVERY_STATES))
    .option("--limit <number>", "how many at the most", "100")
    .action(list);
  withTargetOptions(group.command("show"))
    .summary("show one, for all of its handlers, with payload, headers, steps and errors")
    .usage("[options] <FILE | --url URL> ID")
    .argument("[words...]", "the file, and the message's id")
    .action(show);
}

/** `cancel`: calls a message off. */
export function addCancel(program: Command): void {
  withTargetOptions(program.command("cancel"))
    .summary("call a message off, also where it runs")
    .description(
      "Calls a message off: what waits is removed; what runs is aborted, on whichever replica it runs, and not tried again.",
    )
    .usage("[options] <FILE | --url URL> ID")
    .argument("[words...]", "the file, and the message's id")
    .option("--handler <name>", "only for this handler")
    .addHelpText("after", CANCEL_EXAMPLES)
    .action(cancel);
}

const EXAMPLES = `
Examples:
  decorator-framework messages list src/app.ts --state running
  decorator-framework messages show --url http://localhost:8080 360b9741-1 --json
`;
const CANCEL_EXAMPLES = `
Examples:
  decorator-framework cancel src/app.ts 360b9741-1
  decorator-framework cancel --url http://localhost:8080 360b9741-1 --handler ship
`;

function list(words: readonly string[], flags: Flags, command: Command): Promise<void> {
  const { handler, event, state } = flags;
  const limit = numberOf("--limit", flags.limit, MOST_ROWS);
  return operate(words, flags, command, { names: [] }, async ({ operating, output }) => {
    const rows = await operating.messages({ handler, event, state, limit });
    if (output.json) return output.data({ messages: rows });
    if (rows.length === 0) return noRows(output, "No messages wait or run.");
    await tableOf(output, {
      id: rows.map(({ id }) => id),
      handler: rows.map((row) => cell(row.handler)),
      event: rows.map((row) => cell(row.event)),
      state: rows.map((row) => row.state),
      attempt: rows.map(({ attempt }) => String(attempt)),
      published: rows.map(({ publishedAt }) => ago(publishedAt)),
      due: rows.map((row) => (row.state === "waiting" ? ago(row.due) : "-")),
      "last error": rows.map((row) => cell(lastError(row))),
    });
    if (rows.length === limit) await noRows(output, `The oldest ${limit}. --limit shows more.`);
  });
}

function show(words: readonly string[], flags: Flags, command: Command): Promise<void> {
  return operate(words, flags, command, { names: ["ID"] }, async ({ operating, output, args: [id = ""] }) => {
    const found = await operating.message(id);
    if (!found) throw unknown(id);
    await (output.json ? output.data(found) : showMessage(id, partsOf(found), output));
  });
}

function cancel(words: readonly string[], flags: Flags, command: Command): Promise<void> {
  return operate(words, flags, command, { names: ["ID"] }, async ({ operating, output, args: [id = ""] }) => {
    const cancelled = await operating.cancel(id, flags.handler);
    if (output.json) return output.data(cancelled);
    const { removed, running } = cancelled;
    if (removed + running === 0) return noRows(output, `Nothing of ${id} waited or ran.`);
    await output.line(
      `${counted(removed, "waiting delivery").replace(/ys$/, "ies")} removed, ${running} running told to end`,
    );
  });
}

function partsOf({ deliveries, deadLetters }: MessageView) {
  return [...deliveries, ...deadLetters];
}

function unknown(id: string): CliError {
  return new CliError(
    EXIT.usage,
    "MESSAGE_UNKNOWN",
    `No message ${JSON.stringify(id)} waits, runs or is among the dead letters: it is done, or was cancelled, or there never was one of this id.`,
  );
}
