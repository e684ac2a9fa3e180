import type { FilePosition } from "./file-position.ts";
import { findInode, inodeOf, isGzipped, rotatedSince } from "./rotated-files.ts";
import { TailedFile } from "./tailed-file.ts";

/** What reading goes on with. */
export interface Resumed {
  readonly tail: TailedFile;
  /** Whether it is what was read before; else lines between the two may be lost. */
  readonly same: boolean;
}

/** Files are renamed while they are looked for; then they are looked for again, so often at the most. */
const TRIES = 10;
/** Some programs that compress keep a file's time in whole seconds. */
const STEP_NS = 1_000_000_000n;

/**
 * The order in which the files that bear one name, one after another, are read. The file system keeps no such order: it
 * is worked out from inodes, which stay when names change, and from the times at which files were last written to.
 */
export class FileSequence {
  readonly #file: string;
  readonly #maxLine: number;
  /** Files that were read to their end, by inode, with the time of their last line: times come in steps, and are not unique. */
  readonly #finished = new Map<string, string>();

  constructor(file: string, maxLine: number) {
    this.#file = file;
    this.#maxLine = maxLine;
  }

  /**
   * Opens what reading goes on with after a stop, a failure, or when the file was emptied: the file that was read,
   * under whatever name it has now; or the copy that was made of it before it was emptied; or what was rotated since;
   * or the file of our name from its start. Undefined when there is none. Rejects with the system's errors.
   */
  async resume(position: FilePosition): Promise<Resumed | undefined> {
    if (position.inode === "") {
      const tail = await found(TailedFile.open(this.#file, this.#maxLine));
      return tail && { tail, same: true };
    }
    for (const [inode, modified] of Object.entries(position.finished ?? {})) {
      this.#finished.set(inode, modified);
    }
    // A file that had nothing in it cannot be told from itself, filled, copied and emptied meanwhile.
    const copied = position.head.bytes === 0 && (await this.#openCopied(position));
    const same = copied || ((await this.#reopen(position)) ?? (await this.#reopenCopy(position)));
    if (same) return { tail: same, same: true };
    const tail = await this.#openNext(BigInt(position.modified));
    return tail && { tail, same: false };
  }

  /** Opens the file that comes after one that was read to its end: the oldest rotated since, or the file of our name. Undefined when there is none yet. */
  async next(finished: TailedFile): Promise<TailedFile | undefined> {
    const { inode, modified } = finished.position;
    for (const [other, moment] of this.#finished) {
      if (BigInt(moment) < BigInt(modified)) this.#finished.delete(other);
    }
    this.#finished.set(inode, modified);
    return (await this.#packed(finished.position)) ?? this.#openNext(BigInt(modified));
  }

  /**
   * The file that was just read, compressed meanwhile: it is not read again, unless something was added to it before. It is
   * known by its beginning, its length and its time, which gzip keeps.
   */
  async #packed(position: FilePosition): Promise<TailedFile | undefined> {
    if (position.head.bytes === 0) return undefined;
    const since = BigInt(position.modified) - STEP_NS;
    for (const { path, inode, modified } of await rotatedSince(this.#file, since)) {
      if (!isGzipped(path) || this.#finished.has(inode) || modified > since + 2n * STEP_NS) continue;
      const twin = await found(TailedFile.reopen(path, this.#maxLine, { ...position, inode }));
      if (!twin) continue;
      if (twin.unread > 0) return twin;
      this.#finished.set(inode, position.modified);
      await twin.close();
    }
    return undefined;
  }

  /** Where reading should go on later, when it is at this file now. */
  position(tail: TailedFile): FilePosition {
    return { ...tail.position, finished: Object.fromEntries(this.#finished) };
  }

  async #openNext(moment: bigint): Promise<TailedFile | undefined> {
    for (let left = TRIES; left > 0; left--) {
      const current = await inodeOf(this.#file);
      const rotated = await rotatedSince(this.#file, moment);
      const later = rotated.find((one) => one.inode !== current && !this.#finished.has(one.inode));
      const tail = await found(TailedFile.open(later?.path ?? this.#file, this.#maxLine));
      // The names may have moved on meanwhile, and then this may not be the next one.
      if (tail?.inode === (later?.inode ?? current)) return tail;
      await tail?.close();
    }
    return undefined;
  }

  async #reopen(position: FilePosition): Promise<TailedFile | undefined> {
    for (let left = TRIES; left > 0; left--) {
      const path = await findInode(this.#file, position.inode);
      const tail = path && (await found(TailedFile.reopen(path, this.#maxLine, position)));
      if (tail) return tail;
      // Still under this name, so it is its content that differs.
      if (path && (await inodeOf(path)) === position.inode) return undefined;
    }
    return undefined;
  }

  /** Opens the oldest copy that was made of the file since it was empty. */
  async #openCopied({ inode, modified }: FilePosition): Promise<TailedFile | undefined> {
    if ((await inodeOf(this.#file)) !== inode) return undefined;
    const rotated = await rotatedSince(this.#file, BigInt(modified) + 1n);
    const copy = rotated.find((one) => !this.#finished.has(one.inode) && !isGzipped(one.path));
    return copy && found(TailedFile.open(copy.path, this.#maxLine));
  }

  async #reopenCopy(position: FilePosition): Promise<TailedFile | undefined> {
    if (position.head.bytes === 0) return undefined;
    for (const { path, inode } of await rotatedSince(this.#file, BigInt(position.modified))) {
      const tail = await found(TailedFile.reopen(path, this.#maxLine, { ...position, inode }));
      if (tail) return tail;
    }
    return undefined;
  }
}

/** Undefined for a file that is not there. */
async function found<File>(opening: Promise<File>): Promise<File | undefined> {
  try {
    return await opening;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined; // what node:fs rejects with
    throw error;
  }
}
