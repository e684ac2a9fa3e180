/* The limit: the text cut at blanks outside of quotes, a look-up in a map, the arguments checked by hand, the handler called. It knows no escapes, no help, no replies but the value. */
import { type Backup, type Handler, NAME } from "./backup.ts";

export class Router {
  readonly #handlers = new Map<string, Handler>();

  add(word: string, handler: Handler): void {
    this.#handlers.set(word, handler);
  }

  async handle(text: string): Promise<unknown> {
    const words = wordsOf(text);
    const handler = this.#handlers.get(words[0] ?? "");
    if (!handler) throw new Error(`no command ${text}`);
    const args: { -readonly [Key in keyof Backup]: Backup[Key] } = { id: 0, dryRun: false };
    let place = 0;
    for (let at = 1; at < words.length; at++) {
      const word = words[at] as string; // within the list
      if (word === "--dry-run") args.dryRun = true;
      else if (place++ === 0) args.id = readInt(word);
      else if (word === "full" || word === "incremental") args.mode = word;
      else throw new Error(`${NAME} does not know ${word}`);
    }
    return handler(args);
  }
}

const BLANK = 0x20;
const QUOTE = 0x22;

function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (let at = 0; at < text.length;) {
    const quoted = text.charCodeAt(at) === QUOTE;
    const start = quoted ? at + 1 : at;
    const until = quoted ? QUOTE : BLANK;
    let end = start;
    while (end < text.length && text.charCodeAt(end) !== until) end++;
    words.push(text.slice(start, end));
    at = quoted ? end + 2 : end + 1;
  }
  return words;
}

function readInt(word: string): number {
  const value = Number(word);
  if (!/^-?\d+$/.test(word) || !Number.isSafeInteger(value)) throw new Error(`${word} is no whole number`);
  return value;
}
