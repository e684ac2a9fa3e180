import { expect, test } from "vitest";
import { IndexedMatcher } from "../../src/patterns/indexed-matcher.ts";
import { describePattern } from "../../src/patterns/pattern-description.ts";
import { planFor } from "../../src/patterns/pattern-runner.ts";
import { patternHandler } from "./pattern-setup.ts";

/** 100 kB of `unit`, and then something that makes the match fail. */
function long(unit: string, end = "!", start = ""): string {
  return start + unit.repeat(Math.ceil(100_000 / unit.length)) + end;
}

/**
 * Patterns with which programs were brought to a halt, and texts that do it. V8 would take from minutes to longer than
 * the world will last for most of them. Sources: OWASP's page on ReDoS; advisories of npm packages and of Node itself
 * (the package's name stands behind the pattern); Cloudflare's and Stack Overflow's reports of July 2019 and 2016.
 */
const ATTACKS: readonly (readonly [RegExp, string])[] = [
  [/^(a+)+$/, long("a")],
  [/^(a|aa)+$/, long("a")],
  [/^(a|a?)+$/, long("a")],
  [/^([a-zA-Z]+)*$/, long("a")],
  [/^(.*a){12}$/, long("a")],
  [/^(([a-z])+.)+[A-Z]([a-z])+$/, long("a")],
  [
    /(?:(?:"|'|\]|\}|\\|\d|(?:nan|infinity|true|false|null|undefined|symbol|math)|`|-|\+)+[)]*;?((?:\s|-|~|!|\{\}|\|\||\+)*.*(?:.*=.*)))/,
    long("x=", "", "x="),
  ], // Cloudflare
  [/^[\s\u200c]+|[\s\u200c]+$/, long(" ", "x", "x")], // Stack Overflow
  [
    /^([a-zA-Z0-9])(([-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$/,
    long("a"),
  ],
  [/^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/i, long("a-")],
  [/^(\d+)*$/, long("1", "x")],
  [/^(?:\d+\.?)+$/, long("1", "x")],
  [/^(\w+\s?)*$/, long("word ")],
  [/^(?:\S+\s+)*\S+$/, long("x ", "\n")],
  [/(.*)*=(.*)*;/, long("=")],
  [/(?:\s*,\s*)+$/, long(" , ", "x")],
  [/\s+$/, long(" ", "x")],
  [/<!--[^]*?-->/, long("<!--", "")],
  [/(?:[^"\\]|\\.)*"/, long("\\a", "")],
  [/^(?:"(?:[^"\\]+|\\.)*"|[^,]*)+$/, long('"a', "\n")],
  [/(\/\*(?:.|\n)*?\*\/)+x/, long("/**/")],
  [/^((?:[^\s]+\s*)+):(.+)$/, long("x ", "")],
  [/([^=]*?)(?:=(.*?))?(?:;|$)+y/, long(";")],
  [/^(?:[+-]?\d*\.?\d*)+e$/, long("1.")],
  [/(?=(?:a+)+$)b?a/, long("a")],
  [/(?<=^(?:a|aa)+)b$/, long("a")],
  [/^(?!(?:a+)+$).*x$/, long("a", "")],
  [/^(?:(?:\p{L}|\p{N})+[-_]?)*$/u, long("ж1")],
  [/^(?:(?:k|K)+)+$/iu, long("\u212a")],
  [/((?:x?){20})(?:x?){20}y/, long("x")],
  [/a.*b.*c.*d$/, long("abc")],
  [/(.+)+x/s, long("\n")],
  [/^(a+){2,}b?$/, long("a")],
  [/^(?:\/?[\w.-]+\/?)*$/, long("a/")], // path-to-regexp and many like it
  [/(?:^|\n)(?:.*?\n)*?END/, long("x\n", "")],
];

test.each(ATTACKS)("%s comes back from 100 kB made for it", (pattern, text) => {
  const matcher = new IndexedMatcher();
  matcher.add(patternHandler("a", pattern));
  // What its literals keep away is no attack: with all of them in the text the pattern is run.
  const literals = " nan true symbol math END -- < : = ; e x y b c d ";
  const start = process.threadCpuUsage().user;
  matcher.match("content", text);
  matcher.match("content", text + literals);
  // Milliseconds are what it takes; minutes are what it takes without a bound.
  expect((process.threadCpuUsage().user - start) / 1_000).toBeLessThan(5_000);
});

test("a million chars for a pattern of hundreds of steps: it sees the beginning, and says so", () => {
  const matcher = new IndexedMatcher();
  const handler = patternHandler("a", /.{1,200}x.{1,200}y/);
  matcher.add(handler);
  const start = process.threadCpuUsage().user;
  expect(matcher.match("content", "x".repeat(2 ** 20 - 2) + "y")).toEqual([]);
  // A second; several here, where each call between files takes a detour. Without a bound, a minute.
  expect((process.threadCpuUsage().user - start) / 1_000).toBeLessThan(20_000);
  const { seenUpTo, slow } = describePattern(handler, false);
  expect(seenUpTo).toBeGreaterThan(80_000);
  expect(slow.join()).toContain(`the first ${seenUpTo?.toLocaleString("en")} chars`);
  expect(matcher.match("content", `${"x".repeat(2_000)}y`)).toHaveLength(1);
  expect(describePattern(patternHandler("b", /^(a+)+$/), false)).toMatchObject({ seenUpTo: null });
});

test("all of them at once", () => {
  const matcher = new IndexedMatcher();
  for (const [n, [pattern]] of ATTACKS.entries()) matcher.add(patternHandler(`${n}`, pattern));
  for (const [, text] of ATTACKS.slice(0, 6)) matcher.match("content", text.slice(-10_000));
});

test("none of them is left to V8 but on short texts", () => {
  expect(ATTACKS.length).toBeGreaterThanOrEqual(25);
  const left = ATTACKS.filter(([pattern]) => planFor(pattern).v8UpTo > 2_000);
  expect(left.map(([pattern]) => String(pattern))).toEqual([]);
});

test("the cost grows with the length of the text, not faster", () => {
  const matcher = new IndexedMatcher();
  matcher.add(patternHandler("a", /^(?:(a+)+|(b|bb)+)+$/));
  const cpu = (length: number): number => {
    const text = `${"ab".repeat(length)}!`;
    const samples = Array.from({ length: 5 }, () => {
      const start = performance.now();
      matcher.match("content", text);
      return performance.now() - start;
    });
    return Math.min(...samples);
  };
  cpu(2_000);
  // Sixteen times the text; with the square of it, 256 times the work.
  expect(cpu(32_000) / cpu(2_000)).toBeLessThan(80);
});
