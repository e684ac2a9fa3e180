import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CommanderError } from "commander";
import { describe, expect, test } from "vitest";
import { createProgram } from "../../src/cli/program.ts";
import { type ErrorCode, errorCodes, NO_CLASS } from "./error-codes.ts";
import { ROOT } from "./source-tree.ts";

/* docs/reference/errors.md has every code that the source has, below the class that has it, and no other. */

const ENGLISH = "docs/reference/errors.md";
const CHINESE = "docs/zh-CN/reference/errors.md";

/** What no error is made with: the command line makes these of a reply's status, of what its parser says, or of nothing. */
const COMPUTED = [
  ...replyStatuses().map((status) => `COMMAND_${status.toUpperCase()}`),
  "UNEXPECTED",
  "UNKNOWN_COMMAND",
  "UNKNOWN_OPTION",
  "OPTION_MISSING_ARGUMENT",
  "INVALID_ARGUMENT",
].map((code) => ({ code, type: "CliError" }));

describe.each([ENGLISH, CHINESE])("%s", (page) => {
  test("documents every code of the source, and no other", () => {
    expect(linesOf(documented(page))).toEqual(linesOf([...errorCodes(), ...COMPUTED]));
  });

  test("each row says when, and what to do", () => {
    for (const row of rowsOf(page)) expect(row).toEqual([expect.any(String), FULL, FULL]);
  });
});

test("both languages have the same codes in the same order", () => {
  expect(documented(CHINESE)).toEqual(documented(ENGLISH));
});

test("the source has codes, and each belongs to a class of errors", () => {
  const codes = errorCodes();
  expect(codes.length).toBeGreaterThan(90);
  expect(codes.filter(({ type }) => type === NO_CLASS)).toEqual([]);
});

test.each([
  [["nope"], "commander.unknownCommand"],
  [["list", "--nope"], "commander.unknownOption"],
  [["list", "--url"], "commander.optionMissingArgument"],
  [["messages", "list", "--state", "dead"], "commander.invalidArgument"],
])("what the parser says of %j is one of the computed codes", async (args, code) => {
  const error: unknown = await createProgram()
    .parseAsync(args, { from: "user" })
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CommanderError);
  expect(error).toMatchObject({ code });
  const printed = code
    .slice("commander.".length)
    .replaceAll(/([A-Z])/g, "_$1")
    .toUpperCase();
  expect(COMPUTED.map((each) => each.code)).toContain(printed);
});

const FULL: unknown = expect.stringMatching(/\S{2,}/);

function documented(page: string): ErrorCode[] {
  return sectionsOf(page).flatMap(({ type, rows }) =>
    rows.map(([cell = ""]) => ({ code: cell.replaceAll("`", ""), type })),
  );
}

function rowsOf(page: string): string[][] {
  return sectionsOf(page).flatMap(({ rows }) => rows);
}

/** Each class with the rows of its table; `\|` is no border of a cell. */
function sectionsOf(page: string): { type: string; rows: string[][] }[] {
  const [, ...sections] = readFileSync(join(ROOT, page), "utf8").split(/^## /m);
  return sections.map((section) => ({
    type: section.split("\n", 1)[0]?.trim() ?? "",
    rows: [...section.matchAll(/^\| (`[A-Z].*) \|$/gm)].map(([, row = ""]) => row.split(/(?<!\\) \| /)),
  }));
}

function linesOf(codes: readonly ErrorCode[]): string[] {
  return codes.map(({ code, type }) => `${code} (${type})`).sort();
}

/** Every way in which a reply can be not ok. `not_a_command` has a literal of its own. */
function replyStatuses(): string[] {
  const source = readFileSync(join(ROOT, "src/commands/reply.ts"), "utf8");
  const [, union = ""] = /type ReplyStatus =([^;]+);/.exec(source) ?? [];
  const statuses = [...union.matchAll(/"(\w+)"/g)].map(([, status = ""]) => status);
  return statuses.filter((status) => status !== "ok" && status !== "not_a_command");
}
