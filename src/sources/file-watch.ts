import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";
import type { Clock } from "../clock.ts";

/** The wait without any sign: file systems that give none (network mounts, symbolic links) are seen this late. */
const POLL_MS = 1_000;
/** A writer of thousands of lines a second is read in pieces, not line by line. */
const GATHER_MS = 10;

/**
 * Tells when a file is worth another look: the system says that something happened to it, or a second has passed.
 * The folder is watched and not the file, because a rotated file's name goes to another one.
 */
export class FileWatch {
  readonly #file: string;
  readonly #clock: Clock;
  #watcher: FSWatcher | undefined;
  #stirred = false;
  #woken = false;
  #resolve: (() => void) | undefined;
  #gather: (() => void) | undefined;

  constructor(file: string, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
  }

  /** Begins to watch, anew if it did: a folder may have been removed and made again. */
  open(): void {
    this.close();
    try {
      const name = basename(this.#file);
      this.#watcher = watch(dirname(this.#file), { persistent: false }, (_, changed) => {
        if (changed === null || changed === name) this.#stir();
      });
      this.#watcher.on("error", () => this.close());
    } catch {
      // The folder is not there, or the system has no watches left: a look every second it is.
      this.#watcher = undefined;
    }
  }

  /** Resolves when it is time for a look; at once when there was a sign since the last time. The wait keeps the process running. */
  async next(): Promise<void> {
    if (!this.#woken) await this.#wait();
    this.#woken = this.#stirred = false;
  }

  /** Ends the wait now. */
  wake(): void {
    this.#woken = true;
    this.#resolve?.();
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  async #wait(): Promise<void> {
    const timers = [this.#clock.setTimer(() => this.wake(), POLL_MS, true)];
    this.#gather = () => void timers.push(this.#clock.setTimer(() => this.wake(), GATHER_MS, true));
    if (this.#stirred) this.#gather();
    await new Promise<void>((resolve) => (this.#resolve = resolve));
    this.#resolve = this.#gather = undefined;
    for (const timer of timers) timer.cancel();
  }

  #stir(): void {
    if (this.#stirred) return;
    this.#stirred = true;
    this.#gather?.();
  }
}
