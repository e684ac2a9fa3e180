import type { App } from "../app.ts";
import { EXIT } from "./exit-codes.ts";
import { type OutputOptions, printError } from "./output.ts";

/** What a second signal ends with. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * npm, and shells, pass a terminal's Ctrl-C on to a process that the terminal has told already: what comes so soon
 * is the same signal once more, not somebody who has lost patience.
 */
export const SAME_SIGNAL_MS = 500;

/** How long an app may take to stop after an error that nobody caught: what it still does may be wrong. */
const FATAL_STOP_MS = 10_000;
const PARENT_CHECK_MS = 1_000;

/**
 * The life of a process that runs an app: it ends by a signal, by an error that nobody caught, when npm (or `dev`) has
 * died above it, and always by stopping the app first.
 */
export class ProcessLife {
  readonly #output: OutputOptions;
  #app: App | undefined;
  #ending: Promise<never> | undefined;
  #signalled = 0;

  /** @param underDev `dev` is above: the app ends when it closes the channel. */
  constructor(output: OutputOptions, underDev: boolean) {
    this.#output = output;
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => this.#onSignal(signal));
    process.on("uncaughtException", (error) => this.#onFatal(error, "an error that nobody caught"));
    process.on("unhandledRejection", (error) =>
      this.#onFatal(error, "a promise's rejection that nobody handled"),
    );
    if (underDev) process.once("disconnect", () => this.#end("dev starts anew or ends", EXIT.ok));
    if (process.env["npm_lifecycle_event"] !== undefined) this.#watchParent();
    // Until the end: an app may have nothing of its own that keeps a process alive.
    setInterval(() => {}, 2 ** 30);
  }

  /** Whether the end has begun. */
  get ending(): boolean {
    return this.#ending !== undefined;
  }

  /** Takes an app into its care. */
  govern(app: App): void {
    this.#app = app;
  }

  #onSignal(signal: keyof typeof SIGNALS): void {
    const now = performance.now();
    if (!this.#ending) {
      this.#signalled = now;
      this.#end(signal, EXIT.ok);
    } else if (this.#signalled === 0 || now - this.#signalled > SAME_SIGNAL_MS) {
      process.exit(SIGNALS[signal]);
    }
  }

  #onFatal(error: unknown, what: string): void {
    const running = this.#app?.state === "running" || this.#app?.state === "stopping";
    if (running) this.#app?.log.fatal({ err: error }, what);
    else printError(error, this.#output);
    process.exitCode = EXIT.failed;
    this.#end(what, EXIT.failed);
    setTimeout(() => process.exit(EXIT.failed), FATAL_STOP_MS).unref();
  }

  /** npm that is killed with -9 tells nobody; its app must not stay behind and hold the port. */
  #watchParent(): void {
    const parent = process.ppid;
    const timer = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(timer);
      this.#end("npm has died", EXIT.ok);
    }, PARENT_CHECK_MS).unref();
  }

  #end(why: string, code: number): void {
    this.#ending ??= this.#stop(why, code);
  }

  async #stop(why: string, code: number): Promise<never> {
    const app = this.#app;
    if (app?.state === "running") app.log.info({}, `asked to stop: ${why}`);
    try {
      await app?.stop();
    } catch (error) {
      printError(error, this.#output);
      process.exit(EXIT.failed);
    }
    // An error that nobody caught may have come while it was stopping.
    process.exit(process.exitCode ?? code);
  }
}
