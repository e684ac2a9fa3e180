/** One line of a stream. */
export interface Line {
  /** Without its end (`\n` or `\r\n`). */
  readonly text: string;
  /** How many bytes of the stream it takes, its end included. */
  readonly bytes: number;
  /** It was longer than allowed, and `text` is only its beginning. */
  readonly cut: boolean;
}

/** The longest line that is given out whole, in bytes, unless another bound is set. */
export const DEFAULT_MAX_LINE = 64 * 1024;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const NOTHING = Buffer.alloc(0);

/**
 * Cuts a stream of bytes into lines. Chunks may end anywhere: in the middle of a line, of a character, of `\r\n`.
 * Bytes that are not UTF-8 become U+FFFD. It never holds more than one line, and of that no more than is given out.
 */
export class LineSplitter {
  readonly #maxLine: number;
  /** The beginning of the line that is not complete yet: one byte more than allowed, which may be the `\r` of its end. */
  #kept: Buffer[] = [];
  #keptBytes = 0;
  /** The whole length of that line so far. */
  #length = 0;
  /** The first half of a surrogate pair whose other half is in the next chunk of text. */
  #half = "";

  /** @param maxLine The longest line that is given out whole, in bytes; of longer ones the rest is skipped. @default 65536 */
  constructor(maxLine: number = DEFAULT_MAX_LINE) {
    this.#maxLine = maxLine;
  }

  /** Takes the next chunk and answers with the lines that it completes; the chunk may be overwritten afterwards. */
  push(chunk: Uint8Array | string): Line[] {
    const bytes = this.#bytesOf(chunk);
    const lines: Line[] = [];
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, start);
      if (end < 0) break;
      lines.push(this.#complete(bytes.subarray(start, end), 1));
      start = end + 1;
    }
    if (start < bytes.length) this.#keep(bytes.subarray(start));
    return lines;
  }

  /** Ends the stream and answers with the last line, if there is one that has no end. */
  end(): Line | undefined {
    if (this.#half !== "") this.#keep(Buffer.from(this.#half));
    this.#half = "";
    return this.#length === 0 ? undefined : this.#complete(NOTHING, 0);
  }

  #keep(part: Buffer): void {
    this.#length += part.length;
    const room = this.#maxLine + 1 - this.#keptBytes;
    if (room <= 0) return;
    const copy = Buffer.from(part.subarray(0, room));
    this.#kept.push(copy);
    this.#keptBytes += copy.length;
  }

  #complete(last: Buffer, endBytes: number): Line {
    let content = last;
    let { length } = last;
    if (this.#length > 0) {
      this.#keep(last);
      content = Buffer.concat(this.#kept);
      length = this.#length;
      this.#kept = [];
      this.#keptBytes = this.#length = 0;
    }
    const bytes = length + endBytes;
    if (endBytes > 0 && length === content.length && content[length - 1] === RETURN) {
      length--;
      content = content.subarray(0, length);
    }
    const cut = length > this.#maxLine;
    return { text: cut ? beginning(content, this.#maxLine) : content.toString("utf8"), bytes, cut };
  }

  #bytesOf(chunk: Uint8Array | string): Buffer {
    if (typeof chunk === "string") return this.#encode(chunk);
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    return this.#half === "" ? bytes : Buffer.concat([this.#encode(""), bytes]);
  }

  #encode(text: string): Buffer {
    let whole = this.#half + text;
    this.#half = "";
    if (text !== "" && isFirstHalf(whole.charCodeAt(whole.length - 1))) {
      this.#half = whole.slice(-1);
      whole = whole.slice(0, -1);
    }
    return Buffer.from(whole);
  }
}

function isFirstHalf(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

/** The first bytes as text, less a character that they would cut in two. */
function beginning(content: Buffer, max: number): string {
  let end = max;
  // 10xxxxxx continues a character; four bytes are the longest there is.
  while (end > 0 && max - end < 3 && ((content[end] ?? 0) & 0xc0) === 0x80) end--;
  return content.toString("utf8", 0, end);
}
