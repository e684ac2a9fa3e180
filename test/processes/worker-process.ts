import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import type { HandOrder, Order, PublishedWith, Setup, Task, TickerOrder } from "./setup.ts";

/** How long anything may take before a test gives up. */
const DEADLINE_MS = 20_000;
/** Compiled code is shared: the processes of a test should not wait for the compiler. */
const CACHE = join(tmpdir(), "decorator-framework-test-cache");

/** A line that a worker has told. */
export interface Line {
  readonly text: string;
  /** In milliseconds, by a clock that all processes of the machine share. */
  readonly at: number;
}

/** What is run, and in which environment. */
export interface WorkerProgram {
  /** @default "worker.ts" */
  readonly program?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A running worker.ts, or another program that tells what it does; killed with its test. */
export class Worker {
  readonly lines: Line[] = [];
  readonly child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #heard = new Set<() => void>();
  #errors = "";

  private constructor(setup: Setup, { program = "worker.ts", env = {} }: WorkerProgram) {
    const { path } = setup;
    this.child = spawn(process.execPath, [join(import.meta.dirname, program), JSON.stringify(setup)], {
      cwd: join(path, ".."),
      stdio: "pipe",
      env: { PATH: process.env["PATH"] ?? "", NODE_COMPILE_CACHE: CACHE, ...env },
    });
    const { stdout, stderr } = this.child;
    if (!stdout || !stderr) throw new Error("its outputs are pipes");
    stderr.setEncoding("utf8").on("data", (text: string) => (this.#errors += text));
    createInterface({ input: stdout }).on("line", (line) => this.#hear(line));
    this.#exited = once(this.child, "close").then(() => this.#hear(`${process.hrtime.bigint()} exit`));
    onTestFinished(() => void this.child.kill("SIGKILL"));
  }

  /** Starts one and waits until it works. */
  static async start(setup: Setup, program: WorkerProgram = {}): Promise<Worker> {
    const worker = new Worker(setup, program);
    await worker.says("ready");
    return worker;
  }

  tell(order: Order | TickerOrder | HandOrder): void {
    this.child.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  /** Has it publish; answers the ids. */
  async publish(tasks: readonly Task[], options?: PublishedWith): Promise<string[]> {
    const from = this.lines.length;
    this.tell({ do: "publish", tasks, ...(options && { options }) });
    const { text } = await this.says(/^published/, from);
    return text.split(" ").slice(1);
  }

  /** Waits for a line: the text, or the first that matches, behind the place `from`. */
  async says(wanted: string | RegExp, from = 0): Promise<Line> {
    const fits = ({ text }: Line): boolean =>
      typeof wanted === "string" ? text === wanted : wanted.test(text);
    const found = await this.#when(() => this.lines.slice(from).find(fits), String(wanted));
    return found;
  }

  /** Waits until it has told so many lines that match. */
  async saysTimes(pattern: RegExp, times: number): Promise<void> {
    await this.#when(() => this.count(pattern) >= times || undefined, `${times} times ${String(pattern)}`);
  }

  count(pattern: RegExp): number {
    return this.lines.filter(({ text }) => pattern.test(text)).length;
  }

  /** Sends a signal and waits for the end; answers how it ended. */
  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<number | string | null> {
    this.child.kill(signal);
    return this.exit();
  }

  /** Waits for its end. */
  async exit(): Promise<number | string | null> {
    await this.says("exit");
    await this.#exited;
    return this.child.exitCode ?? this.child.signalCode;
  }

  #hear(line: string): void {
    const [stamp = "0", ...words] = line.split(" ");
    this.lines.push({ text: words.join(" "), at: Number(BigInt(stamp) / 1_000n) / 1_000 });
    for (const heard of this.#heard) heard();
  }

  /** The first answer that is not undefined, asked for at each line. */
  #when<T>(ask: () => T | undefined, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#heard.delete(look);
        const said = this.lines.map(({ text }) => text).join("\n");
        reject(new Error(`a worker did not say in time: ${what}\nIt said:\n${said}\n${this.#errors}`));
      }, DEADLINE_MS);
      const look = (): void => {
        const answer = ask();
        if (answer === undefined) return;
        clearTimeout(late);
        this.#heard.delete(look);
        resolve(answer);
      };
      this.#heard.add(look);
      look();
    });
  }
}

/** The path of a data file that does not exist yet, in a folder that goes with its test. */
export function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "processes-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return join(folder, "app.db");
}

/** What several workers have told, in the order in which it happened. */
export function inOrder(workers: readonly Worker[]): Line[] {
  return workers.flatMap(({ lines }) => lines).toSorted((one, other) => one.at - other.at);
}
