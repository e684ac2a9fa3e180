import { expect, test } from "vitest";
import { sourceFiles } from "./source-tree.ts";

/*
 * The sizes that keep the source readable. A file at the cap is split by phase, never by number of lines.
 * The conformance suite is shipped, but it is a test: it does not count. An engine has a budget of its own.
 * Why 25,500: docs/decisions/0002-source-budget.md.
 */
const LONGEST_FILE = 400;
const NINE_IN_TEN = 250;
const MEDIAN = 110;
const WHOLE = 25_500;
const ENGINE = 5_000;

test("no file is too long, and most are short", () => {
  const files = sourceFiles().filter(({ path }) => !path.startsWith("testing/conformance/"));
  expect(
    files.filter(({ lines }) => lines > LONGEST_FILE).map(({ path, lines }) => `${path}: ${lines}`),
  ).toEqual([]);
  const sizes = files.map(({ lines }) => lines).sort((a, b) => a - b);
  expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThanOrEqual(MEDIAN);
  expect(sizes[Math.floor(sizes.length * 0.9)]).toBeLessThanOrEqual(NINE_IN_TEN);
  const rooms = Map.groupBy(files, ({ path }) => /^engines\/[^/]+/.exec(path)?.[0] ?? "the framework");
  const over = [...rooms].flatMap(([room, inside]) => {
    const lines = inside.reduce((sum, file) => sum + file.lines, 0);
    return lines > (room === "the framework" ? WHOLE : ENGINE) ? [`${room}: ${lines}`] : [];
  });
  expect(over).toEqual([]);
});

test("the source has no `any`, no @ts-ignore and nothing to be done later", () => {
  const found = sourceFiles().flatMap(({ path, text }) =>
    text
      .split("\n")
      .flatMap((line, at) =>
        /:\s*any\b|\bas any\b|<any>|@ts-ignore|\bTODO\b|\bFIXME\b/.test(line)
          ? [`${path}:${at + 1}: ${line.trim()}`]
          : [],
      ),
  );
  expect(found).toEqual([]);
});

test("file names are kebab-case, and none of them says nothing", () => {
  const odd = sourceFiles().filter(
    ({ path }) =>
      !/^[a-z0-9/-]+\.ts$/.test(path) ||
      /(^|\/)(utils?|helpers?|common|lib|misc|interfaces)(\/|\.ts$)/.test(path),
  );
  expect(odd.map(({ path }) => path)).toEqual([]);
});

test("tests do not sleep", async () => {
  const { readdirSync, readFileSync } = await import("node:fs");
  const { ROOT } = await import("./source-tree.ts");
  const sleeps = readdirSync(`${ROOT}/test`, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .flatMap((path) =>
      readFileSync(`${ROOT}/test/${path}`, "utf8")
        .split("\n")
        .flatMap((line, at) =>
          /await (sleep|setTimeout)\(\s*\d|=> setTimeout\(\w+, \d{3,}\)/.test(line)
            ? [`${path}:${at + 1}: ${line.trim()}`]
            : [],
        ),
    );
  expect(sleeps).toEqual([]);
});
