import type { Command } from "commander";
import { readConfig } from "../config.ts";
import { hidePassword } from "../config-variables.ts";
import { backup, type Carried, migrate, restore, undoMigrate } from "../transfer/transfer.ts";
import { CliError } from "./cli-error.ts";
import { type CommonOptions, outputOf, withCommonOptions } from "./command-options.ts";
import { confirm, needConfirmation } from "./confirm.ts";
import { EXIT } from "./exit-codes.ts";
import type { Output } from "./output.ts";
import { Progress } from "./progress.ts";
import { counted } from "../text-for-people.ts";

interface Flags extends CommonOptions {
  readonly engine?: string;
  readonly replace?: boolean;
  readonly yes?: boolean;
}

interface MoveFlags extends Omit<Flags, "engine"> {
  readonly from: string;
  readonly to?: string;
  readonly undo?: boolean;
}

const ENGINE = ["--engine <url>", "the engine (or the environment's ENGINE_URL)"] as const;
const REPLACE = [
  "--replace",
  "remove what is there first; without it, an engine that holds anything is refused",
] as const;
const YES = ["--yes", "do not ask"] as const;

/** `backup`, `restore` and `migrate`: what an engine holds leaves it, and comes into one. */
export function addTransfer(program: Command): void {
  withCommonOptions(program.command("backup"))
    .summary("write all that an engine holds into one file")
    .description(
      "Writes subscriptions, messages, dead letters, schedules, limits and state into one compressed file with a checksum.\n" +
        "Apps may go on working meanwhile.",
    )
    .argument("<file>", "where to write; by custom with the ending .ndjson.gz")
    .option(...ENGINE)
    .addHelpText(
      "after",
      examples("backup app-2026-11-23.ndjson.gz", "backup app.ndjson.gz --engine sqlite:data/app.db --json"),
    )
    .action(runBackup);
  withCommonOptions(program.command("restore"))
    .summary("read a backup into an engine, of whichever kind")
    .description(
      "Reads a backup into an engine. The file is checked as a whole before anything is written. Apps on that engine are\n" +
        "refused until it is whole. If it is broken off, run it again.",
    )
    .argument("<file>", "the backup")
    .option(...ENGINE)
    .option(...REPLACE)
    .option(...YES)
    .addHelpText("after", examples("restore app-2026-11-23.ndjson.gz --engine sqlite:data/new.db"))
    .action(runRestore);
  withCommonOptions(program.command("migrate"))
    .summary("move all that one engine holds to another")
    .description(
      "Moves everything from one engine to another. The old one is sealed first: apps that still work with it are refused,\n" +
        "so that nothing is handled twice; it keeps its content and stays sealed. If the move fails, it is opened again. If\n" +
        "the process is killed, run it again, or open the old one with --undo.",
    )
    .requiredOption("--from <url>", "the engine that holds it")
    .option("--to <url>", "the engine that gets it")
    .option("--undo", "open the old engine again, after a move that was broken off")
    .option(...REPLACE)
    .option(...YES)
    .addHelpText(
      "after",
      examples(
        "migrate --from sqlite:data/app.db --to sqlite:/srv/app.db",
        "migrate --from sqlite:data/app.db --undo",
      ),
    )
    .action(runMigrate);
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  decorator-framework ${line}\n`).join("")}`;
}

async function runBackup(file: string, flags: Flags, command: Command): Promise<void> {
  const output = outputOf(command);
  using progress = new Progress("records written");
  using interrupt = new Interrupt("Nothing was written.");
  const carried = await backup({
    engine: urlOf(flags),
    file,
    signal: interrupt.signal,
    onProgress: shown(progress),
  });
  progress[Symbol.dispose]();
  await report(output, carried, `written to ${file}`);
}

async function runRestore(file: string, flags: Flags, command: Command): Promise<void> {
  const output = outputOf(command);
  const { replace = false, yes = false } = flags;
  const engine = urlOf(flags);
  await ask(replace, yes, `Remove all that ${hidePassword(engine)} holds`);
  using progress = new Progress("records restored");
  using interrupt = new Interrupt("The engine is empty.");
  const { signal } = interrupt;
  const carried = await restore({ engine, file, replace, signal, onProgress: shown(progress) });
  progress[Symbol.dispose]();
  await report(output, carried, `restored into ${carried.location}`);
}

async function runMigrate(
  { from, to, undo = false, replace = false, yes = false }: MoveFlags,
  command: Command,
): Promise<void> {
  const output = outputOf(command);
  if (undo === (to !== undefined))
    throw new CliError(EXIT.usage, "MISSING_ARGUMENT", "Give either --to URL, or --undo. See --help.");
  if (to === undefined) {
    const { location } = await undoMigrate({ from });
    return output.json ? output.data({ location }) : output.line(`${location} is open again`);
  }
  await ask(replace, yes, `Remove all that ${hidePassword(to)} holds`);
  using progress = new Progress("records moved");
  using interrupt = new Interrupt("Nothing was moved; the old engine is open again.");
  const carried = await migrate({ from, to, replace, signal: interrupt.signal, onProgress: shown(progress) });
  progress[Symbol.dispose]();
  await report(
    output,
    carried,
    `moved to ${carried.location}; ${hidePassword(from)} is sealed. Set ENGINE_URL to the new one and start the apps`,
  );
}

function shown(progress: Progress): (done: number, all: number) => void {
  return (done, all) => progress.show(done, all);
}

/** Ctrl-C and SIGTERM end what is under way, which is then undone; a second one ends the process. */
class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #end: () => void;

  /** @param state How things are when it is undone. */
  constructor(state: string) {
    this.#end = () => {
      this[Symbol.dispose]();
      this.#controller.abort(new CliError(EXIT.failed, "INTERRUPTED", `Interrupted. ${state}`));
    };
    for (const name of SIGNALS) process.on(name, this.#end);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const name of SIGNALS) process.off(name, this.#end);
  }
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

async function ask(replace: boolean, yes: boolean, what: string): Promise<void> {
  if (!replace) return;
  needConfirmation(yes);
  await confirm(what, yes);
}

function urlOf({ engine }: Flags): string {
  return engine ?? readConfig().engineUrl;
}

async function report(output: Output, { location, records }: Carried, where: string): Promise<void> {
  if (output.json) return output.data({ location, records });
  const parts = Object.entries(records).map(([kind, count]) =>
    counted(count, kind.replace("_", " ")).replace(/ys$/, "ies"),
  );
  await output.line(`${parts.length === 0 ? "nothing" : parts.join(", ")} ${where}`);
}
