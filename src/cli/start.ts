import { basename, extname } from "node:path";
import { type Command, Option } from "commander";
import type { App } from "../app.ts";
import type { Kind } from "../handler.ts";
import { type CommonOptions, outputOf, withCommonOptions } from "./command-options.ts";
import { loadApp } from "./load-app.ts";
import { type Output, paint } from "./output.ts";
import { ProcessLife } from "./process-life.ts";

interface StartFlags extends CommonOptions {
  readonly underDev?: boolean;
}

/** What a process under `dev` tells of each file that it loads. */
export interface LoadedMessage {
  readonly loaded: string;
}

/** `start`: runs an app until it is told to stop. */
export function addStart(program: Command): void {
  withCommonOptions(program.command("start"))
    .summary("run the app of a file, with its HTTP port, until it is stopped")
    .description(
      "Runs the app that FILE exports (as default, or as `app`), or an app of the handlers that FILE declares. It opens the\n" +
        "HTTP port (PORT, HOST). SIGTERM and SIGINT (Ctrl-C) stop it when running handlers have ended, a second one at once.",
    )
    .argument("<file>", "the file, in TypeScript or JavaScript; decorators may be used")
    .argument("[args...]", "arguments for the file: it finds them in process.argv")
    .passThroughOptions()
    .addOption(new Option("--under-dev").hideHelp())
    .addHelpText("after", EXAMPLES)
    .action(run);
}

const EXAMPLES = `
Examples:
  decorator-framework start src/app.ts
  PORT=9090 ENGINE_URL=memory: decorator-framework start src/app.ts
  decorator-framework start examples/production.ts --follow /var/log/auth.log

What the environment sets is shown by: decorator-framework config
`;

async function run(
  file: string,
  args: readonly string[],
  { underDev = false }: StartFlags,
  command: Command,
): Promise<void> {
  const output = outputOf(command);
  const life = new ProcessLife(output.options, underDev);
  const app = await loadApp(file, { args, ...(underDev && { loaded: tellParent }) });
  life.govern(app);
  try {
    await app.start({ http: true });
  } catch (error) {
    if (!life.ending) throw error;
  }
  if (!life.ending) await announce(app, file, output);
  // The life of the process ends it.
  return new Promise(() => {});
}

function tellParent(loaded: string): void {
  process.send?.({ loaded } satisfies LoadedMessage);
}

/** One line that says that the app is ready; through the log, unless that goes to people. */
async function announce(app: App, file: string, output: Output): Promise<void> {
  const name = basename(file, extname(file));
  const { pid } = process;
  const { url, engine } = app;
  const handlers = countKinds(app);
  if (!isForPeople()) {
    app.log.info({ app: name, url, engine: engine.location, handlers }, `${name} is ready (pid ${pid})`);
    return;
  }
  const counts = Object.entries(handlers).map(([kind, count]) => {
    const word = kind === "time" ? "timer" : kind;
    return `${count} ${word}${count === 1 ? "" : "s"}`;
  });
  const where = url === undefined ? "without a port" : `at ${paint("cyan", url)}`;
  await output.line(
    `${paint("green", "ready")} ${name} (pid ${pid}) ${where}, engine ${engine.location}, ${counts.join(", ")}`,
  );
}

function countKinds(app: App): Record<Kind, number> {
  const counts: Record<Kind, number> = { event: 0, time: 0, command: 0, pattern: 0 };
  for (const { kind } of app.registry.list()) counts[kind]++;
  return counts;
}

function isForPeople(): boolean {
  const format = process.env["LOG_FORMAT"]?.toLowerCase();
  return format === "pretty" || (format !== "json" && process.stdout.isTTY);
}
