import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

const MOST = 1_000;

/** What was written in earlier sessions, in a file of the user's own that nobody else can read. It must never keep anybody from working. */
export class ConsoleHistory {
  readonly #file: string;
  /** Oldest first. */
  #lines: string[] = [];

  /** @param file @default `decorator-framework/console-history` below XDG_STATE_HOME, or below ~/.local/state */
  constructor(file: string = historyFile()) {
    this.#file = file;
    try {
      const all = readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== "");
      this.#lines = all.slice(-MOST);
      // Sessions only add lines, so that those that run at the same time keep each other's: now and then it is cut.
      if (all.length > MOST * 2) writeFileSync(file, `${this.#lines.join("\n")}\n`, { mode: 0o600 });
    } catch {
      // The first session, or a file that cannot be read.
    }
  }

  /** Newest first, each once, as readline has them. */
  get lines(): string[] {
    return [...new Set(this.#lines.toReversed())];
  }

  /** Keeps a line, unless it begins with a blank: that is how shells are told not to. */
  add(line: string): void {
    if (line.trim() === "" || /^\s/.test(line) || line === this.#lines.at(-1)) return;
    this.#lines.push(line);
    try {
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
      appendFileSync(this.#file, `${line}\n`, { mode: 0o600 });
    } catch {
      // A home that cannot be written: then this session has a history, and the next has none of it.
    }
  }
}

function historyFile(): string {
  // By the XDG base directory specification, a relative path counts as none.
  const state = process.env["XDG_STATE_HOME"] ?? "";
  const folder = state.startsWith("/") ? state : join(homedir(), ".local", "state");
  return join(folder, "decorator-framework", "console-history");
}
