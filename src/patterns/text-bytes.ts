/** Case folds in ASCII: what differs in this bit only is taken for the same. */
export const FOLD = 0x20202020;
/** The scan reads the first char of four from the lowest byte; where machines do not, no literal is looked for. */
export const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
/** Of longer texts there is nothing behind: room for the word in which the text ends, and one more. */
const PADDING = 16;
/** Most lines are shorter. */
const ROOM = 16 * 1024;

/**
 * The text that is being scanned, as bytes: of each UTF-16 unit the last eight bits. Reading them is several times faster
 * than reading chars, in fours above all, and copying them out of a string costs next to nothing.
 *
 * Different chars may leave the same byte. The scan is a filter: what it lets through is verified on the text itself.
 */
export class TextBytes {
  bytes = new Uint8Array(0);
  /** The same memory in fours; the first char is in the lowest byte. */
  words = new Int32Array(0);
  /** Room for a place for each char. */
  hits = new Int32Array(0);
  #buffer = Buffer.alloc(0);

  /** Takes a text in, in place of the one before; answers in how many words it stands. */
  load(text: string): number {
    const { length } = text;
    if (length + PADDING > this.bytes.length) this.#grow(length);
    this.#buffer.write(text, 0, length, "latin1");
    // What the text before has left behind the end is not looked at beyond this.
    this.words[(length >>> 2) + 1] = 0;
    return (length + 3) >>> 2;
  }

  /** Four bytes from anywhere, folded; 0 before the text. */
  wordAt(at: number): number {
    if (at < 0) return at <= -4 ? 0 : ((this.words[0] as number) | FOLD) << (-at * 8);
    const word = this.words[at >> 2] as number; // behind the text there is padding
    const shift = (at & 3) * 8;
    if (shift === 0) return word | FOLD;
    return (word >>> shift) | ((this.words[(at >> 2) + 1] as number) << (32 - shift)) | FOLD;
  }

  #grow(length: number): void {
    const size = Math.max(ROOM, 2 ** Math.ceil(Math.log2(length + PADDING)));
    const memory = new ArrayBuffer(size);
    this.bytes = new Uint8Array(memory);
    this.words = new Int32Array(memory);
    this.hits = new Int32Array(size);
    this.#buffer = Buffer.from(memory);
  }
}
