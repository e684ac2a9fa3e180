import { relative } from "node:path";
import type { Command } from "commander";
import { describeHandler, type HandlerDescription } from "../describe-handler.ts";
import {
  outputOf,
  splitFile,
  needArguments,
  type TargetOptions,
  withTargetOptions,
} from "./command-options.ts";
import { loadApp } from "./load-app.ts";
import type { Output } from "./output.ts";
import { Remote } from "./remote.ts";

/** A row as a running app gives it: another version may leave out, or add, what it likes. */
type AnyRow = Partial<HandlerDescription>;

/** `list`: shows what is declared. */
export function addList(program: Command): void {
  withTargetOptions(program.command("list"))
    .summary("show all handlers: events, timers, commands and patterns")
    .description("Shows all handlers that a file declares, or that a running app has. Nothing is started.")
    .usage("[options] <FILE | --url URL>")
    .argument("[words...]", "the file")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

const EXAMPLES = `
Examples:
  decorator-framework list src/app.ts
  decorator-framework list src/app.ts --json
  decorator-framework list --url http://localhost:8080
`;

async function run(words: readonly string[], options: TargetOptions, command: Command): Promise<void> {
  const output = outputOf(command);
  const { file, args } = splitFile(words, options, "");
  needArguments(args, [], 0);
  const rows = file === undefined ? await remoteRows(options) : await fileRows(file);
  if (output.json) await output.data({ handlers: rows });
  else await show(rows, output);
}

async function fileRows(file: string): Promise<readonly AnyRow[]> {
  const app = await loadApp(file);
  const rows = app.registry.list().map(describeHandler);
  // A file may have started its app itself.
  await app.stop();
  return rows;
}

async function remoteRows(options: TargetOptions): Promise<readonly AnyRow[]> {
  const reply = await new Remote(options.url ?? "", options).ask("/api/handlers");
  return (reply as { handlers: readonly AnyRow[] }).handlers; // what the app promises
}

const KINDS = ["event", "time", "command", "pattern"];

async function show(rows: readonly AnyRow[], output: Output): Promise<void> {
  const sorted = rows.toSorted((a, b) => KINDS.indexOf(a.kind ?? "") - KINDS.indexOf(b.kind ?? ""));
  const cells = sorted.map(
    ({ kind = "", name = "", trigger = "", priority = 0, options = {}, site = "" }) => {
      const shown = showOptions(priority === 0 ? options : { priority, ...options });
      return [kind, name, trigger, shown || "-", shortSite(site)];
    },
  );
  await output.table(["KIND", "NAME", "FIRES ON", "OPTIONS", "DECLARED AT"], cells);
}

/** Relative to where one is, when it is below that. */
function shortSite(site: string): string {
  const path = relative("", site);
  return path === "" || path.startsWith("..") ? site : path;
}

/** Options on one line: `schema retry=3 cooldown=60s`. */
function showOptions(options: object): string {
  return Object.entries(options)
    .map(([key, value]) => (value === true ? key : `${key}=${showOption(value)}`))
    .join(" ");
}

function showOption(value: unknown): string {
  if (Array.isArray(value)) return value.map(showOption).join(",");
  if (typeof value !== "object" || value === null) return String(value);
  const parts = Object.entries(value).map(([key, inner]) => `${key}:${showOption(inner)}`);
  return `{${parts.join(",")}}`;
}
