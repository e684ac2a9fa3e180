import { describe, expect, test } from "vitest";
import { parsePattern } from "../../src/patterns/parse.ts";
import { planFor } from "../../src/patterns/pattern-runner.ts";
import { judge } from "../../src/patterns/safety.ts";
import { RandomPatterns } from "./random-patterns.ts";

describe("judge", () => {
  test.each([
    [/disk full/, 1],
    [/^(\w+)\s+(\w+)$/, 1],
    [/ERROR (.*)/, 1],
    [/a\d+b/, 1],
    [/"[^"]*"/, 2], // the second quote may begin an attempt too
    [/^(?:\d{1,3}\.){3}\d{1,3}$/, 1],
    [/^(?:[^"\\]|\\.)*"/, 1],
    [/(?:a|b)*c/, 2],
    [/\s+$/, 2],
    [/(\d+)ms/, 2],
    [/^.*foo.*bar/, 2],
    [/.*foo.*bar/, 3],
    [/^(?=.*\d)x/, 1],
    [/(?=.*\d)x/, 2],
    [/^(\w)\1$/, 1],
    [/^(a+)+$/, Infinity],
    [/^(a|a)*$/, Infinity],
    [/^(a*)*$/, Infinity],
    [/^(?:a?){7}a{7}$/, Infinity],
  ])("%s: %d", (pattern, power) => {
    expect(judge(parsePattern(pattern)).power).toBe(power);
  });
});

test("what is left to V8 comes back from it: random patterns with loops, on texts of pumped pieces", () => {
  const random = new RandomPatterns(Number(process.env["PATTERN_SEED"] ?? 1));
  const slow: string[] = [];
  let linear = 0;
  for (let n = 0; n < 600; n++) {
    const pattern = n % 3 === 0 ? random.pattern() : random.loopy();
    const { v8UpTo } = planFor(pattern);
    if (v8UpTo === Infinity) linear++;
    const length = Math.min(v8UpTo, 10_000);
    for (const piece of ["a", "b", "ab", "aab", "aB", "s1", "a b", "abab ", "é", "中a"]) {
      for (const end of ["", "!", "b"]) {
        const start = performance.now();
        pattern.exec(piece.repeat(length).slice(0, Math.max(0, length - 1)) + end);
        // A few milliseconds; without a bound it would not come back at all.
        const took = performance.now() - start;
        if (took > 2_000) slow.push(`${String(pattern)} took ${took} ms for ${length} times ${piece}`);
      }
    }
  }
  expect(slow).toEqual([]);
  expect(linear).toBeGreaterThan(100);
});
