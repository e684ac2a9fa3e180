import { seededRandom } from "../../src/testing/seeded-random.ts";

/** What the random patterns and texts are made of: chars that are told apart, folded or taken for pairs in different ways. */
const CHARS = [
  "a",
  "b",
  "A",
  "B",
  "k",
  "K",
  "s",
  "1",
  " ",
  "\n",
  "_",
  "é",
  "É",
  "ſ",
  "\u212a",
  "İ",
  "ß",
  "д",
  "Д",
  "中",
  "😀",
  "\ud83d",
  "\ude00",
];
const PLAIN = ["a", "b", "ab", "A", "k", "s", "1", " ", "é", "д", "中", "😀", "ſ", "fail", "error"];
const CLASSES = [
  "[ab]",
  "[^a]",
  "[a-k]",
  "\\d",
  "\\w",
  "\\W",
  "\\s",
  ".",
  "[^]",
  "[]",
  "[é-д]",
  "[k\\u017f]",
  "[^\\w ]",
  "\\x61",
  "\\u0062",
  "[\\s\\d]",
];
/** Beginnings and ends of each other, in part; with chars whose case folds in odd ways. */
const WORDS = [
  "error",
  "Error code=",
  "code=12",
  "ror co",
  "kernel: ",
  "KERNEL",
  "task",
  "ſtask",
  "\u212aernel",
  "ошибка",
  "ОШИБКА",
  "диска",
  "错误：磁盘",
  "磁盘",
  "İstanbul",
  "ıstanbul",
  "straße",
  "😀 fire",
  "e",
  "er",
  "ab",
  "abab",
  "ababab",
  "12:",
  "34",
  " ",
  "-x=",
];
const GAPS = [
  "",
  "",
  ".*",
  "\\d+",
  "\\s*",
  ".{0,3}",
  "[ab]",
  "[0-9a-f]",
  "(?:x|y)",
  "(\\w+)",
  "\\b",
  "(?=e)",
  "(?<=r)",
  "k?",
  "(?:er|rr)+",
  "(?:error|task|)",
  "(?:kernel|12:)",
];
const QUANTIFIERS = ["*", "+", "?", "{2}", "{1,2}", "{0,2}", "{2,}", "*?", "+?", "??", "{1,}?"];
const FLAGS = ["", "", "i", "u", "iu", "s", "m", "ms", "v", "iv"];

/** Random patterns and texts, the same for the same seed. */
export class RandomPatterns {
  readonly #random: () => number;
  #names = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** A pattern without backreferences. */
  pattern(): RegExp {
    for (;;) {
      this.#names = 0;
      const source = this.#choice(3);
      try {
        return new RegExp(source, this.#one(FLAGS));
      } catch {
        // Some of what is made is no pattern with these flags.
      }
    }
  }

  /** A pattern of words, as people write them. */
  wordy(): RegExp {
    const alternatives = Array.from({ length: this.#below(4) === 0 ? 2 : 1 }, () => {
      const parts = Array.from({ length: 1 + this.#below(4) }, () => this.#one(WORDS) + this.#one(GAPS)).join(
        "",
      );
      return this.#one(["", "", "^"]) + this.#one(GAPS) + parts + this.#one(["", "", "$"]);
    });
    return new RegExp(alternatives.join("|"), this.#one(FLAGS.filter((flags) => !flags.includes("v"))));
  }

  /** A pattern of loops over few chars: many of them take polynomial or exponential time on V8. */
  loopy(depth = 2): RegExp {
    return new RegExp(this.#one(["", "^"]) + this.#loops(depth) + this.#one(["", "$", "!", "c"]));
  }

  #loops(depth: number): string {
    return Array.from({ length: 1 + this.#below(4) }, () => {
      const kind = this.#below(depth > 0 ? 6 : 4);
      const loop = this.#one(["*", "+", "?", "{2}", "{1,3}", "*?", "+?", ""]);
      if (kind < 4)
        return (
          this.#one(
            ["a", "b", "[ab]", "\\w", "\\s", ".", "[^a]", "\\b", "ab", "(?=a)", "(?!.*b)"].filter(
              (one) => loop === "" || !/^\(|b$/.test(one),
            ),
          ) + loop
        );
      return `(${this.#one(["?:", ""])}${this.#loops(depth - 1)}${kind === 5 ? `|${this.#loops(depth - 1)}` : ""})${loop}`;
    }).join("");
  }

  /** A text in which some of the words occur, sometimes cut or in the other case. */
  wordyText(): string {
    return Array.from({ length: this.#below(7) }, () => {
      const word = this.#one([...WORDS, "x", "er", "12", "f", "y"]);
      const changed = this.#one([
        word,
        word,
        word,
        word.toUpperCase(),
        word.toLowerCase(),
        word.slice(1),
        word.slice(0, -1),
      ]);
      return changed + this.#one(["", "", " ", this.#one(CHARS)]);
    }).join("");
  }

  /** A whole number from 0 to before `limit`. */
  below(limit: number): number {
    return this.#below(limit);
  }

  text(most = 12): string {
    return Array.from({ length: this.#below(most) }, () =>
      this.#below(6) === 0 ? this.#one(PLAIN) : this.#one(CHARS),
    ).join("");
  }

  #choice(depth: number): string {
    return Array.from({ length: this.#below(4) === 0 ? 2 + this.#below(2) : 1 }, () =>
      this.#sequence(depth),
    ).join("|");
  }

  #sequence(depth: number): string {
    return Array.from({ length: this.#below(4) }, () => this.#term(depth)).join("");
  }

  #term(depth: number): string {
    const kind = this.#below(depth > 0 ? 12 : 7);
    if (kind < 3) return this.#one(PLAIN) + this.#maybe();
    if (kind < 5) return this.#one(CLASSES) + this.#maybe();
    if (kind === 5) return this.#one(["^", "$", "\\b", "\\B"]);
    if (kind === 6) return this.#one(PLAIN);
    if (kind === 7) return `(?:${this.#choice(depth - 1)})${this.#maybe()}`;
    if (kind === 8) return `(?<n${this.#names++}>${this.#choice(depth - 1)})${this.#maybe()}`;
    if (kind === 9) return `${this.#one(["(?=", "(?!", "(?<=", "(?<!"])}${this.#choice(depth - 1)})`;
    return `(${this.#choice(depth - 1)})${this.#maybe()}`;
  }

  #maybe(): string {
    return this.#below(2) === 0 ? this.#one(QUANTIFIERS) : "";
  }

  #one<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T; // below its length
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}
