import { existsSync } from "node:fs";
import { glob } from "node:fs/promises";
import { resolve } from "node:path";
import { type Clock, systemClock, type Timer } from "../clock.ts";
import { FileFollower, type FileFollowerOptions } from "./file-follower.ts";
import { isRotatedFromOne } from "./rotated-files.ts";

/** How often it is looked whether there are new files. */
const LOOK_EVERY_MS = 1_000;

/** What can be done with something that is followed: one file, or all that a glob names. */
export interface Following extends AsyncDisposable {
  /** The absolute path, or the glob. */
  readonly file: string;
  /** Lets the lines that are being handled come to their end and stores the positions. Legal twice. */
  stop(): Promise<void>;
  /** Resolves when all complete lines that are there now have been handled. */
  caughtUp(options?: { readonly unfinished?: boolean }): Promise<void>;
}

/** Whether a name stands for several files: it has a `*`, `?`, `[` or `{`, and is not itself the name of one. */
export function isGlob(file: string): boolean {
  return /[*?[{]/.test(file) && !existsSync(file);
}

/**
 * Follows every file that a glob names, each with a position of its own. Files that come while it runs are read from their
 * start, since all in them is new; one that goes away is waited for. A file that was rotated from another of them is read
 * as that one's, and not as a file of its own.
 *
 * @example
 * await using follower = new GlobFollower({ file: "/var/log/app/*.log", onLine: (line) => app.match(line) });
 * await follower.start();
 */
export class GlobFollower implements Following {
  readonly file: string;
  readonly #options: FileFollowerOptions;
  readonly #clock: Clock;
  readonly #followers = new Map<string, FileFollower>();
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: FileFollowerOptions) {
    this.file = options.file;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** The files that are followed now. */
  get files(): readonly string[] {
    return [...this.#followers.keys()];
  }

  /** Resolves when all files that there are now are followed. Rejects when the state cannot be read. */
  async start(): Promise<void> {
    await this.#look(this.#options.fromStart ?? false);
    this.#lookLater();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking.catch(() => {});
    await Promise.all([...this.#followers.values()].map((follower) => follower.stop()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async caughtUp(options?: { readonly unfinished?: boolean }): Promise<void> {
    if (!this.#stopped) await this.#look(true);
    await Promise.all([...this.#followers.values()].map((follower) => follower.caughtUp(options)));
  }

  /** One look at a time: two would follow a new file twice. */
  #look(fromStart: boolean): Promise<void> {
    return (this.#looking = this.#looking.catch(() => {}).then(() => this.#followNew(fromStart)));
  }

  async #followNew(fromStart: boolean): Promise<void> {
    const files = new Set(this.#followers.keys());
    for await (const found of glob(this.file, { withFileTypes: true })) {
      if (!found.isDirectory()) files.add(resolve(found.parentPath, found.name));
    }
    for (const file of files) {
      if (this.#stopped || this.#followers.has(file) || isRotatedFromOne(file, files)) continue;
      const { name } = this.#options;
      const follower = new FileFollower({
        ...this.#options,
        file,
        fromStart,
        ...(name !== undefined && { name: `${name}:${file}` }),
      });
      await follower.start();
      this.#followers.set(file, follower);
    }
  }

  #lookLater(): void {
    this.#timer = this.#clock.setTimer(() => {
      void this.#look(true)
        // A folder that cannot be read now is looked at again.
        .catch((error: unknown) =>
          this.#options.log?.warn({ err: error, glob: this.file }, "the files could not be listed"),
        )
        .finally(() => {
          if (!this.#stopped) this.#lookLater();
        });
    }, LOOK_EVERY_MS);
  }
}
