import { describe, expect, test } from "vitest";
import { bind } from "../../src/commands/bind.ts";
import { tokenize } from "../../src/commands/tokenize.ts";
import { parseUsage } from "../../src/commands/usage.ts";

const run = (usage: string, line: string) => bind(parseUsage(`/x ${usage}`), tokenize(line).tokens);

describe("arguments", () => {
  test.each<[usage: string, line: string, args: object]>([
    ["", "full --dry-run -- 'a b'", { args: ["full", "--dry-run", "--", "a b"] }],
    ["", "", { args: [] }],
    ["<a> [b]", "1", { a: "1" }],
    ["<a> [b]", "1 2", { a: "1", b: "2" }],
    ["<a> [b...]", "1 2 3", { a: "1", b: ["2", "3"] }],
    ["[b...]", "", { b: [] }],
    ["<n:int...>", "1 -2", { n: [1, -2] }],
    ["<n:int> <m:number>", "-5 -.5e3", { n: -5, m: -500 }],
    ["<t:duration>", "1h30m", { t: 5_400_000 }],
    ["<d:date>", "2026-11-22", { d: new Date("2026-11-22T00:00:00Z") }],
    ["<d:date>", "2026-11-22T10:30", { d: new Date("2026-11-22T10:30:00Z") }],
    ["<d:date>", "2026-11-22T10:30:01.5+08:00", { d: new Date("2026-11-22T02:30:01.500Z") }],
    ["<j:json>", `'{"a": [1, null]}'`, { j: { a: [1, null] } }],
    ["<j:json>", "null", { j: null }],
    ["<m:email>", "ann+x@mail.example.org", { m: "ann+x@mail.example.org" }],
    ["<u:url>", "https://example.org/a?b", { u: new URL("https://example.org/a?b") }],
    ["<b:boolean> <c:boolean>", "YES off", { b: true, c: false }],
    ["<mode:full|incremental>", "FULL", { mode: "full" }],
    ["<s>", '""', { s: "" }],
    ["[--dry-run]", "", { dryRun: false }],
    ["[--dry-run]", "--dry-run", { dryRun: true }],
    ["[--dry-run]", "--dry-run=no", { dryRun: false }],
    ["[--dry-run]", "--dry-run --no-dry-run", { dryRun: false }],
    ["[--no-cache]", "--no-cache", { noCache: true }],
    ["[--for=duration]", "", {}],
    ["[--for=duration]", "--for=2s", { for: 2_000 }],
    ["[--for=duration] [a]", "--for 2s b", { for: 2_000, a: "b" }],
    ["[--to=int]", "--to -5", { to: -5 }],
    ["[--to]  [a]", "--to -5", { to: true, a: "-5" }],
    ["[--why=string]", "--why '--x y'", { why: "--x y" }],
    ["[--why=string]", "--why=a=b", { why: "a=b" }],
    ["[--why=string]", "--why=", { why: "" }],
    ["[--dry] <a> <b>", "1 --dry 2", { a: "1", b: "2", dry: true }],
    ["[--dry] [a...]", "-- --dry -- x", { dry: false, a: ["--dry", "--", "x"] }],
    ["[a...]", "'--dry' \\--dry", { a: ["--dry", "--dry"] }],
  ])("%s with %s", (usage, line, args) => expect(run(usage, line)).toEqual({ args, problems: [] }));
});

describe("problems", () => {
  test.each<[usage: string, line: string, problems: object[]]>([
    [
      "<a> <b:int>",
      "",
      [
        { code: "missing", argument: "a" },
        { code: "missing", argument: "b" },
      ],
    ],
    ["<a...>", "", [{ code: "missing", argument: "a" }]],
    ["[a]", "1 2 3", [{ code: "too_many", given: "2" }]],
    ["[--dry-run]", "--dryrun", [{ code: "unknown_flag", argument: "--dryrun", alike: ["--dry-run"] }]],
    ["[a]", "--x", [{ code: "unknown_flag", argument: "--x", alike: [] }]],
    ["[--for=int]", "--no-for", [{ code: "unknown_flag", argument: "--no-for" }]],
    ["[--for=int]", "--for", [{ code: "flag_without_value", argument: "--for" }]],
    ["[--for=int] [--dry]", "--for --dry", [{ code: "flag_without_value" }]],
    ["[--for=int]", "--for=1 --for=2", [{ code: "flag_twice", argument: "--for" }]],
    ["[--for=int]", "--for=x", [{ code: "misfit", argument: "--for", given: "x" }]],
    ["[--dry]", "--dry=perhaps", [{ code: "misfit", argument: "--dry", given: "perhaps" }]],
    [
      "<a:int> <b:int...>",
      "x 1 y",
      [
        { code: "misfit", argument: "a" },
        { code: "misfit", argument: "b", given: "y" },
      ],
    ],
  ])("%s with %j", (usage, line, problems) => expect(run(usage, line).problems).toMatchObject(problems));

  test.each([
    ["int", ["1.5", "1e3", "0x10", "9007199254740993", "", "--"]],
    ["number", ["abc", "Infinity", "NaN", "0x10", "1e999", ".", ""]],
    ["duration", ["5", "5 minutes", "-5s", "h"]],
    [
      "date",
      ["2026-02-30", "2026-13-01", "22.11.2026", "2026-11-22T25:00", "tomorrow", "2026-11-22T10:00+8"],
    ],
    ["json", ["{", '{"__proto__":{}}', '{"a":{"\\u005f_proto__":1}}', ""]],
    [
      "email",
      [
        "ann",
        "ann@",
        "@example.org",
        "ann@localhost",
        "a b@example.org",
        "a@b@c.org",
        "a@-x.org",
        "a@x..org",
      ],
    ],
    ["url", ["example.org", "javascript:alert(1)", "mailto:a@b.org", "http://"]],
    ["boolean", ["maybe", "2", ""]],
    ["full|incremental", ["ful", ""]],
  ])("%s refuses what does not fit", (type, misfits) => {
    const accepted = misfits.filter((text) => {
      const { problems } = bind(parseUsage(`/x <a:${type}>`), [{ text, literal: true }]);
      return problems[0]?.code !== "misfit";
    });
    expect(accepted).toEqual([]);
  });
});
