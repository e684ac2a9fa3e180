import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { quote, tokenize } from "../../src/commands/tokenize.ts";

const texts = (line: string): string[] => tokenize(line).tokens.map(({ text }) => text);

describe("tokens", () => {
  test.each<[line: string, tokens: string[]]>([
    ["", []],
    ["   ", []],
    ["a b  c", ["a", "b", "c"]],
    ["a\tb\nc\r\nd", ["a", "b", "c", "d"]],
    ["'two words' \"three more words\"", ["two words", "three more words"]],
    ["“弯引号 里面” ‘单 引号’ 「直角 引号」", ["弯引号 里面", "单 引号", "直角 引号"]],
    ["「一」「二」", ["一", "二"]],
    ["'' \"\"", ["", ""]],
    ["don't stop", ["don't", "stop"]],
    ['{"a":1} 5"', ['{"a":1}', '5"']],
    ['"say \\"hi\\" \\\\"', ['say "hi" \\']],
    ["\\'quoted\\' two\\ words", ["'quoted'", "two words"]],
    ["C:\\temp \\d+ end\\", ["C:\\temp", "\\d+", "end\\"]],
    ["--for='1 day' --for=“两 天”", ["--for=1 day", "--for=两 天"]],
    ["x='a b'", ["x='a", "b'"]],
    ["全角　空格\u00a0here", ["全角", "空格", "here"]],
    ["\u200b\ufeff", []],
    ["a\u200bb \ufeffc\u2060", ["ab", "c"]],
    ["'a\u200bb'", ["a\u200bb"]],
    ["\u200b'a b'", ["a b"]],
    ["👨‍👩‍👧 🚀 héé", ["👨‍👩‍👧", "🚀", "héé"]],
    ["\ud800 x", ["\ud800", "x"]],
  ])("%j", (line, tokens) => expect(texts(line)).toEqual(tokens));

  test("know whether they began with a quote or a backslash", () => {
    const { tokens } = tokenize(`--flag "--text" \\--text --flag="x" 'x'`);
    expect(tokens.map(({ literal }) => literal)).toEqual([false, true, true, false, true]);
  });

  test.each([
    ["'open", "'", []],
    ['a "open \\"', '"', ["a"]],
    ["a “open", "“", ["a"]],
    ["--for='1 day", "'", []],
    ["「wrong”", "「", []],
  ])("%j is not closed", (line, unclosed, before) => {
    expect(tokenize(line)).toEqual({
      tokens: before.map((text) => ({ text, literal: false })),
      unclosed,
    });
  });

  test("begin where they are told to", () => {
    expect(tokenize("/backup full", 7).tokens).toEqual([{ text: "full", literal: false }]);
  });
});

const ODD = [
  "'",
  '"',
  "“",
  "”",
  "‘",
  "’",
  "「",
  "」",
  "\\",
  " ",
  "-",
  "=",
  "a",
  "\u200b",
  "\u3000",
  "\n",
  "\ud83d",
];

describe("for any text", () => {
  const anyText = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.string({ unit: fc.constantFrom(...ODD), maxLength: 40 }),
  );

  test("tokenize does not throw, and no bare token has a blank in it unless it was escaped or quoted", () => {
    fc.assert(
      fc.property(anyText, (line) => {
        const { tokens } = tokenize(line);
        const quoted = /['"“‘「\\]/.test(line);
        expect(quoted || tokens.every(({ text }) => !/\s/.test(text))).toBe(true);
      }),
    );
  });

  test("what is quoted comes back as one token", () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 5 }), (values) => {
        const { tokens, unclosed } = tokenize(values.map(quote).join(" "));
        expect(unclosed).toBeUndefined();
        expect(tokens.map(({ text }) => text)).toEqual(values);
        expect(tokens.some(({ text, literal }) => text.startsWith("--") && !literal)).toBe(false);
      }),
    );
  });
});
