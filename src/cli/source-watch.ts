import { type FSWatcher, watch } from "node:fs";
import { dirname, join } from "node:path";

/** Editors write a file in several steps; after the last one it is quiet for this long. */
const QUIET_MS = 100;
const SOURCE = /\.(?:[cm]?[jt]sx?|json)$/;

/** Tells of changes of the files that an app was loaded from. */
export class SourceWatch {
  readonly #files = new Set<string>();
  readonly #folders = new Map<string, FSWatcher>();
  #anySource = false;
  #timer: NodeJS.Timeout | undefined;
  #tell: (file: string | undefined) => void = () => {};

  /** @param files Paths, absolute. */
  constructor(...files: readonly string[]) {
    for (const file of files) this.add(file);
  }

  /** Watches one more file. Its folder is watched, because editors put a new file in the place of the old one. */
  add(file: string): void {
    this.#files.add(file);
    const folder = dirname(file);
    if (this.#folders.has(folder)) return;
    const watcher = watch(folder, (_event, name) => this.#changed(name === null ? file : join(folder, name)));
    // A folder that is removed while it is watched.
    watcher.on("error", () => watcher.close());
    this.#folders.set(folder, watcher);
  }

  /** From now to the next change, also a source file that was not loaded counts: it may be the one that was missing. */
  countAnySource(): void {
    this.#anySource = true;
  }

  /** Resolves with the first file that changes from now on, when all is quiet again; with undefined when closed. */
  next(): Promise<string | undefined> {
    this.#anySource = false;
    clearTimeout(this.#timer);
    return new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#folders.values()) watcher.close();
    this.#tell(undefined);
  }

  #changed(file: string): void {
    if (!this.#files.has(file) && !(this.#anySource && SOURCE.test(file))) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(file), QUIET_MS);
  }
}
