import { LineSplitter } from "./line-splitter.ts";

/** Options of {@link lines}. */
export interface LinesOptions {
  /** The longest line that is given out whole, in bytes; of a longer one the rest is skipped. @default 65536 */
  readonly maxLine?: number;
}

/**
 * The lines of a stream, without their ends; the last one may lack its end. Reads on only when the next line is asked for.
 *
 * @param stream Chunks of bytes or text that may end anywhere: `process.stdin`, a file's read stream, a response's body.
 * @example
 * for await (const line of lines(process.stdin)) await app.match(line);
 */
export async function* lines(
  stream: AsyncIterable<Uint8Array | string>,
  options: LinesOptions = {},
): AsyncGenerator<string, void, undefined> {
  const splitter = new LineSplitter(options.maxLine);
  for await (const chunk of stream) {
    for (const line of splitter.push(chunk)) yield line.text;
  }
  const rest = splitter.end();
  if (rest) yield rest.text;
}
