import { setTimeout as sleep } from "node:timers/promises";
import { type Command, Option } from "commander";
import { toMs } from "../duration.ts";
import { DEAD_REASONS, MOST_ROWS } from "../http/operation-inputs.ts";
import { CliError } from "./cli-error.ts";
import { type TargetOptions, withCommonOptions, withTargetOptions } from "./command-options.ts";
import { confirm, needConfirmation } from "./confirm.ts";
import { EXIT } from "./exit-codes.ts";
import { operate, type Operating, type Operation } from "./operating.ts";
import { Progress } from "./progress.ts";
import { lastError, showMessage } from "./show-delivery.ts";
import { ago, cell, counted } from "../text-for-people.ts";
import { noRows, numberOf, tableOf } from "./rows.ts";

type Filter = Parameters<Operating["discard"]>[0];

interface Flags extends TargetOptions {
  readonly handler?: string;
  readonly event?: string;
  /** commander lets nothing else pass. */
  readonly reason?: (typeof DEAD_REASONS)[number];
  readonly limit?: string;
}

interface OrderFlags extends Flags {
  readonly all?: true;
  readonly rate?: string;
  readonly yes?: true;
}

interface Rate {
  readonly limit: number;
  readonly ms: number;
}

/** How many are moved in one go: one request, and one step of the bar. */
const PAGE = 1_000;

/** `dead-letters`: what failed for good. */
export function addDeadLetters(program: Command): void {
  const group = withCommonOptions(program.command("dead-letters"))
    .summary("look at what failed for good, replay it, or discard it")
    .description(
      "Looks at the messages that failed for good, makes them ready again, or removes them. FILE is the app's file; its app\n" +
        "is not started to work, only to reach its engine. With --url the running app is asked.",
    )
    .addHelpText("after", EXAMPLES);
  withFilter(withTargetOptions(group.command("list")))
    .summary("list them, the oldest first")
    .usage("[options] <FILE | --url URL>")
    .argument("[words...]", "the file")
    .option("--limit <number>", "how many at the most", "100")
    .action(list);
  withTargetOptions(group.command("show"))
    .summary("show one with its payload, headers, steps and the errors of all attempts")
    .usage("[options] <FILE | --url URL> ID")
    .argument("[words...]", "the file, and the message's id")
    .action(show);
  withOrder(group.command("replay"))
    .summary("make them ready again, with id, history and finished steps kept")
    .option("--rate <limit/duration>", "at most so many in each such time: 10/1s")
    .action(replay);
  withOrder(group.command("discard"))
    .summary("remove them for good")
    .option("--yes", "do not ask")
    .action(discard);
}

const EXAMPLES = `
Examples:
  decorator-framework dead-letters list src/app.ts --handler ship
  decorator-framework dead-letters show src/app.ts 360b9741-1
  decorator-framework dead-letters replay --url http://localhost:8080 --event order.paid --rate 10/1s
  decorator-framework dead-letters discard src/app.ts --reason expired --yes --json
`;

function withFilter(command: Command): Command {
  return command
    .option("--handler <name>", "those of this handler")
    .option("--event <name>", "those of this event")
    .addOption(new Option("--reason <reason>", "those that died of this").choices(DEAD_REASONS));
}

function withOrder(command: Command): Command {
  return withFilter(withTargetOptions(command))
    .usage("[options] <FILE | --url URL> [ID]")
    .argument("[words...]", "the file, and the message's id")
    .option("--limit <number>", "the oldest so many")
    .option("--all", "all of them, where nothing else says which");
}

function list(words: readonly string[], flags: Flags, command: Command): Promise<void> {
  const limit = numberOf("--limit", flags.limit, MOST_ROWS);
  return operate(words, flags, command, { names: [] }, async ({ operating, output }) => {
    const rows = await operating.deadLetters({ ...filterOf(flags), limit });
    if (output.json) return output.data({ deadLetters: rows });
    if (rows.length === 0) return noRows(output, "No dead letters.");
    await tableOf(output, {
      id: rows.map(({ id }) => id),
      handler: rows.map(({ handler }) => cell(handler)),
      event: rows.map(({ event }) => cell(event)),
      reason: rows.map(({ reason }) => reason),
      attempts: rows.map(({ attempt }) => String(attempt)),
      died: rows.map(({ diedAt }) => ago(diedAt)),
      "last error": rows.map((row) => cell(lastError(row))),
    });
    if (rows.length === limit) await noRows(output, `The oldest ${limit}. --limit shows more.`);
  });
}

function show(words: readonly string[], flags: Flags, command: Command): Promise<void> {
  return operate(words, flags, command, { names: ["ID"] }, async ({ operating, output, args: [id = ""] }) => {
    const rows = await operating.deadLetters({ id });
    if (rows.length === 0) throw unknown(id);
    await (output.json ? output.data({ deadLetters: rows }) : showMessage(id, rows, output));
  });
}

async function replay(words: readonly string[], flags: OrderFlags, command: Command): Promise<void> {
  const rate = rateOf(flags.rate);
  await order(words, flags, command, async (filter, all, { operating, output }) => {
    const act = (some: Filter): Promise<number> => operating.replay(some);
    const replayed = await inPages("replayed", filter, all, act, rate);
    if (output.json) await output.data({ replayed });
    else await output.line(`${counted(replayed, "dead letter")} made ready again`);
  });
}

async function discard(words: readonly string[], flags: OrderFlags, command: Command): Promise<void> {
  const { yes = false } = flags;
  needConfirmation(yes);
  await order(words, flags, command, async (filter, all, { operating, output }) => {
    if (all > 0) await confirm(`Discard ${counted(all, "dead letter")}`, yes);
    const act = (some: Filter): Promise<number> => operating.discard(some);
    const discarded = await inPages("discarded", filter, all, act);
    if (output.json) await output.data({ discarded });
    else await output.line(`${counted(discarded, "dead letter")} discarded`);
  });
}

/** Finds out which dead letters are meant and how many they are, and has something done with them. */
function order(
  words: readonly string[],
  flags: OrderFlags,
  command: Command,
  act: (filter: Filter, all: number, operation: Operation) => Promise<void>,
): Promise<void> {
  const limit = flags.limit === undefined ? Infinity : numberOf("--limit", flags.limit);
  return operate(words, flags, command, { names: ["ID"], optional: 1 }, async (operation) => {
    const [id] = operation.args;
    const filter = { ...filterOf(flags), ...(id !== undefined && { id }) };
    if (Object.keys(filter).length === 0 && !flags.all) throw filterMissing();
    const all = Math.min(limit, await operation.operating.countDeadLetters(filter));
    if (all === 0 && id !== undefined) throw unknown(id);
    await act(filter, all, operation);
  });
}

async function inPages(
  done: string,
  filter: Filter,
  all: number,
  act: (some: Filter) => Promise<number>,
  rate?: Rate,
): Promise<number> {
  using progress = new Progress(done);
  let count = 0;
  while (count < all) {
    const some = await act({ ...filter, limit: Math.min(rate?.limit ?? PAGE, all - count) });
    if (some === 0) break;
    count += some;
    // What is done in one go needs no bar.
    if (count < all) progress.show(count, all);
    if (rate && count < all) await sleep(rate.ms);
  }
  return count;
}

function filterOf({ handler, event, reason }: Flags): Filter {
  const given = Object.entries({ handler, event, reason }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Filter; // without what is not given
}

function rateOf(written: string | undefined): Rate | undefined {
  if (written === undefined) return undefined;
  const [, limit, per] = /^([1-9]\d{0,8})\/(.+)$/.exec(written) ?? [];
  if (limit !== undefined && per !== undefined) return { limit: Number(limit), ms: toMs(per, "--rate") };
  throw new CliError(
    EXIT.usage,
    "RATE_INVALID",
    `--rate is ${JSON.stringify(written)}. Write how many in which time, such as 10/1s.`,
  );
}

function filterMissing(): CliError {
  return new CliError(
    EXIT.usage,
    "FILTER_MISSING",
    "Say which dead letters: give ID, --handler, --event or --reason; or --all for all of them.",
  );
}

function unknown(id: string): CliError {
  return new CliError(
    EXIT.usage,
    "DEAD_LETTER_UNKNOWN",
    `There is no such dead letter of the message ${JSON.stringify(id)}: see dead-letters list.`,
  );
}
