import { once } from "node:events";
import { styleText } from "node:util";
import { CommanderError } from "commander";

/** Thrown when nothing can be printed any more: the reader has gone (`| head`), or the disk is full. The program just ends. */
export class ReaderGone extends Error {}

/** How a command is to print. */
export interface OutputOptions {
  /** Standard output gets JSON and nothing else, standard error errors as JSON. */
  readonly json: boolean;
  /** Errors are shown with their stacks. */
  readonly verbose: boolean;
}

type Style = Parameters<typeof styleText>[0];

/** What goes to standard output, in the form that was asked for. */
export class Output {
  readonly options: OutputOptions;
  #readerGone = false;

  constructor(options: OutputOptions) {
    this.options = options;
    process.stdout.on("error", () => (this.#readerGone = true));
  }

  get json(): boolean {
    return this.options.json;
  }

  /**
   * Prints a line, and waits while the reader is slow.
   * @throws {ReaderGone}
   */
  async line(text: string): Promise<void> {
    if (this.#readerGone) throw new ReaderGone();
    if (process.stdout.write(`${text}\n`)) return;
    await once(process.stdout, "drain").catch((error: unknown) => {
      throw this.#readerGone ? new ReaderGone() : error;
    });
  }

  /** Prints a value on a line of JSON. What JSON cannot hold is written as text. */
  data(value: unknown): Promise<void> {
    return this.line(jsonOf(value));
  }

  /** Prints rows below a line of headings, each column as wide as its widest cell. */
  async table(headings: readonly string[], rows: readonly (readonly string[])[]): Promise<void> {
    const widths = headings.map((heading, at) =>
      Math.max(heading.length, ...rows.map((row) => row[at]?.length ?? 0)),
    );
    const lineOf = (cells: readonly string[]): string =>
      cells
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd();
    await this.line(paint("bold", lineOf(headings)));
    for (const row of rows) await this.line(lineOf(row));
  }
}

/** A value for people: strings as they are, everything else as JSON. */
export function showValue(value: unknown): string {
  if (value === undefined || value === null) return paint("dim", "(no value)");
  return typeof value === "string" ? value : jsonOf(value);
}

/** Prints what went wrong on standard error: `error CODE: message`, or `{"error":{"code","message"}}`. */
export function printError(error: unknown, { json, verbose }: OutputOptions): void {
  const code = codeOf(error);
  const message = messageOf(error);
  if (json) {
    process.stderr.write(`${JSON.stringify({ error: { code, message } })}\n`);
    return;
  }
  const label = paint("red", `error ${code}:`, process.stderr);
  process.stderr.write(`${label} ${message}\n`);
  if (verbose && error instanceof Error) process.stderr.write(`${stacksOf(error)}\n`);
}

/** Colours a text where it goes to a terminal and NO_COLOR does not forbid it. */
export function paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(style, text, { stream });
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  if (typeof code !== "string") return "UNEXPECTED";
  // commander's own: "commander.unknownOption"
  return code
    .replace(/^commander\./, "")
    .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    .toUpperCase();
}

function messageOf(error: unknown): string {
  if (error instanceof CommanderError) return error.message.replace(/^error: /, "");
  return error instanceof Error ? error.message || error.name : String(error);
}

function stacksOf(error: Error): string {
  const stack = error.stack ?? String(error);
  return error.cause instanceof Error ? `${stack}\ncaused by: ${stacksOf(error.cause)}` : stack;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value, plain) ?? "null";
  } catch {
    return JSON.stringify(String(value)); // a circle in it, or a toJSON that throws
  }
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  return value instanceof Error ? { code: codeOf(value), message: value.message } : value;
}
