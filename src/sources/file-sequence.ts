import { type FilePosition, NOWHERE } from "./file-position.ts";
import { findInode, inodeOf, isGzipped, type Neighbour, rotatedSince } from "./rotated-files.ts";
import { TailedFile } from "./tailed-file.ts";

/** What reading goes on with. */
export interface Resumed {
  readonly tail: TailedFile;
  /** Whether it is what was read before; else lines between the two may be lost. */
  readonly same: boolean;
}

/** Files are renamed while they are looked for; then they are looked for again, so often at the most. */
const TRIES = 10;
/** How many finished files are remembered beside those that their times cannot tell from unread ones: until they are compressed. */
const REMEMBERED = 8;

/**
 * The order in which the files that bear one name, one after another, are read. The file system keeps no such order: it
 * is worked out from inodes, which stay when names change, and from the times at which files were last written to. A
 * compressed file may have another time: it is known by its beginning and its length, and its time is taken for no other's.
 */
export class FileSequence {
  readonly #file: string;
  readonly #maxLine: number;
  /** Files that were read to their end, the latest at the end. */
  #finished: readonly FilePosition[] = [];
  /** The time of the last line that was read, compressed files left aside. */
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
      const tail = await this.begin("start");
      return tail && { tail, same: true };
    }
    this.#finished = position.finished ?? [];
    this.#moment = BigInt(position.modified);
    // A file that had nothing in it cannot be known again, and need not be: nothing was read of it.
    const empty = position.head.bytes === 0;
    const same = empty ? undefined : ((await this.#reopen(position)) ?? (await this.#reopenCopy(position)));
    if (same) return { tail: same, same: true };
    const tail = await this.#openNext();
    return tail && { tail, same: empty };
  }

  /** Opens the file of our name where nothing was read before; what was rotated until then is passed over. Undefined when there is none. */
  async begin(from: "start" | "end"): Promise<TailedFile | undefined> {
    const rotated = await rotatedSince(this.#file, 0n);
    const tail = await found(TailedFile.open(this.#file, this.#maxLine, from));
    const others = rotated.filter(({ inode }) => inode !== tail?.inode);
    this.#finished = tail
      ? await Promise.all(others.slice(-REMEMBERED).map((one) => this.#wholeOf(one)))
      : [];
    return tail;
  }

  /** Opens the file that comes after one that was read to its end: the oldest rotated since, or the file of our name. Undefined when there is none yet. */
  async next(finished: TailedFile): Promise<TailedFile | undefined> {
    const { position } = finished;
    const others = this.#finished.filter(({ inode, modified }) => {
      return inode !== position.inode || modified !== position.modified;
    });
    this.#finished = [...others, position];
    if (!isGzipped(finished.path)) this.#moment = BigInt(position.modified);
    return this.#openNext();
  }

  /** Where reading should go on later, when it is at this file now. */
  position(tail: TailedFile): FilePosition {
    const modified = isGzipped(tail.path) ? String(this.#moment) : tail.position.modified;
    return { ...tail.position, modified, finished: this.#finished };
  }

  async #openNext(): Promise<TailedFile | undefined> {
    for (let left = TRIES; left > 0; left--) {
      const current = await inodeOf(this.#file);
      const later = await this.#unread(current);
      const tail = await found(TailedFile.open(later?.path ?? this.#file, this.#maxLine));
      // The names may have moved on meanwhile, and then this may not be the next one; an inode alone may be another file's by now.
      const moved = tail?.inode !== (later?.inode ?? current) || (!later && (await this.#unread(current)));
      if (!moved && !(tail && later && (await this.#wasFinished(tail, later)))) return tail;
      await tail?.close();
    }
    return undefined;
  }

  /** The oldest rotated file that was not read, as far as its inode and its time tell. */
  async #unread(current: string | undefined): Promise<Neighbour | undefined> {
    const rotated = await rotatedSince(this.#file, this.#moment);
    this.#forget(rotated);
    return rotated.find((one) => one.inode !== current && !this.#isFinished(one));
  }

  /** Whether a rotated file was read to its end before, under another inode or time; else goes to where reading it ended. */
  async #wasFinished(tail: TailedFile, file: Neighbour): Promise<boolean> {
    const rotated = await rotatedSince(this.#file, 0n);
    const last = this.#finished.at(-1);
    // What is still there under its inode is not what was compressed, and one that was made later has only its inode.
    const twins = this.#finished.filter((one) =>
      isGzipped(file.path)
        ? !rotated.some((other) => isOf(one, other))
        : one.inode === file.inode && file.born <= BigInt(one.modified),
    );
    for (const twin of twins) {
      if (!(await tail.goTo(twin)) || tail.unread > 0) continue;
      const again = { ...twin, inode: file.inode, modified: String(file.modified) };
      this.#finished = this.#finished.map((one) => (one === twin ? again : one));
      return true;
    }
    // Added to after it was left: of those that were compressed only the last one, for others may begin alike.
    const grown = twins.findLast((one) => one === last || one.inode === file.inode);
    if (!grown || !(await tail.goTo(grown))) await tail.goTo(NOWHERE);
    return false;
  }

  #isFinished(file: Neighbour): boolean {
    return this.#finished.some((one) => isOf(one, file));
  }

  /** Those that would be taken for unread stay, and the latest of the others. */
  #forget(rotated: readonly Neighbour[]): void {
    const others = this.#finished.filter((one) => !rotated.some((file) => isOf(one, file)));
    const old = new Set(others.slice(0, -REMEMBERED));
    this.#finished = this.#finished.filter((one) => !old.has(one));
  }

  /** The position at a file's end; of a compressed one without its beginning: that it is there is enough to know it. */
  async #wholeOf({ path, inode, modified }: Neighbour): Promise<FilePosition> {
    const unknown = { ...NOWHERE, inode, modified: String(modified) };
    if (isGzipped(path)) return unknown;
    // One that may not be read is none that was.
    const tail = await TailedFile.open(path, this.#maxLine).catch(() => undefined);
    await tail?.goTo({ ...NOWHERE, offset: tail.unread });
    await tail?.close();
    return tail?.inode === inode ? tail.position : unknown;
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

  async #reopenCopy(position: FilePosition): Promise<TailedFile | undefined> {
    for (const one of await rotatedSince(this.#file, BigInt(position.modified))) {
      if (this.#isFinished(one)) continue;
      const there = { ...position, inode: one.inode };
      const tail = await found(TailedFile.reopen(one.path, this.#maxLine, there));
      if (tail) return tail;
    }
    return undefined;
  }
}

/** Inodes are used again, and times come in steps: the length tells those apart that have both. */
function isOf({ inode, modified, offset }: FilePosition, file: Neighbour): boolean {
  const sameLength = isGzipped(file.path) || file.size === offset;
  return sameLength && inode === file.inode && modified === String(file.modified);
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
