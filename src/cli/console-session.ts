import { createInterface, type Interface } from "node:readline";
import { lines } from "../sources/lines.ts";
import { CliError } from "./cli-error.ts";
import { notOk, type ReplyFacts } from "./command.ts";
import { type Completable, complete } from "./console-completion.ts";
import { ConsoleHistory } from "./console-history.ts";
import { type ExitCode, EXIT } from "./exit-codes.ts";
import { type Output, paint, printError } from "./output.ts";
import { harmless } from "../text-for-people.ts";

/** Says a text to the app. */
export type Ask = (text: string, signal: AbortSignal) => Promise<ReplyFacts>;

/** How long Tab waits for an app. */
const COMPLETION_MS = 2_000;
/** For how long the list of commands counts as new. */
const FRESH_MS = 5_000;

/** One run of `console`: a conversation on a terminal, or the lines of a pipe. */
export class ConsoleSession {
  readonly #output: Output;
  readonly #ask: Ask;
  #running: AbortController | undefined;
  #known: { readonly commands: readonly Completable[]; readonly at: number } | undefined;

  constructor(output: Output, ask: Ask) {
    this.#output = output;
    this.#ask = ask;
  }

  /** @throws {CliError} `COMMANDS_FAILED` when lines of a pipe were not ok, with the exit code of the first. */
  run(): Promise<void> {
    return process.stdin.isTTY && process.stdout.isTTY ? this.#converse() : this.#readPipe();
  }

  async #converse(): Promise<void> {
    const history = new ConsoleHistory();
    const terminal = createInterface({
      input: process.stdin,
      output: process.stdout,
      prompt: "> ",
      history: history.lines,
      historySize: 1_000,
      removeHistoryDuplicates: true,
      completer: (line: string, done: Completed) => void this.#complete(line, done),
    });
    terminal.on("SIGINT", () => this.#interrupted(terminal));
    if (!this.#output.json) await this.#output.line(paint("dim", HINT));
    terminal.prompt();
    for await (const line of terminal) {
      const text = line.trim();
      if (text === "exit" || text === "quit") break;
      history.add(line);
      if (text !== "") await this.#say(text);
      terminal.prompt();
    }
    terminal.close();
    if (!this.#output.json) await this.#output.line("");
  }

  /** Whatever comes of it, the conversation goes on. */
  async #say(text: string): Promise<void> {
    const call = (this.#running = new AbortController());
    try {
      const reply = await this.#answer(text, call.signal);
      if (reply === undefined)
        await this.#output.line(paint("yellow", "called off; it may not have ended yet"));
      else if (this.#output.json) await this.#output.data(reply);
      else await this.#output.line(shown(reply, text));
    } catch (error) {
      printError(error, this.#output.options);
    } finally {
      this.#running = undefined;
    }
  }

  /** Undefined when a request was called off: then the app has been told, and cannot answer any more. */
  async #answer(text: string, signal: AbortSignal): Promise<ReplyFacts | undefined> {
    try {
      return await this.#ask(text, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }

  #interrupted(terminal: Interface): void {
    if (this.#running?.signal.aborted) process.exit(INTERRUPTED);
    if (this.#running) return this.#running.abort();
    const wasEmpty = terminal.line === "";
    terminal.write(null, { ctrl: true, name: "e" });
    terminal.write(null, { ctrl: true, name: "u" });
    process.stdout.write(wasEmpty ? `\n${paint("dim", "Ctrl-D leaves.")}\n` : "\n");
    terminal.prompt();
  }

  async #complete(line: string, done: Completed): Promise<void> {
    try {
      done(null, complete(line, await this.#commands()));
    } catch {
      done(null, [[], line]); // an app that cannot be asked right now completes nothing
    }
  }

  /** Those that the caller may use, from the help: it is the same for an app here and elsewhere. */
  async #commands(): Promise<readonly Completable[]> {
    const now = performance.now();
    if (this.#known && now - this.#known.at < FRESH_MS) return this.#known.commands;
    const { data } = await this.#ask("/help", AbortSignal.timeout(COMPLETION_MS));
    const commands = Array.isArray(data) ? [...data.filter(isCompletable), HELP] : [];
    this.#known = { commands, at: now };
    return commands;
  }

  async #readPipe(): Promise<void> {
    let count = 0;
    let failed = 0;
    let exit: ExitCode = EXIT.ok;
    const call = new AbortController();
    process.once("SIGINT", () => {
      call.abort();
      process.stdin.destroy();
    });
    for await (const line of lines(process.stdin)) {
      const text = line.trim();
      if (text === "" || /^#(?:\s|$)/.test(text)) continue;
      count++;
      const reply = await this.#ask(text, call.signal);
      if (this.#output.json) await this.#output.data(reply);
      else if (reply.status === "ok") await this.#output.line(reply.text);
      if (reply.status === "ok") continue;
      const error = notOk(reply, text);
      if (!this.#output.json) printError(error, this.#output.options);
      if (failed++ === 0) ({ exit } = error);
    }
    if (exit === EXIT.ok) return;
    throw new CliError(exit, "COMMANDS_FAILED", `${failed} of ${count} commands were not ok.`);
  }
}

type Completed = (error: Error | null, result: [string[], string]) => void;

const INTERRUPTED = 130;
const HINT = "/help lists the commands, Tab completes, Ctrl-C calls off what runs, Ctrl-D leaves.";
const HELP: Completable = { command: "/help", aliases: [], usage: "/help" };

/** Whoever has a /help of his own answers it with what he likes. */
function isCompletable(item: unknown): item is Completable {
  const { command, aliases, usage } = (item ?? {}) as Partial<Completable>; // both are looked at before they are used
  return typeof command === "string" && typeof usage === "string" && Array.isArray(aliases);
}

function shown(reply: ReplyFacts, written: string): string {
  const { status } = reply;
  if (status === "ok") return reply.text === "" ? paint("dim", "ok") : harmless(reply.text);
  const failed = status === "failed" || status === "timed_out";
  return paint(failed ? "red" : "yellow", harmless(notOk(reply, written).message));
}
