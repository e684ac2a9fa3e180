import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { lines } from "../../src/sources/lines.ts";

test("gives the lines of a stream, the last one without its end too", async () => {
  const stream = Readable.from([Buffer.from("one\r\ntw"), Buffer.from("o\n\nthree")]);
  expect(await collect(lines(stream))).toEqual(["one", "two", "", "three"]);
});

test("reads on only when the next line is asked for", async () => {
  let read = 0;
  async function* endless(): AsyncGenerator<string> {
    for (;;) yield `line ${++read}\n`;
  }
  const source = lines(endless());
  expect((await source.next()).value).toBe("line 1");
  expect((await source.next()).value).toBe("line 2");
  expect(read).toBe(2);
  await source.return();
});

test("cuts lines that are too long", async () => {
  const stream = Readable.from(["abcdef\nxy\n"]);
  expect(await collect(lines(stream, { maxLine: 3 }))).toEqual(["abc", "xy"]);
});

test("a stream that fails rejects", async () => {
  async function* failing(): AsyncGenerator<string> {
    yield "one\n";
    throw new Error("gone");
  }
  await expect(collect(lines(failing()))).rejects.toThrow("gone");
});

async function collect(source: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of source) all.push(line);
  return all;
}
