import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type Clock, systemClock } from "../clock.ts";
import type { State } from "../engine.ts";
import { DeclarationError, LifecycleError } from "../errors.ts";
import { type Logger, silentLogger } from "../log.ts";
import { type FilePosition, NOWHERE } from "./file-position.ts";
import { FileSequence } from "./file-sequence.ts";
import { FileWatch } from "./file-watch.ts";
import type { Following } from "./glob-follower.ts";
import { handleLine, type LineHandler } from "./line-handling.ts";
import { DEFAULT_MAX_LINE, type Line } from "./line-splitter.ts";
import { PositionStore } from "./position-store.ts";
import type { TailedFile } from "./tailed-file.ts";

/** Options of a {@link FileFollower}. */
export interface FileFollowerOptions {
  /** The file; it need not be there yet. */
  readonly file: string;
  /** Gets each line, without its end; the next one comes when the returned promise has resolved. One it fails on comes again, up to five times within 15 s. */
  readonly onLine: LineHandler;
  /** Where reading begins when no position is stored: at the file's start, or at its end. @default false */
  readonly fromStart?: boolean;
  /** Where the position is kept: an engine's `state`. Without it nothing is remembered. */
  readonly state?: Pick<State, "get" | "set">;
  /** The key is `follow:<name>`: followers of one file that share a state need names of their own. @default the absolute path */
  readonly name?: string;
  /** The longest line that is given out whole, in bytes; of a longer one the rest is skipped. @default 65536 */
  readonly maxLine?: number;
  readonly clock?: Clock;
  readonly log?: Logger;
}

interface Waiter {
  readonly unfinished: boolean;
  resolve(): void;
  reject(reason: Error): void;
}

/**
 * Gives out the lines that are added to a file, across rotation (by rename, or by copying and truncating), truncation
 * and restarts.
 *
 * Each line is given out at least once. The position is stored after the lines before it were handled, each 1,000 lines
 * or each second, and at `stop`: after a clean stop none is repeated, after a kill -9 those since are. A rotated file is
 * read to its end before the next, also when it was rotated, and compressed with gzip, while nobody read.
 *
 * It goes on to the new file once that holds something, and takes this to mean that its writer has left the old one.
 * A file that was emptied is known by its size, or by its first 256 bytes when they have changed; a copy made before
 * (logrotate's `copytruncate`) is read to its end first.
 *
 * @example
 * const follower = new FileFollower({ file: "logs/app.log", onLine: (line) => app.match(line) });
 * await follower.start();
 */
export class FileFollower implements Following {
  /** The absolute path. */
  readonly file: string;
  readonly name: string;
  readonly #options: FileFollowerOptions;
  readonly #maxLine: number;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #watch: FileWatch;
  readonly #store: PositionStore;
  readonly #files: FileSequence;
  #life:
    | { readonly stopping: AbortController; readonly ready: Promise<void>; readonly done: Promise<void> }
    | undefined;
  #tail: TailedFile | undefined;
  /** Where to go on when no file is open. */
  #position: FilePosition = NOWHERE;
  #waiters: Waiter[] = [];
  /** What the log was told last of a state that lasts, so that it is told once. */
  #said = "";
  #cutIn: TailedFile | undefined;

  /** @throws {DeclarationError} `OPTION_INVALID` when `file` is empty or `maxLine` is not a whole number of at least 1. */
  constructor(options: FileFollowerOptions) {
    const { file, maxLine = DEFAULT_MAX_LINE, clock = systemClock, log = silentLogger } = options;
    if (typeof file !== "string" || file === "") throw invalid("file must be a path");
    if (!(Number.isInteger(maxLine) && maxLine > 0))
      throw invalid("maxLine must be a whole number of at least 1");
    this.file = resolve(file);
    this.name = options.name ?? this.file;
    this.#options = options;
    this.#maxLine = maxLine;
    this.#clock = clock;
    this.#log = log.child({ file: this.file });
    this.#watch = new FileWatch(this.file, clock);
    this.#files = new FileSequence(this.file, maxLine);
    this.#store = new PositionStore(`follow:${this.name}`, options.state, clock, this.#log);
  }

  /** Resolves when it is settled where reading begins: lines added from now on are given out. Legal twice. Rejects when the state cannot be read. */
  start(): Promise<void> {
    if (!this.#life) {
      const stopping = new AbortController();
      const ready = this.#begin();
      const done = ready.then(() => this.#run(stopping.signal));
      this.#life = { stopping, ready, done };
      // A failed start is told to its caller; afterwards it may be tried again.
      done.catch(() => (this.#life = undefined));
    }
    return this.#life.ready;
  }

  /** Lets the line that is being handled come to its end and stores the position. Legal before start, and twice. */
  async stop(): Promise<void> {
    const life = this.#life;
    if (!life) return;
    life.stopping.abort(stopped(this.file));
    this.#watch.wake();
    await life.done.catch(() => {});
    if (this.#life === life) this.#life = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Resolves when all complete lines that the file holds now have been handled.
   *
   * @param options `unfinished: true` for a file that is not written to any more: its last line is given out though it
   * has no end. What is added to that line later comes as another one.
   * @throws {LifecycleError} `FOLLOWER_STOPPED` when it is stopped before that, or was not started.
   */
  caughtUp(options: { readonly unfinished?: boolean } = {}): Promise<void> {
    if (!this.#life) return Promise.reject(stopped(this.file));
    return new Promise((done, reject) => {
      this.#waiters.push({ unfinished: options.unfinished ?? false, resolve: done, reject });
      this.#watch.wake();
    });
  }

  async #begin(): Promise<void> {
    const stored = await this.#store.load();
    this.#watch.open();
    this.#said = "";
    this.#position = stored ?? NOWHERE;
    try {
      const atEnd = !stored && !this.#options.fromStart;
      this.#tail = await (atEnd ? this.#files.begin("end") : this.#resume());
    } catch (error) {
      this.#sayUnreadable(error);
    }
    await this.#save();
  }

  async #run(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      const waiters = this.#waiters.splice(0);
      const passed = await this.#pass(stopping);
      if (passed && waiters.some((waiter) => waiter.unfinished)) await this.#giveRest(stopping);
      if (passed) for (const waiter of waiters) waiter.resolve();
      else this.#waiters.unshift(...waiters);
      if (this.#store.due) await this.#save();
      if (!stopping.aborted) await this.#watch.next();
    }
    await this.#save();
    this.#watch.close();
    await this.#close();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(stopping.reason);
  }

  /** Reads until nothing is left, from file to file; true when it came so far. */
  async #pass(stopping: AbortSignal): Promise<boolean> {
    try {
      for (;;) {
        // Looked at before the last read of an old file: what its writer wrote before it turned to the new one is in it.
        const current = await stat(this.file, { bigint: true }).catch(missing);
        if (!current) this.#say("missing", "the file does not exist: waiting for it");
        if (!this.#tail) {
          this.#tail = await this.#resume();
          if (!this.#tail) return true;
          continue;
        }
        const ended = await this.#drain(this.#tail, stopping);
        if (stopping.aborted) return false;
        if (current) this.#say("reading", "reading the file", "debug");
        if (!ended) await this.#leaveEmptied();
        else if (!current || current.size === 0n || String(current.ino) === this.#tail.inode) return true;
        else await this.#moveOn(this.#tail, stopping);
      }
    } catch (error) {
      this.#sayUnreadable(error);
      await this.#close();
      return false;
    }
  }

  async #resume(): Promise<TailedFile | undefined> {
    const resumed = await this.#files.resume(this.#position);
    if (!resumed) return undefined;
    const { tail, same } = resumed;
    if (!same) {
      const next = { next: tail.path, left: this.#position.offset };
      this.#log.warn(
        next,
        "the file that was read is gone or was emptied: reading the next one from its start",
      );
    }
    this.#watch.open();
    return tail;
  }

  /** Hands out all lines up to the end; false when the file was found emptied, or it is time to stop. */
  async #drain(tail: TailedFile, stopping: AbortSignal): Promise<boolean> {
    while (!stopping.aborted) {
      const lines = await tail.next();
      if (lines === "end") return true;
      if (lines === "emptied") return false;
      for (const line of lines) {
        if (stopping.aborted) return false;
        await this.#give(tail, line, stopping);
        if (this.#store.due) await this.#save();
      }
    }
    return false;
  }

  async #leaveEmptied(): Promise<void> {
    await this.#close();
    this.#tail = await this.#resume();
    this.#store.moved();
  }

  async #moveOn(tail: TailedFile, stopping: AbortSignal): Promise<void> {
    await this.#giveRest(stopping);
    if (stopping.aborted) return;
    const next = await this.#files.next(tail);
    if (!next) return;
    await this.#close();
    this.#tail = next;
    this.#store.moved();
    this.#log.info({ next: next.path }, "the file was rotated: going on with the next one");
    this.#watch.open();
  }

  async #giveRest(stopping: AbortSignal): Promise<void> {
    const rest = this.#tail?.rest();
    if (this.#tail && rest) await this.#give(this.#tail, rest, stopping);
  }

  async #give(tail: TailedFile, line: Line, stopping: AbortSignal): Promise<void> {
    const position = { file: tail.path, offset: tail.offset };
    if (line.cut && this.#cutIn !== tail) {
      this.#cutIn = tail;
      const fields = { ...position, bytes: line.bytes, maxLine: this.#maxLine };
      this.#log.warn(fields, "a line is too long: only its beginning is read (said once for each file)");
    }
    const surroundings = { clock: this.#clock, log: this.#log, stopping };
    if (!(await handleLine(this.#options.onLine, line.text, position, surroundings))) return;
    tail.offset += line.bytes;
    this.#store.moved();
  }

  async #save(): Promise<void> {
    await this.#store.save(this.#tail ? this.#files.position(this.#tail) : this.#position);
  }

  async #close(): Promise<void> {
    const tail = this.#tail;
    if (!tail) return;
    this.#position = this.#files.position(tail);
    this.#tail = undefined;
    // Nothing was written to it, so there is nothing that closing could lose.
    await tail.close().catch(() => {});
  }

  #sayUnreadable(error: unknown): void {
    const { code = "UNKNOWN", message } = error as NodeJS.ErrnoException; // what node:fs rejects with
    if (code === "ENOENT") this.#say("missing", "the file does not exist: waiting for it");
    else this.#say(code, `the file cannot be read (${message}): trying again`, "error");
  }

  #say(what: string, message: string, level: "debug" | "warn" | "error" = "warn"): void {
    if (this.#said === what) return;
    this.#said = what;
    this.#log[level]({}, message);
  }
}

/** For a file that is not there; every other failure is one. */
function missing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error; // what node:fs rejects with
}

function stopped(file: string): LifecycleError {
  return new LifecycleError("FOLLOWER_STOPPED", `The follower of ${file} is not running: start() it.`);
}

function invalid(why: string): DeclarationError {
  return new DeclarationError("OPTION_INVALID", `follow: ${why}.`);
}
