import type { Content, FilePosition, FinishedFile } from "./file-position.ts";
import { findInode, inodeOf, isGzipped, type Neighbour, rotatedSince } from "./rotated-files.ts";
import { contentOf, TailedFile } from "./tailed-file.ts";

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

/** So many files are known again when they are packed long after they were read. */
const REMEMBERED = 16;

/**
 * The order in which the files that bear one name, one after another, are read. The file system keeps no such order: it
 * is worked out from inodes, which stay when names change, and from the times at which files were last written to. A packed
 * file has another inode, and often a time that says nothing: it is known by its content.
 */
export class FileSequence {
  readonly #file: string;
  readonly #maxLine: number;
  /** Files that were read to their end, oldest first: times come in steps and are not unique, and inodes are used again. */
  #finished: readonly FinishedFile[] = [];
  /** What was rotated before this moment is read. A packed file may have a later time, and does not move it on. */
  #moment = 0n;

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
    this.#finished = position.finished ?? [];
    this.#moment = BigInt(position.modified);
    // A file that had nothing in it cannot be told from itself, filled, copied and emptied meanwhile.
    const copied = position.head.bytes === 0 && (await this.#openCopied(position));
    const same = copied || ((await this.#reopen(position)) ?? (await this.#reopenCopy(position)));
    if (same) return { tail: same, same: true };
    const tail = await this.#openNext();
    return tail && { tail, same: false };
  }

  /** Leaves alone what was rotated before reading began, also when it is packed later. */
  async passOver(): Promise<void> {
    const rotated = (await rotatedSince(this.#file, 0n)).slice(-REMEMBERED);
    for (const { path, inode, modified } of rotated) {
      const content = isGzipped(path) ? NOTHING : await contentOf(path);
      if (content) this.#finish({ ...content, inode, modified: String(modified) });
    }
  }

  /** Opens the file that comes after one that was read to its end: the oldest rotated since, or the file of our name. Undefined when there is none yet. */
  async next(finished: TailedFile): Promise<TailedFile | undefined> {
    const { position } = finished;
    const { inode, modified, head, offset } = position;
    if (!isGzipped(finished.path)) this.#moment = BigInt(modified);
    this.#finish({ inode, head, bytes: offset, modified });
    return (await this.#packed(position)) ?? this.#openNext();
  }

  /** The file that was just read, packed meanwhile, where something was added to it before. Its time is its own: gzip keeps it. */
  async #packed(position: FilePosition): Promise<TailedFile | undefined> {
    if (position.head.bytes === 0) return undefined;
    const since = BigInt(position.modified) - STEP_NS;
    for (const { path, inode, modified } of await rotatedSince(this.#file, since)) {
      if (!isGzipped(path) || modified > since + 2n * STEP_NS) continue;
      const twin = await found(TailedFile.reopen(path, this.#maxLine, { ...position, inode }));
      if (twin && twin.unread > 0) return twin;
      await twin?.close();
    }
    return undefined;
  }

  /** Whether a file was read to its end, if under another inode, before it was packed. */
  async #isFinished({ path, inode, modified }: Neighbour): Promise<boolean> {
    const here = this.#finished.filter((file) => file.inode === inode);
    if (here.some((file) => file.modified === String(modified))) return true;
    if (here.length === 0 && !isGzipped(path)) return false;
    const content = await contentOf(path);
    if (!content) return false;
    // Its writer has added something late; else the inode is another file's by now.
    if (here.some((file) => file.bytes > 0 && file.head.hash === content.head.hash)) return true;
    const twin = isGzipped(path) && (await this.#goneLike(content));
    if (!twin) return false;
    this.#finished = this.#finished.filter((file) => file !== twin);
    this.#finish({ ...content, inode, modified: String(modified) });
    return true;
  }

  /** The file that was read, had this content, and is not there any more: packed, it is this one. */
  async #goneLike(content: Content): Promise<FinishedFile | undefined> {
    const there = await rotatedSince(this.#file, 0n);
    return this.#finished.find(
      (file) =>
        isSame(file, content) &&
        !there.some((one) => one.inode === file.inode && String(one.modified) === file.modified),
    );
  }

  /** Keeps the last few, and those that are not older than what is read now. */
  #finish(file: FinishedFile): void {
    const kept = this.#finished.filter(
      ({ modified }, place, { length }) => length - place < REMEMBERED || BigInt(modified) >= this.#moment,
    );
    this.#finished = [...kept, file];
  }

  /** Where reading should go on later, when it is at this file now. */
  position(tail: TailedFile): FilePosition {
    const moment = isGzipped(tail.path) && { modified: String(this.#moment) };
    return { ...tail.position, ...moment, finished: this.#finished };
  }

  async #openNext(): Promise<TailedFile | undefined> {
    for (let left = TRIES; left > 0; left--) {
      const current = await inodeOf(this.#file);
      const unread = (): Promise<Neighbour | undefined> =>
        this.#firstUnread(this.#moment, ({ inode }) => inode !== current);
      const later = await unread();
      const tail = await found(TailedFile.open(later?.path ?? this.#file, this.#maxLine));
      // The names may have moved on meanwhile, and then this may not be the next one: an inode alone may be another file's by now.
      const isNext = tail?.inode === (later?.inode ?? current);
      if (isNext && (later || !(await unread()))) return tail;
      await tail?.close();
    }
    return undefined;
  }

  /** The oldest of those that were rotated since a moment and are to be looked at. */
  async #firstUnread(moment: bigint, wanted: (one: Neighbour) => boolean): Promise<Neighbour | undefined> {
    for (const one of await rotatedSince(this.#file, moment))
      if (wanted(one) && !(await this.#isFinished(one))) return one;
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
    const copy = await this.#firstUnread(BigInt(modified) + 1n, ({ path }) => !isGzipped(path));
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

const NOTHING: Content = { head: { bytes: 0, hash: "" }, bytes: 0 };

function isSame(one: Content, other: Content): boolean {
  return one.bytes > 0 && one.bytes === other.bytes && one.head.hash === other.head.hash;
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
