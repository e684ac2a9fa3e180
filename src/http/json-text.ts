import { HttpProblem } from "./problem.ts";

/** Nobody nests deeper on purpose, and code that walks a value walks it by recursion. */
const DEEPEST = 100;

/** White space, then a string, a number, a word or a mark. */
const TOKEN =
  // oxlint-disable-next-line no-control-regex -- JSON forbids control characters in strings
  /[\t\n\r ]*(?:("[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\\u0000-\u001f]*)*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)|([[\]{},:]))/y;

/** What may come next. */
type Expected = "value" | "value or ]" | "key" | "key or }" | ":" | ", or }" | ", or ]" | "the end";

/** An object or list that has begun. */
interface Open {
  /** The keys so far; undefined for a list. */
  readonly keys: Set<string> | undefined;
  /** The key whose value comes. */
  key: string;
  /** Where the key stands. */
  at: number;
  /** It is the value of a key named `constructor`. */
  readonly ofConstructor: boolean;
}

/**
 * Reads JSON from a stranger: strictly, and refusing what is legal JSON but never meant well: a key that is there twice
 * (programs disagree on which one counts), keys that reach for an object's prototype, and nesting without end.
 *
 * @throws {HttpProblem} 400 with the place of the mistake.
 */
export function parseJson(text: string): unknown {
  new Scan(text).run();
  return JSON.parse(text) as unknown;
}

/** Goes through a text once, token by token, and builds nothing. */
class Scan {
  readonly #text: string;
  readonly #open: Open[] = [];
  #expected: Expected = "value";

  constructor(text: string) {
    this.#text = text;
  }

  run(): void {
    TOKEN.lastIndex = 0;
    let end = 0;
    while (end < this.#text.length) {
      const token = TOKEN.exec(this.#text);
      if (!token) break;
      const [whole, string, literal, mark] = token;
      const at = end + whole.length - (string ?? literal ?? mark ?? "").length;
      this.#take(string, mark, at);
      end = TOKEN.lastIndex;
    }
    const rest = this.#text.slice(end).search(/[^\t\n\r ]/);
    if (rest >= 0 || this.#expected !== "the end") {
      this.#fail(rest < 0 ? this.#text.length : end + rest, `expected ${this.#expected}`);
    }
  }

  #take(string: string | undefined, mark: string | undefined, at: number): void {
    const expected = this.#expected;
    if (mark === "{" || mark === "[") this.#begin(mark, at);
    else if (mark === "}" || mark === "]") this.#end(mark, at);
    else if (mark === ",") this.#comma(at);
    else if (mark === ":")
      this.#expected = expected === ":" ? "value" : this.#fail(at, `expected ${expected}`);
    else if (string !== undefined && (expected === "key" || expected === "key or }")) this.#key(string, at);
    else this.#value(at);
  }

  #value(at: number): void {
    if (this.#expected !== "value" && this.#expected !== "value or ]") {
      this.#fail(at, `expected ${this.#expected}`);
    }
    this.#afterValue();
  }

  #begin(mark: "{" | "[", at: number): void {
    if (this.#expected !== "value" && this.#expected !== "value or ]") {
      this.#fail(at, `expected ${this.#expected}`);
    }
    if (this.#open.length >= DEEPEST) this.#fail(at, `nested deeper than ${DEEPEST} levels`);
    const keys = mark === "{" ? new Set<string>() : undefined;
    const around = this.#open.at(-1);
    this.#open.push({ keys, key: "", at, ofConstructor: around?.key === "constructor" });
    this.#expected = keys ? "key or }" : "value or ]";
  }

  #end(mark: "}" | "]", at: number): void {
    const fits = mark === "}" ? ["key or }", ", or }"] : ["value or ]", ", or ]"];
    if (!fits.includes(this.#expected)) this.#fail(at, `expected ${this.#expected}`);
    this.#open.pop();
    this.#afterValue();
  }

  #comma(at: number): void {
    if (this.#expected !== ", or }" && this.#expected !== ", or ]")
      this.#fail(at, `expected ${this.#expected}`);
    this.#expected = this.#expected === ", or }" ? "key" : "value";
  }

  #key(string: string, at: number): void {
    const open = this.#open.at(-1);
    // The token is a whole string.
    const key = string.includes("\\") ? (JSON.parse(string) as string) : string.slice(1, -1);
    if (open?.keys?.has(key)) this.#fail(at, `the key ${string.slice(0, 100)} is there twice`);
    if (key === "__proto__" || (key === "prototype" && open?.ofConstructor)) {
      this.#fail(at, `the key ${string} is not allowed`);
    }
    open?.keys?.add(key);
    if (open) open.key = key;
    this.#expected = ":";
  }

  #afterValue(): void {
    const open = this.#open.at(-1);
    this.#expected = open === undefined ? "the end" : open.keys ? ", or }" : ", or ]";
  }

  #fail(at: number, why: string): never {
    const lines = this.#text.slice(0, at).split("\n");
    const column = (lines.at(-1)?.length ?? 0) + 1;
    throw new HttpProblem(
      400,
      "JSON_INVALID",
      `The body is not acceptable JSON: ${why} at line ${lines.length}, column ${column}.`,
      {
        position: at,
      },
    );
  }
}
