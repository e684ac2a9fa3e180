import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { FrameworkError } from "../errors.ts";
import { gunzipped } from "./gunzipped.ts";
import { isGzipped } from "./rotated-files.ts";
import { type FilePosition, fingerprint, HEAD_BYTES } from "./file-position.ts";
import { type Line, LineSplitter } from "./line-splitter.ts";

interface Opened {
  readonly path: string;
  readonly handle: FileHandle;
  readonly stats: BigIntStats;
  /** What there is to be read; of a compressed file, when it is unpacked. */
  readonly size: bigint;
}

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * One open file that others append to. It stays the same file whatever happens to its name, and it is known to have
 * been emptied and filled anew by its size or by its first bytes.
 */
export class TailedFile {
  /** The name under which it was opened. */
  readonly path: string;
  readonly inode: string;
  /** The byte after the last line that was handled; the reader of {@link next} moves it on. */
  offset: number;
  readonly #handle: FileHandle;
  readonly #size: number;
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  readonly #splitter: LineSplitter;
  /** The byte to be read next. */
  #readAt: number;
  /** What the file began with when it was read, up to 256 bytes and never beyond `#readAt`. */
  #head: Buffer;
  /** When it was last written to, as of the last time it was read to its end. */
  #modified: bigint;

  private constructor(opened: Opened, maxLine: number, offset: number, head: Buffer) {
    this.path = opened.path;
    this.inode = String(opened.stats.ino);
    this.#size = Number(opened.size);
    this.offset = offset;
    this.#handle = opened.handle;
    this.#splitter = new LineSplitter(maxLine);
    this.#readAt = offset;
    this.#head = head;
    this.#modified = opened.stats.mtimeNs;
  }

  /** Opens a file at its start, or after its last complete line. Rejects with the system's error. */
  static async open(path: string, maxLine: number, from: "start" | "end" = "start"): Promise<TailedFile> {
    return opened(path, async (file) => {
      const offset = from === "start" ? 0 : await lineStart(file, maxLine);
      return new TailedFile(file, maxLine, offset, await readHead(file.handle, offset));
    });
  }

  /** Opens a file where reading it ended; undefined when it is not the same file, or not the same content. */
  static async reopen(
    path: string,
    maxLine: number,
    position: FilePosition,
  ): Promise<TailedFile | undefined> {
    return opened(path, async (file) => {
      const tail = new TailedFile(file, maxLine, 0, Buffer.alloc(0));
      return tail.inode === position.inode && (await tail.goTo(position)) ? tail : undefined;
    });
  }

  /** Goes to where reading ended, before anything is read; false, and nothing changes, when what was read had another content. */
  async goTo({ offset, head: before }: Pick<FilePosition, "offset" | "head">): Promise<boolean> {
    const now = fingerprint(await readHead(this.#handle, before.bytes));
    if (this.#size < offset || now.bytes !== before.bytes || now.hash !== before.hash) return false;
    this.offset = this.#readAt = offset;
    this.#head = await readHead(this.#handle, offset);
    return true;
  }

  /** Reads the next chunk and answers with the lines it completes; `end` when there is nothing more for now, `emptied` when what was read before is no longer what the file holds. */
  async next(): Promise<readonly Line[] | "end" | "emptied"> {
    // Looked at before the read: the other way round, lines read just before the file was emptied would be thrown away.
    const head = await readHead(this.#handle, this.#head.length);
    if (!head.equals(this.#head)) return "emptied";
    const { bytesRead } = await this.#handle.read(this.#chunk, 0, CHUNK_BYTES, this.#readAt);
    if (bytesRead === 0) return this.#atEnd();
    const chunk = this.#chunk.subarray(0, bytesRead);
    if (this.#head.length < HEAD_BYTES) {
      this.#head = Buffer.concat([this.#head, chunk.subarray(0, HEAD_BYTES - this.#head.length)]);
    }
    this.#readAt += bytesRead;
    return this.#splitter.push(chunk);
  }

  /** How many bytes there were behind the offset when it was opened. */
  get unread(): number {
    return this.#size - this.offset;
  }

  /** The last line of a file to which nothing is added any more, if it has no end. */
  rest(): Line | undefined {
    return this.#splitter.end();
  }

  /** Where reading it should go on later. */
  get position(): FilePosition {
    const { inode, offset } = this;
    return { inode, offset, modified: String(this.#modified), head: fingerprint(this.#head) };
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #atEnd(): Promise<"end" | "emptied"> {
    const stats = await this.#handle.stat({ bigint: true });
    if (stats.size < this.#readAt) return "emptied";
    // What was unpacked was written just now; its lines were written when the packed file says.
    if (!isGzipped(this.path)) this.#modified = stats.mtimeNs;
    return "end";
  }
}

async function opened<File extends TailedFile | undefined>(
  path: string,
  make: (opened: Opened) => Promise<File>,
): Promise<File> {
  // Without O_NONBLOCK, opening a pipe would wait for a writer.
  let handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  let file: File | undefined;
  try {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) throw new FrameworkError("FOLLOW_NOT_A_FILE", `${path} is not a file`);
    if (isGzipped(path)) {
      await handle.close();
      handle = await gunzipped(path);
    }
    const { size } = await handle.stat({ bigint: true });
    return (file = await make({ path, handle, stats, size }));
  } finally {
    if (!file) await handle.close();
  }
}

async function readHead(handle: FileHandle, before: number): Promise<Buffer> {
  const head = Buffer.alloc(Math.min(HEAD_BYTES, before));
  if (head.length === 0) return head;
  const { bytesRead } = await handle.read(head, 0, head.length, 0);
  return head.subarray(0, bytesRead);
}

/** Where the line begins that somebody may just be writing at the file's end, so that it will be given out whole. */
async function lineStart({ handle, size: bytes }: Opened, maxLine: number): Promise<number> {
  const size = Number(bytes);
  const tail = Buffer.alloc(Math.min(size, maxLine));
  if (tail.length === 0) return 0;
  const { bytesRead } = await handle.read(tail, 0, tail.length, size - tail.length);
  const newline = tail.subarray(0, bytesRead).lastIndexOf(NEWLINE);
  if (newline < 0) return tail.length === size ? 0 : size;
  return size - tail.length + newline + 1;
}
