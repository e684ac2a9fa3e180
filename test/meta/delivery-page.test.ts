import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { conformanceCases, type ConformanceOptions } from "../../src/testing/conformance/index.ts";
import { memory } from "../engines/memory/setup.ts";
import { redis, redisCluster } from "../engines/redis/setup.ts";
import { postgres } from "../engines/postgres/setup.ts";
import { sqlite } from "../engines/sqlite/setup.ts";
import { ROOT } from "./source-tree.ts";

/*
 * docs/delivery.md, docs/engines.md and docs/sources.md say what is promised and which test shows it.
 * `UPDATE_DOCS=1 npx vitest run test/meta` writes the table of the engines anew.
 */

const PAGES = ["docs/delivery.md", "docs/zh-CN/delivery.md"];
const ENGINE_PAGES = ["docs/engines.md", "docs/zh-CN/engines.md"];
const ENGINES: readonly Pick<ConformanceOptions, "name" | "skip">[] = [
  memory,
  sqlite,
  postgres,
  redis,
  redisCluster,
];
const TABLE = /<!-- support:begin -->[^]*<!-- support:end -->/;

test.each(ENGINE_PAGES)("the support table of %s is what the conformance suite says", (page) => {
  const path = join(ROOT, page);
  const text = readFileSync(path, "utf8");
  const wanted = text.replace(TABLE, `<!-- support:begin -->\n${supportTable()}\n<!-- support:end -->`);
  if (process.env["UPDATE_DOCS"]) writeFileSync(path, wanted);
  expect(readFileSync(path, "utf8")).toBe(wanted);
});

describe.each(PAGES)("%s", (page) => {
  const path = join(ROOT, page);

  test("every guarantee of the suite that it quotes exists", () => {
    const text = readFileSync(path, "utf8");
    const quoted = [...text.matchAll(/conformance "([^"]+)"/g)].map(([, name]) => name);
    const names = new Set(conformanceCases.map(({ name }) => name));
    expect(quoted.filter((name) => !names.has(name ?? ""))).toEqual([]);
    expect(quoted.length).toBeGreaterThan(10);
  });
});

test.each([...PAGES, ...ENGINE_PAGES, "docs/sources.md", "docs/zh-CN/sources.md"])(
  "every test that %s names exists",
  (page) => {
    const text = readFileSync(join(ROOT, page), "utf8").replaceAll("\\|", "|"); // as a cell of a table has it
    const named = [...text.matchAll(/`(test\/[^`\s]+)`(?: "([^"]+)")?/g)];
    expect(named.length).toBeGreaterThan(15);
    const missing = named.flatMap(([, file = "", title]) => {
      if (!existsSync(join(ROOT, file))) return [file];
      return title === undefined || readFileSync(join(ROOT, file), "utf8").includes(title)
        ? []
        : [`${file}: ${title}`];
    });
    expect(missing).toEqual([]);
  },
);

function supportTable(): string {
  const areas = [...new Set(conformanceCases.map(({ area }) => area))];
  const skipped = (engine: (typeof ENGINES)[number], area: string) =>
    (engine.skip ?? []).flatMap(({ tests, reason }) =>
      tests
        .filter((name) => conformanceCases.some((each) => each.name === name && each.area === area))
        .map((name) => ({ name, reason })),
    );
  const cell = (engine: (typeof ENGINES)[number], area: string): string => {
    const all = conformanceCases.filter((each) => each.area === area).length;
    const left = all - skipped(engine, area).length;
    return left === all ? `${all}` : `${left} of ${all}`;
  };
  const rows = areas.map(
    (area) => `| ${area} | ${ENGINES.map((engine) => cell(engine, area)).join(" | ")} |`,
  );
  const notes = ENGINES.flatMap((engine) =>
    areas.flatMap((area) =>
      skipped(engine, area).map(
        ({ name, reason }) => `- \`${engine.name}\`: "${name}" is skipped: ${reason}.`,
      ),
    ),
  );
  return [
    `| area | ${ENGINES.map(({ name }) => name).join(" | ")} |`,
    `| --- | ${ENGINES.map(() => "---").join(" | ")} |`,
    ...rows,
    "",
    ...notes,
  ].join("\n");
}
