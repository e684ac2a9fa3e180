import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseUsage, prefixOf } from "../../src/commands/usage.ts";
import { DeclarationError } from "../../src/errors.ts";

describe("a usage", () => {
  test("is read whole", () => {
    const spec = parseUsage(
      "/user <user-id:int> <action:ban|unban> [reason...] [--for=duration] [--dry-run]",
    );
    expect(spec.words).toEqual(["/user"]);
    expect(spec.prefix).toBe("/");
    expect(spec.bare).toBe(false);
    expect(spec.positionals).toMatchObject([
      {
        name: "user-id",
        key: "userId",
        text: "<user-id:int>",
        type: { name: "int" },
        required: true,
        rest: false,
      },
      { name: "action", key: "action", type: { name: "ban|unban", choices: ["ban", "unban"] } },
      { name: "reason", key: "reason", type: { name: "string" }, required: false, rest: true },
    ]);
    expect(spec.flags).toMatchObject([
      { name: "for", key: "for", text: "[--for=duration]", type: { name: "duration" } },
      { name: "dry-run", key: "dryRun", type: undefined },
    ]);
  });

  test.each([
    ["/backup", "/", ["/backup"]],
    ["!ban", "!", ["!ban"]],
    [".info", ".", [".info"]],
    ["$$deep", "$$", ["$$deep"]],
    ["/db migrate  up", "/", ["/db", "migrate", "up"]],
    ["/备份", "/", ["/备份"]],
    ["。帮助", "。", ["。帮助"]],
    ["/🚀", "/", ["/🚀"]],
  ])("%s without arguments is bare", (usage, prefix, words) => {
    expect(parseUsage(usage)).toMatchObject({ prefix, words, bare: true });
  });

  test.each<[usage: string, code: string, at: number, says: string]>([
    ["backup", "COMMAND_PREFIX", 0, 'write "/backup"'],
    ["备份", "COMMAND_PREFIX", 0, 'write "/备份"'],
    ["<id> /x", "COMMAND_PREFIX", 0, '"/name <id>"'],
    ["/", "COMMAND_WORD", 0, "no name"],
    ["/a'b", "COMMAND_WORD", 0, "quote"],
    ["/db mi|gr", "COMMAND_WORD", 4, "bracket"],
    ["/a\u200bb", "COMMAND_WORD", 0, "another character"],
    ["/x <id> more", "USAGE_WORD", 8, '"[more]"'],
    ["/x --dry", "USAGE_FLAG", 3, '"[--dry]"'],
    ["/x <--dry>", "USAGE_FLAG", 3, '"[--dry]"'],
    ["/x [--for:int]", "USAGE_FLAG", 9, '"[--for=int]"'],
    ["/x <id", "USAGE_BRACKET", 3, '"<id>"'],
    ["/x <the id>", "USAGE_BRACKET", 3, "not closed"],
    ["/x <a<b>>", "USAGE_BRACKET", 5, "inside of brackets"],
    ["/x <>", "USAGE_NAME", 4, "no name"],
    ["/x [--]", "USAGE_NAME", 6, "no name"],
    ["/x <1st>", "USAGE_NAME", 4, "letter"],
    ["/x <__proto__>", "USAGE_NAME", 4, "letter"],
    ["/x <a> [--a]", "USAGE_NAME_TWICE", 10, "twice"],
    ["/x <dry-run> <dryRun>", "USAGE_NAME_TWICE", 14, '"dryRun"'],
    ["/x <id:itn>", "USAGE_TYPE", 7, 'Did you mean "int"'],
    ["/x <id:>", "USAGE_TYPE", 7, "missing"],
    ["/x [--for=]", "USAGE_TYPE", 10, "missing"],
    ["/x <mode:full>", "USAGE_TYPE", 9, "full|incremental"],
    ["/x <mode:a||b>", "USAGE_CHOICES", 9, "plain word"],
    ["/x <mode:a|b|a>", "USAGE_CHOICES", 9, "twice"],
    ["/x [a] <b>", "USAGE_ORDER", 7, "Swap them"],
    ["/x [a...] [b]", "USAGE_REST", 10, "takes all that follows"],
  ])("%j is refused with %s", (usage, code, at, says) => {
    const error = faultOf(usage);
    expect(error.code).toBe(code);
    expect(error.message).toContain(says);
    expect(error.message.endsWith(`\n  ${usage}\n  ${" ".repeat(at)}^`)).toBe(true);
  });

  test("has the same faults, at the same places, when another one that ends alike was read before", () => {
    for (const part of ["<a>", "[a]", "[a...]", "[b]", "<b>", "[--a]", "[--b=int]"])
      parseUsage(`/seen ${part}`);
    for (const [usage, code, at] of [
      ["/x <a> [--a]", "USAGE_NAME_TWICE", 10],
      ["/x [--a] <a>", "USAGE_NAME_TWICE", 10],
      ["/x <a> <a>", "USAGE_NAME_TWICE", 8],
      ["/x [a] <b>", "USAGE_ORDER", 7],
      ["/x [a...] [b]", "USAGE_REST", 10],
      ["[a] /x", "COMMAND_PREFIX", 0],
      ["<b> [a]", "COMMAND_PREFIX", 0],
      ["/x y|z <a>", "COMMAND_WORD", 3],
      ["x <a>", "COMMAND_PREFIX", 0],
      ["/x [--a] y", "USAGE_WORD", 9],
    ] as const) {
      const error = faultOf(usage);
      expect(error.code).toBe(code);
      expect(error.message.endsWith(`\n  ${usage}\n  ${" ".repeat(at)}^`)).toBe(true);
    }
  });

  test("reads a type of its own as its own option says, though another usage has the same words", () => {
    const typeOf = (color: (text: string) => unknown) =>
      parseUsage("/paint <c:color> [--edge=color]", { color });
    for (const value of ["one", "two"]) {
      const { positionals, flags } = typeOf(() => value);
      expect([positionals[0]?.type.read(""), flags[0]?.type?.read("")]).toEqual([value, value]);
    }
    expect(() => parseUsage("/paint <c:color>")).toThrow(expect.objectContaining({ code: "USAGE_TYPE" }));
  });

  test("is read right however many others there were", () => {
    for (let n = 0; n < 5_000; n++) {
      const { positionals, flags } = parseUsage(`/x <a${n}:int> [--b${n}]`);
      expect([positionals[0]?.key, flags[0]?.key]).toEqual([`a${n}`, `b${n}`]);
      expect(parseUsage(`/db y${n} <a${n}:int> [--b${n}]`)).toMatchObject({
        words: ["/db", `y${n}`],
        positionals,
        flags,
      });
    }
  });

  test("that is empty, or no text, is refused", () => {
    expect(faultOf(" ").code).toBe("USAGE_EMPTY");
    expect(faultOf(undefined as unknown as string).code).toBe("USAGE_EMPTY"); // as JavaScript may call it
  });

  test("never fails in any other way", () => {
    const pieces = fc.constantFrom(
      "/x",
      " ",
      "<",
      ">",
      "[",
      "]",
      "a",
      ":",
      "|",
      "...",
      "--",
      "=",
      "int",
      "é",
      "\n",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        expect(outcomeOf(parts.join(""))).toSatisfy(
          (outcome) => outcome instanceof DeclarationError || Array.isArray(outcome),
        );
      }),
    );
  });
});

test.each([
  ["/backup", "/"],
  ["...", "..."],
  ["hello", ""],
  ["5", ""],
  ["😀", ""],
  ["！禁言", "！"],
])("the prefix of %s is %j", (text, prefix) => expect(prefixOf(text)).toBe(prefix));

function faultOf(usage: string): DeclarationError {
  const outcome = outcomeOf(usage);
  if (outcome instanceof DeclarationError) return outcome;
  throw new Error(`${usage} was accepted, or failed otherwise`, { cause: outcome });
}

/** The words of a usage, or what was thrown instead. */
function outcomeOf(usage: string): unknown {
  try {
    return parseUsage(usage).words;
  } catch (error) {
    return error;
  }
}
