import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LineSplitter } from "../../src/sources/line-splitter.ts";

function textsOf(chunks: readonly (Uint8Array | string)[], maxLine?: number): string[] {
  const splitter = new LineSplitter(maxLine);
  const texts = chunks.flatMap((chunk) => splitter.push(chunk)).map((line) => line.text);
  const rest = splitter.end();
  return rest ? [...texts, rest.text] : texts;
}

/** Cuts at the given places, taken modulo the length. */
function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

const lineText = fc.string({ unit: "binary" }).map((text) => text.replaceAll("\n", "").replace(/\r+$/, ""));

describe("LineSplitter", () => {
  test("gives exactly the lines, wherever the chunks end", () => {
    const document = fc.record({
      lines: fc.array(fc.tuple(lineText, fc.constantFrom("\n", "\r\n"))),
      rest: lineText,
      places: fc.array(fc.nat()),
    });
    fc.assert(
      fc.property(document, ({ lines, rest, places }) => {
        const bytes = Buffer.from(lines.map(([text, end]) => text + end).join("") + rest);
        const expected = [...lines.map(([text]) => text), ...(rest === "" ? [] : [rest])];
        expect(textsOf(cutAt(bytes, places))).toEqual(expected);
      }),
    );
  });

  test("gives the same lines for text as for its bytes, even when a chunk ends inside a character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(), (text, place) => {
        const cut = place % (text.length + 1);
        const whole = textsOf([Buffer.from(text)]);
        expect(textsOf([text.slice(0, cut), text.slice(cut)])).toEqual(whole);
      }),
    );
  });

  test("counts every byte of the stream once", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.array(fc.nat()),
        fc.integer({ min: 1, max: 20 }),
        (noise, places, max) => {
          const bytes = Buffer.from(noise.map((byte) => (byte % 7 === 0 ? 10 : byte)));
          const splitter = new LineSplitter(max);
          const lines = cutAt(bytes, places).flatMap((chunk) => splitter.push(chunk));
          const rest = splitter.end();
          const total = [...lines, ...(rest ? [rest] : [])].reduce((sum, line) => sum + line.bytes, 0);
          expect(total).toBe(bytes.length);
        },
      ),
    );
  });

  test("replaces what is not UTF-8 and keeps the characters around it", () => {
    const bytes = Buffer.concat([Buffer.from("ä"), Buffer.from([0xff, 0xc3]), Buffer.from("\n中\n")]);
    expect(textsOf([bytes])).toEqual(["ä\ufffd\ufffd", "中"]);
  });

  test("a lone half of a surrogate pair is replaced, before bytes and at the end", () => {
    expect(textsOf(["a\ud83d", Buffer.from("b\n"), "c\ud83d"])).toEqual(["a\ufffdb", "c\ufffd"]);
  });

  test.each([
    ["of just the length", "abcd", "abcd", false],
    ["a byte longer", "abcde", "abcd", true],
    ["much longer", "abcdefghij", "abcd", true],
    ["cut before a character of two bytes", "abcä", "abc", true],
    ["cut before a character of four bytes", "a😀", "a", true],
  ])("a line %s", (_, text, expected, cut) => {
    for (const end of ["\n", "\r\n"]) {
      const bytes = Buffer.from(`${text}${end}next\n`);
      const whole = new LineSplitter(4).push(bytes);
      const splitter = new LineSplitter(4);
      const byteByByte = [...bytes].flatMap((byte) => splitter.push(Uint8Array.of(byte)));
      expect(whole).toEqual(byteByByte);
      expect(whole[0]).toEqual({ text: expected, bytes: Buffer.byteLength(text + end), cut });
      expect(whole[1]?.text).toBe("next");
    }
  });

  test("a chunk may be overwritten once it was pushed", () => {
    const splitter = new LineSplitter();
    const chunk = Buffer.from("begin");
    splitter.push(chunk);
    chunk.fill("x");
    expect(splitter.push("ning\n")).toEqual([{ text: "beginning", bytes: 10, cut: false }]);
  });

  test("empty lines are lines; a lone \\r ends none; nothing ends with nothing", () => {
    expect(textsOf(["\n\r\na\rb\n"])).toEqual(["", "", "a\rb"]);
    expect(textsOf([])).toEqual([]);
  });
});
