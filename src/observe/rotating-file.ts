import * as fs from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { ConfigError } from "../errors.ts";

/** How a {@link RotatingFile} is kept. */
export interface RotatingFileOptions {
  /** The directory; made when it is not there. */
  readonly dir: string;
  /** The file in use is `NAME.log`, older ones are `NAME.1.log.gz` and so on, a higher number being younger. */
  readonly name: string;
  /** A file is not written beyond this many bytes. @default 10 MB */
  readonly maxBytes?: number;
  /** How many files there are at the most, the one in use included. @default 5 */
  readonly maxFiles?: number;
}

interface Old {
  readonly number: number;
  readonly path: string;
  readonly packed: boolean;
}

const MAX_BYTES = 10 * 1024 * 1024;
const MAX_FILES = 5;
/** How often it is looked whether the file still is the one in the directory: others move log files, too. */
const LOOK_MS = 1_000;
/** A file that was moved away is left alone for so long: another process may still be about to write to it. */
const SETTLE_MS = 2 * LOOK_MS;
const UNFINISHED = ".gz.tmp";

/**
 * A log file that is put aside when it is full. Old files are compressed, and the oldest removed.
 *
 * Lines are written at once and one by one: none is lost when the process is killed, and none is cut in two by a
 * rotation. When the disk is full the program goes on without its log, says so once, and counts what it could not write.
 * A file that somebody else moved or removed is made anew.
 */
export class RotatingFile {
  /** How many lines could not be written. */
  lost = 0;
  readonly #dir: string;
  readonly #name: string;
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #maxFiles: number;
  #fd: number | undefined;
  #inode = 0;
  #size = 0;
  #looked = 0;
  #packing: Promise<void> | undefined;
  #packTimer: NodeJS.Timeout | undefined;

  /** @throws {ConfigError} when the directory or the file cannot be written. */
  constructor(options: RotatingFileOptions) {
    this.#dir = options.dir;
    this.#name = options.name;
    this.#path = join(options.dir, `${options.name}.log`);
    this.#maxBytes = options.maxBytes ?? MAX_BYTES;
    this.#maxFiles = options.maxFiles ?? MAX_FILES;
    try {
      this.#open();
      this.#removeUnfinished();
      this.#tidy();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new ConfigError([
        `LOG_DIR is ${JSON.stringify(options.dir)}, where no log can be written: ${why}. Name a directory that this user may write to, or unset LOG_DIR to log to the console only.`,
      ]);
    }
  }

  /** Appends a line, which ends in a line break. Never throws. */
  write(line: string): void {
    try {
      const bytes = Buffer.from(line);
      this.#look();
      if (this.#isFull(bytes)) this.#rotate(bytes);
      this.#append(bytes);
    } catch (error) {
      if (this.lost++ === 0) process.stderr.write(`${this.#path} cannot be written: ${String(error)}\n`);
      this.#reset();
    }
  }

  /** Resolves when the old files are compressed and the file is closed; another write opens it again. */
  async close(): Promise<void> {
    this.#reset();
    clearTimeout(this.#packTimer);
    await this.#packing;
    await this.#pack(Number.POSITIVE_INFINITY);
  }

  #append(bytes: Buffer): void {
    if (this.#fd === undefined) this.#open();
    for (let written = 0; written < bytes.length;) {
      // #open has set the descriptor, or thrown.
      written += fs.writeSync(this.#fd as number, bytes, written);
    }
    this.#size += bytes.length;
  }

  #isFull(bytes: Buffer): boolean {
    return this.#size > 0 && this.#size + bytes.length > this.#maxBytes;
  }

  #open(): void {
    fs.mkdirSync(this.#dir, { recursive: true });
    this.#fd = fs.openSync(this.#path, "a");
    const { ino, size } = fs.fstatSync(this.#fd);
    this.#inode = ino;
    this.#size = size;
  }

  #reset(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** Opens the file anew when it is no longer the one in the directory, and learns of what others have written to it. */
  #look(): void {
    const now = Date.now();
    if (this.#fd !== undefined && now - this.#looked < LOOK_MS && now >= this.#looked) return;
    this.#looked = now;
    const found = fs.statSync(this.#path, { throwIfNoEntry: false });
    if (found?.ino !== this.#inode) this.#reset();
    if (this.#fd === undefined) this.#open();
    else if (found) this.#size = found.size;
  }

  #rotate(bytes: Buffer): void {
    this.#looked = 0;
    this.#look();
    // Another process that shares the file may just have put it aside.
    if (!this.#isFull(bytes)) return;
    this.#reset();
    const last = this.#old().reduce((most, { number }) => Math.max(most, number), 0);
    fs.renameSync(this.#path, join(this.#dir, `${this.#name}.${last + 1}.log`));
    this.#open();
    this.#tidy();
  }

  /** Removes the oldest files, and sees to it that the others are compressed. */
  #tidy(): void {
    const old = this.#old();
    for (const { path } of old.slice(0, Math.max(0, old.length - (this.#maxFiles - 1)))) {
      fs.rmSync(path, { force: true });
    }
    if (old.every(({ packed }) => packed)) return;
    clearTimeout(this.#packTimer);
    this.#packTimer = setTimeout(() => void this.#pack(Date.now() - SETTLE_MS), SETTLE_MS).unref();
  }

  /** The files that were put aside, the oldest first. */
  #old(): Old[] {
    const old: Old[] = [];
    for (const file of fs.readdirSync(this.#dir)) {
      if (!file.startsWith(`${this.#name}.`)) continue;
      const [, number, packed] = /^\.(\d+)\.log(\.gz)?$/.exec(file.slice(this.#name.length)) ?? [];
      if (number === undefined) continue;
      old.push({ number: Number(number), path: join(this.#dir, file), packed: packed !== undefined });
    }
    return old.sort((a, b) => a.number - b.number);
  }

  /** What a process that was killed while it compressed has left behind. */
  #removeUnfinished(): void {
    for (const file of fs.readdirSync(this.#dir)) {
      if (file.startsWith(`${this.#name}.`) && file.endsWith(UNFINISHED)) fs.rmSync(join(this.#dir, file));
    }
  }

  /** Compresses the old files that nobody has written to since a moment, one after the other. */
  #pack(since: number): Promise<void> {
    return (this.#packing ??= this.#packAll(since).finally(() => {
      this.#packing = undefined;
    }));
  }

  async #packAll(since: number): Promise<void> {
    try {
      for (const { path, packed } of this.#old()) {
        const stat = packed ? undefined : fs.statSync(path, { throwIfNoEntry: false });
        if (stat && stat.mtimeMs <= since) await compress(path);
      }
      this.#tidy();
    } catch {
      // The lines are safe in the file as it is, and the next rotation or start tries again.
    }
  }
}

/** Takes the place of a file by its compressed copy, which has its name only once it is whole. */
async function compress(path: string): Promise<void> {
  const unfinished = `${path}${UNFINISHED}`;
  try {
    await pipeline(fs.createReadStream(path), createGzip(), fs.createWriteStream(unfinished));
    // It may have grown too old meanwhile and been removed.
    if (fs.existsSync(path)) fs.renameSync(unfinished, `${path}.gz`);
    fs.rmSync(path, { force: true });
  } finally {
    fs.rmSync(unfinished, { force: true });
  }
}
