import { type CharFlags, classSet, literalSet } from "./char-set.ts";
import { endOfClass, groupsIn } from "./pattern-source.ts";
import type { Assertion, Node, Syntax } from "./syntax.ts";

const EMPTY: Node = { kind: "sequence", items: [] };
/** Of the `v` flag: properties of strings, and strings in a class. Such a class may match several chars. */
const STRINGS = /\\q\{|\\p\{(?:Basic_Emoji|Emoji_Keycap_Sequence|RGI_)/;
const [BAR, CLOSING] = [124, 41];
/** What the chars of ASCII are: 1 for what begins a term of its own kind, 2 for what repeats the term before it. */
const KINDS = new Uint8Array(128);
for (const char of "^$\\.([|)") KINDS[char.charCodeAt(0)] = 1;
for (const char of "*+?{") KINDS[char.charCodeAt(0)] = 2;
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 };

/**
 * Reads the syntax tree of a pattern. V8 has accepted the pattern, so nothing is checked here; what the web's older
 * pages may write (`\1` without a group, a lone `{`) is read as V8 reads it.
 *
 * Source: ECMA-262, 22.2.1 Patterns, and Annex B.1.2.
 */
export function parsePattern(pattern: RegExp): Syntax {
  if (latest?.pattern !== pattern)
    latest = { pattern, syntax: new Parser(pattern.source, pattern.flags).parse() };
  return latest.syntax;
}

/** Who declares a pattern reads it several times in a row. */
let latest: { readonly pattern: RegExp; readonly syntax: Syntax } | undefined;

interface Modes extends CharFlags {
  readonly multiline: boolean;
}

class Parser {
  readonly #source: string;
  #at = 0;
  #modes: Modes;
  #groups = 1;
  readonly #names = new Map<string, number[]>();
  #declared: { readonly count: number; readonly named: boolean } | undefined;

  constructor(source: string, flags: string) {
    this.#source = source;
    this.#modes = {
      ignoreCase: flags.includes("i"),
      multiline: flags.includes("m"),
      dotAll: flags.includes("s"),
      unicode: flags.includes("v") ? "v" : flags.includes("u") ? "u" : "",
    };
  }

  parse(): Syntax {
    const root = this.#choice();
    return { root, groups: this.#groups, names: this.#names, unicode: this.#isUnicode };
  }

  get #isUnicode(): boolean {
    return this.#modes.unicode !== "";
  }

  #choice(): Node {
    const first = this.#sequence();
    if (this.#source[this.#at] !== "|") return first;
    const options = [first];
    while (this.#source[this.#at] === "|") {
      this.#at++;
      options.push(this.#sequence());
    }
    return { kind: "choice", options };
  }

  #sequence(): Node {
    const items: Node[] = [];
    while (this.#at < this.#source.length) {
      const code = this.#source.charCodeAt(this.#at);
      if (code === BAR || code === CLOSING) break;
      const groups = this.#groups;
      // Most of a pattern is plain chars.
      const term = KINDS[code] === 1 ? this.#term() : this.#literal(this.#codeAt(this.#at));
      items.push(KINDS[this.#source.charCodeAt(this.#at)] === 2 ? this.#repeated(term, groups) : term);
    }
    return items.length === 1 ? (items[0] as Node) : items.length === 0 ? EMPTY : { kind: "sequence", items };
  }

  /** @param from The number of the first group that may stand in `body`. */
  #repeated(body: Node, from: number): Node {
    const bounds = this.#quantifier();
    if (!bounds) return body;
    const lazy = this.#source[this.#at] === "?";
    if (lazy) this.#at++;
    const [min, max] = bounds;
    return { kind: "repeat", min, max, lazy, body, groups: [from, this.#groups] };
  }

  #quantifier(): readonly [number, number] | undefined {
    switch (this.#source[this.#at]) {
      case "*":
        this.#at++;
        return [0, Infinity];
      case "+":
        this.#at++;
        return [1, Infinity];
      case "?":
        this.#at++;
        return [0, 1];
      case "{":
        return this.#counted();
    }
    return undefined;
  }

  #counted(): readonly [number, number] | undefined {
    const counted = this.#take(/\{(\d+)(,?)(\d*)\}/y);
    if (!counted) return undefined;
    const min = Number(counted[1]);
    const most = counted[3] === "" ? Infinity : Number(counted[3]);
    return [min, counted[2] === "" ? min : most];
  }

  #term(): Node {
    const char = this.#source[this.#at] as string; // there is one: the caller looked
    switch (char) {
      case "^":
        this.#at++;
        return { kind: "assert", what: this.#modes.multiline ? "lineStart" : "start" };
      case "$":
        this.#at++;
        return { kind: "assert", what: this.#modes.multiline ? "lineEnd" : "end" };
      case "(":
        return this.#parenthesis();
      case ".":
        this.#at++;
        return this.#class(".");
      case "[":
        return this.#class(this.#upTo(endOfClass(this.#source, this.#at, this.#modes.unicode === "v")));
      case "\\":
        return this.#escape();
    }
    return this.#literal(this.#codeAt(this.#at));
  }

  #parenthesis(): Node {
    const [opening = ""] = this.#take(/\((?:\?(?:<?[=!]|<[^>]*>|[a-z]*(?:-[a-z]*)?:))?/y) ?? [];
    const before = this.#modes;
    const from = this.#groups;
    const isLook = /^\(\?<?[=!]/.test(opening);
    const isCapture = opening === "(" || (opening.startsWith("(?<") && !isLook);
    const index = isCapture ? this.#groups++ : 0;
    if (isCapture && opening !== "(") this.#name(opening.slice(3, -1), index);
    if (!isLook && !isCapture) this.#modes = modified(this.#modes, opening);
    const body = this.#choice();
    this.#modes = before;
    this.#at++; // its ")"
    if (isCapture) return { kind: "group", index, body };
    if (!isLook) return body;
    const groups = [from, this.#groups] as const;
    return { kind: "look", behind: opening[2] === "<", negative: opening.endsWith("!"), body, groups };
  }

  #name(written: string, index: number): void {
    // A name may be written with escapes.
    const name = written.replaceAll(
      /\\u(?:\{([\dA-Fa-f]+)\}|([\dA-Fa-f]{4}))/g,
      (_, braced: string | undefined, plain: string) =>
        braced === undefined
          ? String.fromCharCode(parseInt(plain, 16))
          : String.fromCodePoint(parseInt(braced, 16)),
    );
    this.#names.set(name, [...(this.#names.get(name) ?? []), index]);
  }

  #escape(): Node {
    const char = this.#source[this.#at + 1] ?? "";
    if (/[dDwWsS]/.test(char)) return this.#class(this.#upTo(this.#at + 2));
    if (char === "b" || char === "B") return this.#boundary(char === "B");
    if ((char === "p" || char === "P") && this.#isUnicode) {
      return this.#class(this.#upTo(this.#source.indexOf("}", this.#at) + 1));
    }
    if (char === "k" && this.#hasNames()) return this.#reference(this.#source.indexOf(">", this.#at) + 1);
    if (char >= "0" && char <= "9") return this.#digits();
    return this.#coded(this.#escapedCode(char));
  }

  #boundary(negative: boolean): Node {
    this.#at += 2;
    const what: Assertion = { word: classSet("\\w", this.#modes), negative };
    return { kind: "assert", what };
  }

  #reference(end: number): Node {
    this.#at = end;
    const remedy = "Name both cases, or compare the groups in the handler";
    return { kind: "opaque", what: "a backreference", remedy };
  }

  /** A backreference where there are so many groups, else an octal number, else the digit itself. */
  #digits(): Node {
    const [, digits = ""] = this.#match(/\\(\d+)/y) ?? [];
    if (digits[0] !== "0" && (this.#isUnicode || Number(digits) < this.#countOfGroups())) {
      return this.#reference(this.#at + 1 + digits.length);
    }
    const octal = this.#take(/\\([0-3][0-7]{0,2}|[4-7][0-7]?)/y);
    if (octal) return this.#coded(parseInt(octal[1] as string, 8));
    this.#at++;
    return this.#literal(this.#codeAt(this.#at));
  }

  /** The code of an escape that stands for one char. */
  #escapedCode(char: string): number {
    if (this.#isUnicode) {
      const pair = this.#take(/\\u([dD][89abAB][\dA-Fa-f]{2})\\u([dD][c-fC-F][\dA-Fa-f]{2})/y);
      if (pair) return hexOf(pair[1]) * 0x400 + hexOf(pair[2]) - (0xd800 * 0x400 + 0xdc00 - 0x10000);
      const braced = this.#take(/\\u\{([\dA-Fa-f]+)\}/y);
      if (braced) return hexOf(braced[1]);
    }
    const hex = this.#take(/\\(?:u([\dA-Fa-f]{4})|x([\dA-Fa-f]{2}))/y);
    if (hex) return hexOf(hex[1] ?? hex[2]);
    const control = this.#take(/\\c([A-Za-z])/y);
    if (control) return (control[1] as string).charCodeAt(0) & 31;
    this.#at++;
    if (char === "c") return 92; // a backslash; what follows stands for itself
    const code = CONTROLS[char] ?? this.#codeAt(this.#at);
    this.#at++;
    return code;
  }

  /** A char at `#at`, which is stepped over. */
  #literal(code: number): Node {
    this.#at += code > 0xffff ? 2 : 1;
    return this.#coded(code);
  }

  #coded(code: number): Node {
    return literalSet(code, this.#modes).node;
  }

  #class(source: string): Node {
    if (this.#modes.unicode === "v" && STRINGS.test(source)) {
      const remedy = "Write the strings as alternatives: (?:ab|cd)";
      return { kind: "opaque", what: "a class with strings in it", remedy };
    }
    return classSet(source, this.#modes).node;
  }

  #upTo(end: number): string {
    const piece = this.#source.slice(this.#at, end);
    this.#at = end;
    return piece;
  }

  #codeAt(at: number): number {
    // Both are there: V8 has accepted the pattern, and a backslash is never its last char.
    return (this.#isUnicode ? this.#source.codePointAt(at) : this.#source.charCodeAt(at)) as number;
  }

  #match(sticky: RegExp): RegExpExecArray | null {
    sticky.lastIndex = this.#at;
    return sticky.exec(this.#source);
  }

  #take(sticky: RegExp): RegExpExecArray | null {
    const found = this.#match(sticky);
    if (found) this.#at += found[0].length;
    return found;
  }

  #hasNames(): boolean {
    return this.#isUnicode || (this.#declared ??= groupsIn(this.#source, this.#modes.unicode === "v")).named;
  }

  #countOfGroups(): number {
    return (this.#declared ??= groupsIn(this.#source, this.#modes.unicode === "v")).count;
  }
}

function hexOf(digits: string | undefined): number {
  return parseInt(digits ?? "", 16);
}

/** @param opening `(?im-s:`, or `(?:`. */
function modified(modes: Modes, opening: string): Modes {
  if (opening.length <= 3) return modes;
  const [on = "", off = ""] = opening.slice(2, -1).split("-");
  const set = (flag: string, now: boolean): boolean => (now || on.includes(flag)) && !off.includes(flag);
  return {
    ignoreCase: set("i", modes.ignoreCase),
    multiline: set("m", modes.multiline),
    dotAll: set("s", modes.dotAll),
    unicode: modes.unicode,
  };
}
