import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");
const DEADLINE_MS = 20_000;

/** The path of a fixture. */
export function fixture(name: string): string {
  return join(import.meta.dirname, "fixtures", name);
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input. */
  readonly input?: string;
}

/** What a run of the program has left behind. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder that is removed when the test has ended. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "cli-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** Runs the program to its end, in a folder of its own unless told. */
export async function cli(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const program = await startCli(args, options);
  program.child.stdin?.end(options.input ?? "");
  const code = await program.exit();
  return { code, stdout: program.stdout, stderr: program.stderr };
}

/** A program that runs. */
export class Program {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  readonly #closed: Promise<unknown>;

  constructor(child: ChildProcess) {
    this.child = child;
    this.#closed = once(child, "close");
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
  }

  /** Waits for its end. */
  async exit(): Promise<number | null> {
    const timer = setTimeout(() => this.child.kill("SIGKILL"), DEADLINE_MS);
    await this.#closed;
    clearTimeout(timer);
    if (this.child.signalCode === "SIGKILL") throw new Error(`killed:\n${this.stdout}\n${this.stderr}`);
    return this.child.exitCode;
  }

  /** Waits until its output matches, behind the place `from`. */
  async says(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    return until(
      () => pattern.exec(this.stdout.slice(from)) ?? undefined,
      () => `${String(pattern)}\n${this.stdout}\n${this.stderr}`,
    );
  }

  /** Waits until an app says where it can be reached. */
  async url(from = 0): Promise<string> {
    const [url] = await this.says(/http:\/\/127\.0\.0\.1:\d+(?=[\s",])/, from);
    return url;
  }
}

/** Starts the program, and ends it with the test. */
export async function startCli(args: readonly string[], { cwd, env }: RunOptions = {}): Promise<Program> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: cwd ?? (await temporaryFolder()),
    env: environment(env),
    stdio: "pipe",
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return new Program(child);
}

/** Nothing of the environment that the tests run in, which may be npm's. */
export function environment(env: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", PORT: "0", ...env };
}

/** Asks until there is an answer, up to a deadline. */
export async function until<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  what: () => string,
): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`not in time: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Whether a process lives. */
export function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The command line that runs the program, for a shell. */
export function shellWords(...args: readonly string[]): string {
  return [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(" ");
}

/** The error that a run with --json has printed. */
export function errorIn({ stderr }: Ended): { code: string; message: string } {
  return (JSON.parse(stderr) as { error: { code: string; message: string } }).error; // it fails where it is not
}
