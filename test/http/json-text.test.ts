import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJson } from "../../src/http/json-text.ts";
import { HttpProblem } from "../../src/http/problem.ts";

function refusalOf(text: string): string {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof HttpProblem && error.status === 400 && error.code === "JSON_INVALID")
      return error.message;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

describe("broken JSON is refused with its place", () => {
  test.each([
    ['{"a":x}', "expected value at line 1, column 6"],
    ['{"a":1', "expected , or } at line 1, column 7"],
    ['{"a":1,}', "expected key at line 1, column 8"],
    ["[1,]", "expected value at line 1, column 4"],
    ["[1 2]", "expected , or ] at line 1, column 4"],
    ['{"a" 1}', "expected : at line 1, column 6"],
    ["{a:1}", "expected key or } at line 1, column 2"],
    ['{\n  "a": 01\n}', "expected , or } at line 2, column 9"],
    ["{} {}", "expected the end at line 1, column 4"],
    ["[}", "expected value or ] at line 1, column 2"],
    ['"half', "expected value at line 1, column 1"],
    ['"tab\there"', "expected value at line 1, column 1"],
    ["   ", "expected value at line 1, column 4"],
    ["NaN", "expected value at line 1, column 1"],
  ])("%j", (text, why) => {
    expect(refusalOf(text)).toBe(`The body is not acceptable JSON: ${why}.`);
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
  });
});

describe("legal JSON that is never meant well is refused", () => {
  test.each([
    ['{"__proto__":{"admin":true}}', '"__proto__" is not allowed'],
    ['{"a":[{"\\u005f_proto__":1}]}', "is not allowed"],
    ['{"constructor":{"prototype":{"admin":true}}}', '"prototype" is not allowed'],
    ['{"a":{"constructor":{"x":1,"prototype":1}}}', '"prototype" is not allowed'],
    ['{"a":1,"b":2,"a":3}', 'the key "a" is there twice at line 1, column 14'],
    ['[{"x":{"k":1,"\\u006b":2}}]', "is there twice"],
    ["[".repeat(101) + "]".repeat(101), "nested deeper than 100 levels"],
    ['{"a":'.repeat(200_000), "nested deeper than 100 levels"],
  ])("%.60j", (text, why) => {
    expect(refusalOf(text)).toContain(why);
  });
});

test.each([
  '{"prototype":1,"constructor":"text"}',
  '{"constructor":[{"prototype":1}]}',
  '[{"a":1},{"a":1}]',
  '{"a":{"a":1}}',
])("%s is meant well", (text) => {
  expect(parseJson(text)).toEqual(JSON.parse(text));
});

test("what it accepts is what JSON.parse makes of it", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 8 }), (text) => {
      fc.pre(!text.includes("__proto__"));
      expect(parseJson(text)).toEqual(JSON.parse(text));
    }),
  );
});

test("it refuses whatever JSON.parse refuses", () => {
  const mutated = fc
    .tuple(
      fc.json({ maxDepth: 4 }),
      fc.nat(),
      fc.constantFrom("", ",", "]", "}", '"', ":", "0", "e", "\\", "\n"),
    )
    .map(([text, at, put]) => text.slice(0, at % text.length) + put + text.slice((at % text.length) + 1));
  fc.assert(
    fc.property(mutated, (text) => {
      fc.pre(!isLegal(text));
      expect(refusalOf(text)).toMatch(/at line \d+, column \d+\.$/);
    }),
    { numRuns: 1_000 },
  );
});

function isLegal(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test("a long body is read in a moment", () => {
  const text = JSON.stringify(Array.from({ length: 20_000 }, (_, n) => ({ id: n, name: "x".repeat(30) })));
  expect(parseJson(text)).toHaveLength(20_000);
  expect(parseJson(JSON.stringify("y".repeat(5_000_000)))).toHaveLength(5_000_000);
});
