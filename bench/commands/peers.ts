import { load, peersOf } from "../measure/peers.ts";
import { handler, NAME } from "./backup.ts";

/** Answers a text, as far as the peer does that. */
export type Handle = (text: string) => unknown;

interface CommanderCommand {
  command(name: string): CommanderCommand;
  argument(name: string, description: string, parse?: (value: string) => unknown): CommanderCommand;
  addArgument(argument: object): CommanderCommand;
  option(flags: string): CommanderCommand;
  action(run: (...args: never[]) => unknown): CommanderCommand;
  parseAsync(words: readonly string[], options: { readonly from: "user" }): Promise<unknown>;
}

/** What each peer makes of so many commands. */
export function commandPeers(
  count: number,
  options: { readonly peers: boolean },
): Promise<Record<string, Handle>> {
  return peersOf({ commander: () => commander(count), "yargs-parser": yargsParser }, options);
}

/** Registers so many commands in each peer that has a registry. */
export function registeringPeers(options: {
  readonly peers: boolean;
}): Promise<Record<string, (count: number) => unknown>> {
  return peersOf({ commander: async () => registerIn(await loadCommander()) }, options);
}

interface Commander {
  readonly Command: new () => CommanderCommand;
  readonly Argument: new (name: string) => { choices(values: readonly string[]): object };
}

function loadCommander(): Promise<Commander> {
  return load<Commander>("commander");
}

function registerIn({ Command, Argument }: Commander): (count: number) => CommanderCommand {
  return (count) => {
    const program = new Command();
    for (let n = 0; n < count; n++) {
      program
        .command(`${NAME}${n}`)
        .argument("<id>", "the id", Number)
        .addArgument(new Argument("[mode]").choices(["full", "incremental"]))
        .option("--dry-run")
        .action((id: number, mode: "full" | "incremental", { dryRun }: { dryRun: boolean }) =>
          handler({ id, mode, dryRun }),
        );
    }
    return program;
  };
}

async function commander(count: number): Promise<Handle> {
  const program = registerIn(await loadCommander())(count);
  return (text) => program.parseAsync(text.slice(1).split(" "), { from: "user" });
}

/** It only parses: there is no registry to look a command up in. */
async function yargsParser(): Promise<Handle> {
  const { default: parse } = await load<{ default: (text: string, options: object) => unknown }>(
    "yargs-parser",
  );
  return (text) => parse(text, { boolean: ["dry-run"] });
}
