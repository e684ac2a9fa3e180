import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { PatternDispatcher } from "../../../src/patterns/pattern-dispatcher.ts";
import { HandlerRegistry } from "../../../src/registry.ts";
import { patternHandler } from "../pattern-setup.ts";
import { readCsv } from "./csv.ts";
import { templatePattern } from "./template.ts";

/*
 * The LogHub samples (github.com/logpai/loghub), eight systems: each event template becomes a pattern, all patterns stand
 * in one registry, and each line is to be found by the pattern of its true event. `UPDATE_DOCS=1 npx vitest run
 * test/patterns/loghub` writes the tables of docs/real-logs.md anew.
 */

const FOLDER = process.env["LOGHUB_DIR"] ?? resolve(import.meta.dirname, "../../../../shared/data/loghub");
const SYSTEMS = existsSync(FOLDER)
  ? readdirSync(FOLDER).flatMap((file) => /^(.+)_2k\.log_templates\.csv$/.exec(file)?.[1] ?? [])
  : [];
const absent = SYSTEMS.length === 0 ? " (skipped: set LOGHUB_DIR to the folder with the LogHub samples)" : "";
const PAGES = ["docs/real-logs.md", "docs/zh-CN/real-logs.md"].map((page) =>
  resolve(import.meta.dirname, "../../..", page),
);
const TABLE = /<!-- figures:begin -->[^]*<!-- figures:end -->/;

interface Line {
  readonly content: string;
  /** `Linux E16`. */
  readonly event: string;
}

interface Figures {
  readonly system: string;
  readonly templates: number;
  readonly lines: number;
  readonly found: number;
  readonly right: number;
  /** How often a line of one event was taken for another, or for none. */
  readonly misses: Map<string, number>;
}

function tableOf(system: string, what: "structured" | "templates"): Record<string, string>[] {
  return readCsv(readFileSync(join(FOLDER, `${system}_2k.log_${what}.csv`), "utf8"));
}

function linesOf(system: string): Line[] {
  return tableOf(system, "structured").map((row) => ({
    content: row["Content"] ?? "",
    event: `${system} ${row["EventId"]}`,
  }));
}

/** One registry with the templates of all systems: the most specific that fits a line ends the search. */
function dispatcherOf(systems: readonly string[]): PatternDispatcher {
  const registry = new HandlerRegistry();
  for (const system of systems) {
    for (const { EventId, EventTemplate = "" } of tableOf(system, "templates")) {
      const { pattern, specificity } = templatePattern(EventTemplate);
      registry.add(patternHandler(`${system} ${EventId}`, pattern, { priority: -specificity, stop: true }));
    }
  }
  return new PatternDispatcher({ registry });
}

async function measure(patterns: PatternDispatcher, system: string): Promise<Figures> {
  const lines = linesOf(system);
  const misses = new Map<string, number>();
  let found = 0;
  let right = 0;
  for (const { content, event } of lines) {
    const [first] = await patterns.match(content);
    if (first) found++;
    if (first?.handler === event) right++;
    else {
      const miss = `${event} → ${first?.handler ?? "nothing"}`;
      misses.set(miss, (misses.get(miss) ?? 0) + 1);
    }
  }
  return {
    system,
    templates: tableOf(system, "templates").length,
    lines: lines.length,
    found,
    right,
    misses,
  };
}

describe(`the templates of ${SYSTEMS.length} systems, all at once${absent}`, () => {
  test.skipIf(absent !== "")(
    "find the true event of each line, but for the lines that are explained",
    async () => {
      const patterns = dispatcherOf(SYSTEMS);
      const all: Figures[] = [];
      for (const system of SYSTEMS) all.push(await measure(patterns, system));
      patterns.close();
      for (const { system, lines, found, right } of all) {
        console.log(
          `${system}: precision ${(right / found).toFixed(4)}, recall ${(right / lines).toFixed(4)}`,
        );
      }
      const figures = figuresTable(all);
      for (const page of PAGES) {
        const text = readFileSync(page, "utf8");
        const wanted = text.replace(TABLE, `<!-- figures:begin -->\n${figures}\n<!-- figures:end -->`);
        if (process.env["UPDATE_DOCS"]) writeFileSync(page, wanted);
        expect(readFileSync(page, "utf8")).toBe(wanted);
      }
      for (const { system, right, lines } of all)
        expect([system, right / lines > 0.95]).toEqual([system, true]);
    },
    60_000,
  );
});

function figuresTable(all: readonly Figures[]): string {
  const share = (part: number, whole: number): string =>
    (Math.floor((part / whole) * 10_000) / 10_000).toFixed(4);
  const rows = all.map(
    ({ system, templates, lines, found, right }) =>
      `| ${system} | ${templates} | ${lines} | ${share(right, found)} | ${share(right, lines)} |`,
  );
  const misses = all.flatMap(({ misses: of }) => [...of].map(([miss, count]) => `| ${miss} | ${count} |`));
  return [
    "| system | templates | lines | precision | recall |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
    "",
    "| event → found as | lines |",
    "| --- | --- |",
    ...misses,
  ].join("\n");
}

describe("a template becomes a pattern", () => {
  test.each([
    ["user <*> from <*>", "user a b from 10.0.0.1", ["a b", "10.0.0.1"]],
    ["<*>", "anything at all", ["anything at all"]],
    ["cost is $<*> (a+b)* [x] {y} ^ \\ . ? | /-", "cost is $5 (a+b)* [x] {y} ^ \\ . ? | /-", ["5"]],
    ["two  blanks\tand <*><*>glued", "two blanks and xglued", ["x"]],
    ["  ends <*>  ", "ends ", [""]],
    ['"quoted", <*> 中文', '"quoted", é 中文', ["é"]],
  ])("%j fits %j", (template, line, groups) => {
    expect(templatePattern(template).pattern.exec(line)?.slice(1)).toEqual(groups);
  });

  test("that fits nothing but what it says", () => {
    expect(templatePattern("a.c").pattern.test("abc")).toBe(false);
    expect(templatePattern("a <*>").pattern.test("b a x")).toBe(false);
  });
});
