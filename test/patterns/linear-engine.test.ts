import { expect, test } from "vitest";
import { caseVariants } from "../../src/patterns/case-variants.ts";
import { LinearEngine } from "../../src/patterns/linear-engine.ts";
import { parsePattern } from "../../src/patterns/parse.ts";
import { compile, NotLinear, surelyCompiles } from "../../src/patterns/program.ts";
import { isAnchored, judge } from "../../src/patterns/safety.ts";
import { firstCharsOf } from "../../src/patterns/gate.ts";
import { RandomPatterns } from "./random-patterns.ts";

function engineFor(pattern: RegExp): LinearEngine {
  const syntax = parsePattern(pattern);
  return new LinearEngine(compile(syntax), {
    anchored: isAnchored(syntax.root),
    first: firstCharsOf(syntax.root),
  });
}

/** Everything that exec tells. */
function facts(found: RegExpExecArray | null) {
  return (
    found && {
      captures: [...found],
      index: found.index,
      input: found.input,
      groups: found.groups && { ...found.groups },
    }
  );
}

test("finds what V8 finds, with the same groups, for 100,000 random cases", () => {
  const random = new RandomPatterns(Number(process.env["PATTERN_SEED"] ?? 1));
  let cases = 0;
  let matches = 0;
  while (cases < 100_000) {
    const pattern = random.pattern();
    const engine = tryEngine(pattern);
    if (!engine) continue;
    // On some of these V8 would not come back from a longer text.
    const most = judge(parsePattern(pattern)).power === Infinity ? 5 : 12;
    for (let n = 0; n < 20; n++, cases++) {
      const text = random.text(most);
      const expected = facts(pattern.exec(text));
      if (expected) matches++;
      expect({ pattern, text, ...facts(engine.exec(text)) }).toEqual({ pattern, text, ...expected });
    }
  }
  expect(matches).toBeGreaterThan(20_000);
});

// What random patterns do not have: old syntax, modifiers, names that alternatives share.
test.each([
  ["\\101\\2(b)", "", "A\u0002b"],
  ["\\8\\08", "", "8\u00008"],
  ["\\cA\\c!", "", "\u0001\\c!"],
  ["a{,2}{", "", "a{,2}{"],
  ["]}x", "", "]}x"],
  ["\\p{L}\\u{2}\\k<a>", "", "p{L}uuk<a>"],
  ["(?=a)*b(?!c){2}", "", "ab"],
  ["(?i:é)É(?-i:b)", "", "ÉÉb"],
  ["(?i:a)(?s-m:.)$", "m", "A\n"],
  ["(?:(?<y>\\d{4})-x|x-(?<y>\\d{4}))", "", "x-2026"],
  ["(?<\\u0061b>x)(?<𝒜>y)", "u", "xy"],
  ["\\ud83d\\ude00|\\u{1F600}+", "u", "😀😀"],
  ["[\\p{L}--[a-c]]+", "v", "abcdef"],
  ["[[a-z]&&[aeiou]]{2}", "v", "xxaeix"],
  ["(?<=(\\d+)(\\d+))$", "", "1053"],
  ["(z)((a+)?(b+)?(c))*", "", "zaacbbbcac"],
  ["(?:(a)|b)*", "", "ab"],
  ["(?=(a+))a*b", "", "baaabac"],
  ["(a*)*?c", "", "aac"],
  ["[\\b]\\0", "", "\b\u0000"],
])("/%s/%s in %j", (source, flags, text) => {
  const pattern = new RegExp(source, flags);
  const expected = facts(pattern.exec(text));
  expect(expected).not.toBeNull();
  const syntax = parsePattern(pattern);
  if (!surelyCompiles(syntax) && tryEngine(pattern) === undefined) return; // one that only V8 runs
  expect(facts(engineFor(pattern).exec(text))).toEqual(expected);
});

test("chars that are equal but for their case are known to be", () => {
  const all = Array.from({ length: 0xd800 }, (_, code) => String.fromCharCode(code));
  const missed: string[] = [];
  for (const flags of ["i", "iu"]) {
    for (const char of all) {
      if (char.toLowerCase() === char && char.toUpperCase() === char) continue;
      const variants = caseVariants(char.charCodeAt(0), flags === "iu");
      const code = char.charCodeAt(0).toString(16).padStart(4, "0");
      const pattern = new RegExp(`\\u${code}`, flags);
      const others = variants.map((variant) => String.fromCharCode(variant));
      // Whatever it equals is among them: nothing is left when they are taken away.
      const rest = withoutAll(firstPlane, others);
      if (pattern.test(rest)) missed.push(`${char} (${flags})`);
    }
  }
  expect(missed).toEqual([]);
});

/** All chars of the first plane. */
const firstPlane = Array.from({ length: 0xd800 }, (_, code) => String.fromCharCode(code)).join("");

function withoutAll(text: string, chars: readonly string[]): string {
  let rest = text;
  for (const char of chars) rest = rest.replace(char, "");
  return rest;
}

function tryEngine(pattern: RegExp): LinearEngine | undefined {
  try {
    return engineFor(pattern);
  } catch (error) {
    if (error instanceof NotLinear) return undefined;
    throw error;
  }
}
