/*
 * Cuts the text of a command into tokens, the way people write in chats, not the way shells read scripts:
 *
 *   - A quote opens only where a token begins, or behind `--flag=`: `don't` and `{"a":1}` are plain tokens. The closing
 *     quote ends its token. Quotes are '…', "…", “…”, ‘…’, 「…」, 『…』 and ＂…＂.
 *   - A backslash takes away the meaning of a quote, a blank, a backslash or a leading dash; before anything else it is
 *     an ordinary character, so that `C:\temp` and `\d+` stay as they are.
 *   - Every Unicode blank separates, the full-width space of CJK keyboards too. Zero-width characters that chat programs
 *     leave behind are dropped outside of quotes; the joiners that emoji and Persian are made of stay.
 */

/** One word or quoted text. */
export interface Token {
  readonly text: string;
  /** It began with a quote or a backslash: it is never a flag, nor a subcommand. */
  readonly literal: boolean;
}

/** What {@link tokenize} found. */
export interface Tokenized {
  readonly tokens: readonly Token[];
  /** The quote that is opened and never closed, if there is one; the tokens end before it. */
  readonly unclosed: string | undefined;
}

const PLAIN = 0;
const BLANK = 1;
const QUOTE = 2;
const BACKSLASH = 3;
const NOTHING = 4;

const CLOSERS: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  "“": "”",
  "‘": "’",
  "「": "」",
  "『": "』",
  "＂": "＂",
};
const DASH = 0x2d;
const EQUALS = 0x3d;

/** What an ASCII character means; the others are looked up in {@link kindOfWide}. */
const ASCII = Uint8Array.from({ length: 128 }, (_, code) => {
  if ((code >= 9 && code <= 13) || code === 0x20) return BLANK;
  if (code === 0x22 || code === 0x27) return QUOTE;
  return code === 0x5c ? BACKSLASH : PLAIN;
});

/**
 * Cuts text into tokens; it never throws.
 *
 * @param start Where to begin, in UTF-16 units. @default 0
 * @example
 * tokenize(`ban "two words" --for=1h`).tokens.map(({ text }) => text); // ["ban", "two words", "--for=1h"]
 */
export function tokenize(text: string, start = 0): Tokenized {
  const tokens: Token[] = [];
  for (let at = start; ;) {
    at = skipBlanks(text, at);
    if (at >= text.length) return { tokens, unclosed: undefined };
    const end = plainEnd(text, at);
    if (end === text.length || kindOf(text.charCodeAt(end)) === BLANK) {
      tokens.push({ text: text.slice(at, end), literal: false });
      at = end;
      continue;
    }
    const read = readToken(text, at);
    if (read.unclosed !== undefined) return { tokens, unclosed: read.unclosed };
    if (read.text !== "" || read.literal) tokens.push({ text: read.text, literal: read.literal });
    at = read.end;
  }
}

/** Writes a text so that {@link tokenize} gives it back as one token that is not a flag. */
export function quote(text: string): string {
  const plain = text !== "" && plainEnd(text, 0) === text.length && !text.startsWith("--");
  return plain ? text : `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** The first place from `at` on that holds neither a blank nor a zero-width character that means nothing. */
export function skipBlanks(text: string, at: number): number {
  for (; at < text.length; at++) {
    const kind = kindOf(text.charCodeAt(at));
    if (kind !== BLANK && kind !== NOTHING) break;
  }
  return at;
}

/** Where the word at `at` ends: at the next blank. */
export function wordEnd(text: string, at: number): number {
  while (at < text.length && kindOf(text.charCodeAt(at)) !== BLANK) at++;
  return at;
}

/** A text without any zero-width character, joiners included. */
export function withoutInvisible(text: string): string {
  return text.replace(/\p{Cf}/gu, "");
}

interface Read {
  readonly text: string;
  readonly literal: boolean;
  readonly end: number;
  readonly unclosed?: string;
}

/** Reads a token that has more than plain characters in it. */
function readToken(text: string, start: number): Read {
  let value = "";
  let literal = false;
  /** Where its first `=` stands. */
  let equals = -1;
  let at = start;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const kind = kindOf(code);
    if (kind === BLANK) break;
    if (kind === NOTHING) continue;
    // A quote may open behind `--flag=`.
    const opens = value === "" || (equals === value.length - 1 && value.startsWith("--"));
    if (kind === QUOTE && !literal && opens) return readQuoted(text, at, value);
    if (code === EQUALS && equals < 0) equals = value.length;
    if (kind === BACKSLASH && escapes(text.charCodeAt(at + 1), value === "")) {
      if (value === "") literal = true;
      at++;
    }
    value += text[at];
  }
  return { text: value, literal, end: at };
}

/** Reads from the quote at `start` to the one that closes it. `before` is `--flag=`, or nothing. */
function readQuoted(text: string, start: number, before: string): Read {
  const opener = text[start] as string; // the caller has seen it
  const closer = CLOSERS[opener] as string; // every character of the kind QUOTE has one
  let value = before;
  for (let at = start + 1; at < text.length; at++) {
    const next = text[at + 1];
    if (text[at] === closer) return { text: value, literal: before === "", end: at + 1 };
    if (text[at] === "\\" && (next === closer || next === opener || next === "\\")) at++;
    value += text[at];
  }
  return { text: value, literal: false, end: text.length, unclosed: opener };
}

/** Whether a backslash before this character (NaN at the end of the text) takes away its meaning. */
function escapes(code: number, first: boolean): boolean {
  if (Number.isNaN(code)) return false;
  const kind = kindOf(code);
  return kind === BLANK || kind === QUOTE || kind === BACKSLASH || (first && code === DASH);
}

/** Where the run of plain characters that begins at `at` ends. */
function plainEnd(text: string, at: number): number {
  while (at < text.length && kindOf(text.charCodeAt(at)) === PLAIN) at++;
  return at;
}

function kindOf(code: number): number {
  return code < 128 ? (ASCII[code] as number) : kindOfWide(code);
}

function kindOfWide(code: number): number {
  if (code === 0xa0 || code === 0x85 || code === 0x3000) return BLANK;
  if (code === 0x300c || code === 0x300e || code === 0xff02) return QUOTE;
  if (code === 0xfeff) return NOTHING;
  if (code === 0x1680) return BLANK;
  if (code < 0x2000 || code > 0x2060) return PLAIN;
  if (code <= 0x200a || code === 0x2028 || code === 0x2029 || code === 0x202f || code === 0x205f)
    return BLANK;
  if (code === 0x2018 || code === 0x201c) return QUOTE;
  const mark = code === 0x200b || code === 0x200e || code === 0x200f || code === 0x2060;
  return mark ? NOTHING : PLAIN;
}
