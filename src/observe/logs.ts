import pino from "pino";
import type { Logger, LogLevel } from "../log.ts";
import { silentLogger } from "../log.ts";
import { RotatingFile } from "./rotating-file.ts";
import { hideSecrets } from "./secrets.ts";

/** How logs are written. */
export interface LogOptions {
  /** @default "info" */
  readonly level?: LogLevel | "silent";
  /** Where to keep files, beside the console: `app.log` and four older ones of 10 MB. @default none */
  readonly dir?: string | undefined;
  /** How the console's lines look; `auto` is `pretty` on a terminal and `json` elsewhere. Files have JSON. @default "auto" */
  readonly format?: "auto" | "pretty" | "json";
  /** Stands in each line as `name`. @default "app" */
  readonly name?: string;
  /** Where the console's lines go. @default the process's standard output */
  readonly output?: LogOutput;
}

/** A logger and the end of it. */
export interface LogSink {
  readonly log: Logger;
  /** Resolves when everything is written and old files are compressed. */
  readonly close: () => Promise<void>;
}

/** What takes the console's lines, such as `process.stderr`. */
export interface LogOutput {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

interface Destination {
  readonly write: (line: string) => void;
  readonly close: () => Promise<void>;
}

const FILE_NAME = "app";

/**
 * Opens the log: structured lines with `time`, `level`, `name`, `msg` and whatever fields they are given, such as
 * `handler` and `id`. Fields whose names say that they are secret (`password`, `authorization`, `token`, …) are hidden.
 *
 * @throws {ConfigError} when the directory cannot be written.
 * @example
 * const { log, close } = await createLogger({ level: "info", dir: "logs" });
 * log.info({ handler: "welcome" }, "ready");
 * await close();
 */
export async function createLogger(options: LogOptions = {}): Promise<LogSink> {
  const { level = "info", dir, name = FILE_NAME } = options;
  if (level === "silent") return { log: silentLogger, close: () => Promise.resolve() };
  // The file first: when it cannot be opened, nothing is left to close.
  const file = dir === undefined ? undefined : new RotatingFile({ dir, name: FILE_NAME });
  const screen = await consoleOf(options);
  const write = (line: string): void => {
    screen.write(line);
    file?.write(line);
  };
  return {
    log: hideInChildren(pino(settings(level, name), { write })),
    async close() {
      await screen.close();
      await file?.close();
    },
  };
}

function settings(level: LogLevel, name: string): pino.LoggerOptions {
  return {
    level,
    name,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }), log: hideSecrets },
    // hideSecrets has made plain objects of errors, which pino's own serializer would take for errors once more.
    serializers: { err: (error: unknown) => error },
  };
}

/** pino hides nothing in what its children are given; they inherit this from their parent. */
function hideInChildren(log: pino.Logger): pino.Logger {
  // oxlint-disable-next-line typescript/unbound-method -- called with the `this` of each child below
  const { child } = log;
  return Object.assign(log, {
    child(this: pino.Logger, fields: object) {
      return child.call(this, hideSecrets(fields));
    },
  });
}

async function consoleOf({ format = "auto", output }: LogOptions): Promise<Destination> {
  const terminal = (output ?? process.stdout).isTTY === true;
  const plain = output ? outputOf(output) : standardOutput();
  if (format === "json" || (format === "auto" && !terminal)) return plain;
  const { prettyFactory } = await import("pino-pretty");
  const pretty = prettyFactory({
    colorize: terminal && !process.env["NO_COLOR"],
    translateTime: "SYS:HH:MM:ss.l",
    ignore: "pid,name",
    singleLine: true,
  });
  return { ...plain, write: (line) => plain.write(pretty(line)) };
}

function outputOf(output: LogOutput): Destination {
  return { write: (line) => void output.write(line), close: () => Promise.resolve() };
}

/** Straight to the descriptor, and at once: a process that is killed has said what it had to say. */
function standardOutput(): Destination {
  const stream = pino.destination({ dest: 1, sync: true });
  // Whoever read our output has gone (`| head`): the program goes on, as it would with nobody reading.
  stream.on("error", () => {});
  return {
    write: (line) => void stream.write(line),
    close: () => new Promise((resolve) => stream.flush(() => resolve())),
  };
}
