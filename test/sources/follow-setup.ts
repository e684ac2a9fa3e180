import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { State } from "../../src/engine.ts";
import type { Logger, LogLevel } from "../../src/log.ts";
import { FileFollower, type FileFollowerOptions } from "../../src/sources/file-follower.ts";

/** The part of a state that followers use. */
export class MapState implements Pick<State, "get" | "set"> {
  readonly values = new Map<string, string>();
  sets = 0;

  async get(key: string): Promise<string | undefined> {
    return this.values.get(key);
  }

  async set(key: string, value: string): Promise<void> {
    this.sets++;
    this.values.set(key, value);
  }
}

/** Keeps what it is told, as `level: message`. */
export function listeningLog(): { readonly log: Logger; readonly said: string[] } {
  const said: string[] = [];
  const at = (level: LogLevel) => (_fields: object, message?: string) =>
    void said.push(`${level}: ${message}`);
  const log: Logger = {
    trace: at("trace"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    fatal: at("fatal"),
    child: () => log,
  };
  return { log, said };
}

/** A folder of its own with the path of a log file in it, and followers that are stopped when the test has ended. */
export async function setUp() {
  const folder = await mkdtemp(join(tmpdir(), "follow-"));
  const file = join(folder, "app.log");
  const state = new MapState();
  const lines: string[] = [];
  const followers: FileFollower[] = [];
  onTestFinished(async () => {
    await Promise.all(followers.map((follower) => follower.stop()));
    await rm(folder, { recursive: true });
  });
  return {
    folder,
    file,
    state,
    /** What all followers have given out. */
    lines,
    append: (text: string | Uint8Array) => appendFile(file, text),
    follower: (options: Partial<FileFollowerOptions> = {}): FileFollower => {
      const onLine = (line: string) => void lines.push(line);
      const follower = new FileFollower({ file, state, onLine, ...options });
      followers.push(follower);
      return follower;
    },
  };
}

/** Waits until `condition` holds, twenty seconds at the most. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within 20 s: ${condition.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
