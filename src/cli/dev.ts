import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { extname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { readConfig } from "../config.ts";
import { withCommonOptions } from "./command-options.ts";
import { refuseMissing } from "./load-app.ts";
import { paint } from "./output.ts";
import { SAME_SIGNAL_MS } from "./process-life.ts";
import { SourceWatch } from "./source-watch.ts";
import type { LoadedMessage } from "./start.ts";

/** How much longer than its shutdown timeout an app may take to stop before it is killed. */
const STOP_MARGIN_MS = 5_000;
const MAIN = fileURLToPath(new URL(`../cli/main${extname(import.meta.filename)}`, import.meta.url));

/** `dev`: runs an app, and starts it anew whenever one of its files changes. */
export function addDev(program: Command): void {
  withCommonOptions(program.command("dev"))
    .summary("like start, and starts anew when a file changes")
    .description(
      "Runs the app of FILE like start, with a log for people. When FILE, or a file that it imports, changes, the app is\n" +
        "stopped and started anew. When it crashes, it is started by the next change. Ctrl-C ends all.",
    )
    .argument("<file>", "the file, in TypeScript or JavaScript; decorators may be used")
    .argument("[args...]", "arguments for the file: it finds them in process.argv")
    .passThroughOptions()
    .addHelpText("after", EXAMPLES)
    .action((file: string, args: readonly string[]) => new DevSession(file, args).run());
}

const EXAMPLES = `
Examples:
  decorator-framework dev src/app.ts
  PORT=9090 decorator-framework dev src/app.ts
`;

/** One run of `dev`: a process of the app at a time, and the files it was loaded from. */
class DevSession {
  readonly #file: string;
  readonly #args: readonly string[];
  readonly #killAfter: number;
  readonly #watch: SourceWatch;
  #child: ChildProcess | undefined;
  /** Whether the child was told to stop, so that its end is no surprise. */
  #stopping = false;
  #signalled = 0;

  constructor(file: string, args: readonly string[]) {
    this.#file = file;
    this.#args = args;
    const config = readConfig();
    this.#killAfter = config.shutdownDelay + config.shutdownTimeout + STOP_MARGIN_MS;
    refuseMissing(resolve(file), file);
    this.#watch = new SourceWatch(resolve(file));
  }

  async run(): Promise<void> {
    process.on("SIGINT", () => this.#onSignal(130));
    process.on("SIGTERM", () => this.#onSignal(143));
    for (;;) {
      const child = this.#start();
      const changed = await this.#watch.next();
      if (changed !== undefined) say("cyan", `${relative("", changed)} has changed: starting anew`);
      await this.#stop(child);
      if (changed === undefined) return;
    }
  }

  #start(): ChildProcess {
    const { execPath, execArgv, env } = process;
    const child = spawn(execPath, [...execArgv, MAIN, "start", "--under-dev", this.#file, ...this.#args], {
      stdio: ["inherit", "inherit", "inherit", "ipc"],
      env: { ...env, LOG_FORMAT: env["LOG_FORMAT"] || "pretty" },
    });
    child.on("message", (message) => this.#watch.add((message as LoadedMessage).loaded)); // start sends nothing else
    child.once("exit", (code, signal) => {
      if (!this.#stopping) this.#endedByItself(code ?? signal);
    });
    this.#child = child;
    this.#stopping = false;
    return child;
  }

  #endedByItself(how: number | string | null): void {
    this.#watch.countAnySource();
    if (how === 0) say("yellow", `${this.#file} has ended. It will be started by the next change.`);
    else say("red", `${this.#file} has crashed (${how}). It will be started by the next change.`);
  }

  /** The child stops its app when this end of the channel closes; signals would reach it twice from a terminal. */
  async #stop(child: ChildProcess): Promise<void> {
    this.#stopping = true;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    const timer = setTimeout(() => child.kill("SIGKILL"), this.#killAfter);
    child.disconnect();
    await exited;
    clearTimeout(timer);
  }

  #onSignal(code: number): void {
    const now = performance.now();
    if (this.#signalled === 0) {
      this.#signalled = now;
      this.#watch.close();
    } else if (now - this.#signalled > SAME_SIGNAL_MS) {
      this.#child?.kill("SIGKILL");
      process.exit(code);
    }
  }
}

function say(style: "cyan" | "yellow" | "red", text: string): void {
  process.stdout.write(`${paint(style, "dev:")} ${text}\n`);
}
