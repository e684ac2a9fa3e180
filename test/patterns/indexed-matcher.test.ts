import { expect, test } from "vitest";
import type { PatternHandler } from "../../src/handler.ts";
import { IndexedMatcher } from "../../src/patterns/indexed-matcher.ts";
import { LoopMatcher } from "../../src/patterns/loop-matcher.ts";
import type { Candidate, Matcher } from "../../src/patterns/matcher.ts";
import { parsePattern } from "../../src/patterns/parse.ts";
import { surelyCompiles } from "../../src/patterns/program.ts";
import { judge } from "../../src/patterns/safety.ts";
import { patternHandler } from "./pattern-setup.ts";
import { RandomPatterns } from "./random-patterns.ts";

const FIELDS = ["content", "title"];

/** The loop is the oracle: what it finds, in its order, is what there is to find. */
function twins() {
  const [ours, oracle] = [new IndexedMatcher(), new LoopMatcher()];
  const each = (act: (matcher: Matcher) => void): void => [ours, oracle].forEach(act);
  const agree = (field: string, text: string): number => {
    const expected = facts(oracle.match(field, text));
    expect({ text, found: facts(ours.match(field, text)) }).toEqual({ text, found: expected });
    return expected.length;
  };
  return { each, agree };
}

function facts(candidates: readonly Candidate[]) {
  return candidates.map(({ handler, found, order }) => ({
    name: handler.name,
    pattern: String(handler.pattern),
    captures: [...found],
    index: found.index,
    groups: found.groups && { ...found.groups },
    order,
  }));
}

/** One that V8, as the oracle runs it, comes back from. */
function tamePattern(random: RandomPatterns): RegExp {
  for (;;) {
    const pattern = random.below(3) === 0 ? random.pattern() : random.wordy();
    const syntax = parsePattern(pattern);
    if (judge(syntax).power <= 4 && surelyCompiles(syntax)) return pattern;
  }
}

function randomHandler(random: RandomPatterns, name: string): PatternHandler {
  return patternHandler(name, tamePattern(random), {
    field: FIELDS[random.below(4) === 0 ? 1 : 0] as string, // one of the two
    priority: random.below(3) - 1,
    stop: random.below(40) === 0,
  });
}

test("finds what a loop over all patterns finds, while patterns come and go", () => {
  const random = new RandomPatterns(Number(process.env["PATTERN_SEED"] ?? 1));
  let found = 0;
  for (let round = 0; round < 60; round++) {
    const { each, agree } = twins();
    const declared: PatternHandler[] = [];
    for (let step = 0; step < 120; step++) {
      if (declared.length > 0 && random.below(3) === 0) {
        const [gone] = declared.splice(random.below(declared.length), 1) as [PatternHandler];
        each((matcher) => matcher.remove(gone));
      } else {
        const handler = randomHandler(random, `${round}.${step}`);
        declared.push(handler);
        each((matcher) => matcher.add(handler));
      }
      for (const field of FIELDS) found += agree(field, random.wordyText()) + agree(field, random.text());
    }
  }
  expect(found).toBeGreaterThan(10_000);
});

test.each([
  [/disk full/, "the disk full of it", true],
  [/disk full/, "disk ful", false],
  [/\bk\b/iu, "\u212a", true],
  [/kernel panic/iu, "\u212aernel panic", true],
  [/kernel panic/i, "\u212aernel panic", false],
  [/strasse/iu, "\u017ftraſſe", true],
  [/ОШИБКА диска/i, "ошибка ДИСКА", true],
  [/磁盘已满/, "错误：磁盘已满。", true],
  [/😀 on fire/u, "the server 😀 on fire", true],
  [/\ud83d/, "😀", true],
  [/\ud83d/u, "😀", false],
  [/(?:)/, "", true],
  [/^$/, "", true],
  [/^\s*$/, " \t", true],
  [/^\s*$/, "x", false],
  [/a|/, "x", true],
  [/(?<=user )\w+ failed$/, "user ann failed", true],
  [/(?=.*password)^a/, "a password", true],
  [/x{3}y/, "xxxy", true],
  [/(?:ab){2,}c/, "ababc", true],
  [/%/, "5%", true],
  [/ms$/, "12ms", true],
])("%s in %j: %s", (pattern, text, expected) => {
  const matcher = new IndexedMatcher();
  matcher.add(patternHandler("a", pattern));
  // Whatever a text before has left in memory, this one is matched alone.
  matcher.match("content", `${text.repeat(40)}${text}`);
  expect(matcher.match("content", text).length > 0).toBe(expected);
});

test("each literal is found wherever it stands in a text", () => {
  const { each, agree } = twins();
  const literals = [
    "needle7",
    "pinhead",
    "four",
    "abc",
    "zq",
    "%",
    "a rather long literal that has to be compared",
  ];
  for (const literal of literals)
    each((matcher) => matcher.add(patternHandler(literal, new RegExp(literal))));
  let found = 0;
  for (const literal of literals) {
    for (let before = 0; before < 20; before++) {
      for (let after = 0; after < 6; after++)
        found += agree("content", "-".repeat(before) + literal + "-".repeat(after));
    }
  }
  expect(found).toBe(literals.length * 20 * 6);
});

test("a text of a million chars is searched to its end", () => {
  const matcher = new IndexedMatcher();
  matcher.add(patternHandler("a", /the very end$/));
  const text = `${"x".repeat(1_000_000)} the very end`;
  expect(matcher.match("content", text)[0]?.found.index).toBe(1_000_001);
  expect(matcher.match("content", "x")).toEqual([]);
});
