import type { Command } from "commander";
import { CliError } from "./cli-error.ts";
import { type TargetOptions, withCommonOptions, withTargetOptions } from "./command-options.ts";
import { confirm, needConfirmation } from "./confirm.ts";
import { EXIT } from "./exit-codes.ts";
import { operate } from "./operating.ts";
import { noRows, tableOf } from "./rows.ts";
import { ago, cell } from "../text-for-people.ts";

interface RemoveFlags extends TargetOptions {
  readonly yes?: true;
}

/** `subscriptions`: the durable interests of handlers. */
export function addSubscriptions(program: Command): void {
  const group = withCommonOptions(program.command("subscriptions"))
    .summary("look at subscriptions and their backlogs, or remove one whose code is gone")
    .description(
      "A subscription is a handler's durable interest in an event: messages are kept for it also while no process runs.\n" +
        "One whose handler is no longer declared anywhere goes on collecting messages until it is removed.",
    )
    .addHelpText("after", EXAMPLES);
  withTargetOptions(group.command("list"))
    .summary("list all, with what waits for each")
    .usage("[options] <FILE | --url URL>")
    .argument("[words...]", "the file")
    .action(list);
  withTargetOptions(group.command("remove"))
    .summary("remove one whose code is gone, with what waits for it")
    .usage("[options] <FILE | --url URL> HANDLER")
    .argument("[words...]", "the file, and the handler's name")
    .option("--yes", "do not ask")
    .action(remove);
}

/** `instances`: the replicas that are alive. */
export function addInstances(program: Command): void {
  withTargetOptions(program.command("instances"))
    .summary("show the replicas that are alive")
    .description("Shows every process that runs the app on the same engine, and when it was seen last.")
    .usage("[options] <FILE | --url URL>")
    .argument("[words...]", "the file")
    .addHelpText("after", INSTANCE_EXAMPLES)
    .action(instances);
}

const EXAMPLES = `
Examples:
  decorator-framework subscriptions list src/app.ts
  decorator-framework subscriptions remove --url http://localhost:8080 old_handler --yes
`;
const INSTANCE_EXAMPLES = `
Examples:
  decorator-framework instances src/app.ts
  decorator-framework instances --url http://localhost:8080 --json
`;

function list(words: readonly string[], flags: TargetOptions, command: Command): Promise<void> {
  return operate(words, flags, command, { names: [] }, async ({ operating, output }) => {
    const rows = await operating.subscriptions();
    if (output.json) return output.data({ subscriptions: rows });
    if (rows.length === 0) return noRows(output, "No subscriptions.");
    await tableOf(output, {
      handler: rows.map(({ handler }) => cell(handler)),
      topic: rows.map(({ topic }) => cell(topic)),
      ready: rows.map(({ ready }) => String(ready)),
      waiting: rows.map(({ waiting }) => String(waiting)),
      running: rows.map(({ running }) => String(running)),
      dead: rows.map(({ dead }) => String(dead)),
      oldest: rows.map(({ oldest }) => ago(oldest)),
      declared: rows.map(({ handledHere }) => (handledHere ? "yes" : "no")),
    });
  });
}

function remove(words: readonly string[], flags: RemoveFlags, command: Command): Promise<void> {
  const { yes = false } = flags;
  needConfirmation(yes);
  const names = ["HANDLER"];
  return operate(words, flags, command, { names }, async ({ operating, output, args: [handler = ""] }) => {
    const found = (await operating.subscriptions()).find((each) => each.handler === handler);
    if (!found) throw unknown(handler);
    const backlog = found.ready + found.waiting;
    const what = `Remove the subscription ${JSON.stringify(handler)} and the ${backlog} messages that wait for it`;
    // One that is in use is refused whatever the answer.
    if (!found.handledHere) await confirm(what, yes);
    if (!(await operating.unsubscribe(handler))) throw unknown(handler);
    await (output.json ? output.data({ removed: handler }) : output.line(`${cell(handler)} removed`));
  });
}

function instances(words: readonly string[], flags: TargetOptions, command: Command): Promise<void> {
  return operate(words, flags, command, { names: [] }, async ({ operating, output }) => {
    const rows = await operating.instances();
    if (output.json) return output.data({ instances: rows });
    if (rows.length === 0) return noRows(output, "No replica is alive.");
    await tableOf(output, {
      id: rows.map(({ id }) => id),
      host: rows.map(({ host }) => cell(host)),
      pid: rows.map(({ pid }) => String(pid)),
      version: rows.map(({ version }) => cell(version)),
      started: rows.map(({ startedAt }) => ago(startedAt)),
      "last seen": rows.map(({ lastSeen }) => ago(lastSeen)),
      running: rows.map(({ running }) => String(running)),
    });
  });
}

function unknown(handler: string): CliError {
  return new CliError(
    EXIT.usage,
    "SUBSCRIPTION_UNKNOWN",
    `There is no subscription ${JSON.stringify(handler)}: see subscriptions list.`,
  );
}
