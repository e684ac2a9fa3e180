import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { createProgram } from "../../src/cli/program.ts";
import { type Variable, VARIABLES } from "../../src/config-variables.ts";
import { ROUTES } from "../../src/http/routes.ts";
import { anchorOf, type Page, parsePage } from "./markdown.ts";
import { ROOT, sourceFiles } from "./source-tree.ts";

/* What the documents say of files, commands, variables and words is so, and both languages say the same. */

const PAGES = [
  "README.md",
  "README.zh-CN.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...pagesBelow("docs"),
  ...pagesBelow("examples"),
];
const CONFIGURATION = ["docs/reference/configuration.md", "docs/zh-CN/reference/configuration.md"] as const;
const TABLE = /<!-- variables:begin -->[^]*<!-- variables:end -->/;
const variables: readonly Variable<unknown>[] = Object.values<Variable<unknown>>(VARIABLES);

describe.each(PAGES.flatMap(withTwin))("%s and %s", (english, chinese) => {
  test("have the same headings, code, tables, lists, links and words in backticks", () => {
    expect(shapeOf(chinese)).toEqual(shapeOf(english));
  });
});

test("every page of the docs is there in both languages", () => {
  const alone = PAGES.filter(
    (page) =>
      /^(docs\/(?!decisions\/|zh-CN\/)|README\.md|examples\/.*README\.md)/.test(page) &&
      withTwin(page).length === 0,
  );
  expect(alone).toEqual([]);
});

test("every link leads to a file that is there, and to a heading that is in it", () => {
  const dead = PAGES.flatMap((page) => read(page).links.flatMap((link) => faultOf(page, link)));
  expect(dead).toEqual([]);
  expect(PAGES.flatMap((page) => read(page).links).length).toBeGreaterThan(100);
});

test("every file of the repository that is named in backticks is there", () => {
  const named = PAGES.flatMap((page) =>
    read(page).spans.flatMap((span) =>
      /^(?:src|test|docs|examples|deploy|bench)\/[\w./-]+$/.test(span) ? [{ page, span }] : [],
    ),
  );
  expect(named.length).toBeGreaterThan(30);
  expect(
    named.filter(({ span }) => !existsSync(join(ROOT, span)) && !MADE_BY_READERS.includes(span)),
  ).toEqual([]);
});

/** `UPDATE_DOCS=1 npx vitest run test/meta` writes it anew; the Chinese one is written by hand. */
test("the table of docs/reference/configuration.md is made of src/config-variables.ts", () => {
  const before = text(CONFIGURATION[0]);
  const wanted = before.replace(
    TABLE,
    `<!-- variables:begin -->\n${variableTable()}\n<!-- variables:end -->`,
  );
  if (process.env["UPDATE_DOCS"]) writeFileSync(join(ROOT, CONFIGURATION[0]), wanted);
  expect(text(CONFIGURATION[0])).toBe(wanted);
});

describe.each(CONFIGURATION)("%s", (page) => {
  const [table = ""] = TABLE.exec(text(page)) ?? [];

  test("it has every variable with its default, what is accepted and what it means", () => {
    const [, , ...rows] = parsePage(table).rows;
    expect(rows.map(([name, fallback]) => `${name} ${fallback}`)).toEqual(
      variables.map(({ name, fallback }) => `\`${name}\` ${fallback && `\`${fallback}\``}`),
    );
    for (const row of rows)
      expect(row.slice(2)).toEqual([expect.stringMatching(/.{4}/), expect.stringMatching(/.{4}/)]);
  });

  test("it has every variable that is read elsewhere", () => {
    const elsewhere = sourceFiles().flatMap(({ text: source }) =>
      [...source.matchAll(/process\.env\["([A-Z_]+)"\]/g)].map(([, name = ""]) => name),
    );
    expect(elsewhere.length).toBeGreaterThan(2);
    expect(elsewhere.filter((name) => !read(page).spans.includes(name))).toEqual([]);
  });
});

describe("the commands that the documents name", () => {
  const scripts = Object.keys(JSON.parse(text("package.json")).scripts as object);
  const shell = PAGES.map(
    (page) =>
      `${read(page)
        .blocks.map((block) => block.text)
        .join("\n")}\n${read(page).spans.join("\n")}`,
  ).join("\n");

  test("npm scripts", () => {
    const named = [...shell.matchAll(/\bnpm (?:run (?:-s )?([\w:-]+)|(start|test)\b)/g)].map(
      ([, run, short]) => run ?? short ?? "",
    );
    expect(new Set(named)).toContain("bench");
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
  });

  test("of decorator-framework, with their options", () => {
    const program = createProgram();
    const used = [...shell.matchAll(/(?:npx |^)decorator-framework ([\w-]+)((?: [^\n#|]*)?)/gm)];
    expect(used.length).toBeGreaterThan(5);
    const wrong = used.flatMap(([line, name = "", rest = ""]) => {
      const group = program.commands.find((each) => each.name() === name);
      const isGroup = group !== undefined && group.commands.length > 0;
      const command = isGroup ? group.commands.find((each) => rest.startsWith(` ${each.name()}`)) : group;
      if (!command) return [line];
      const options = [...(rest.split(" -- ", 1)[0] ?? "").matchAll(/ (--[\w-]+)/g)].map(
        ([, option = ""]) => option,
      );
      const known = command.options.map(({ long }) => long ?? "");
      return options.every((option) => known.includes(option)) ? [] : [line];
    });
    expect(wrong).toEqual([]);
    // The README shows what a newcomer needs of each.
    expect(used.map(([, name]) => name)).toEqual(
      expect.arrayContaining(["start", "dev", "list", "trigger", "command", "match", "config"]),
    );
  });

  test("paths of HTTP", () => {
    const paths = ROUTES.map((route) => `${route.method} ${route.path}`);
    const named = read("README.md").spans.filter((span) => /^(GET|POST) \//.test(span));
    expect(named.length).toBeGreaterThan(2);
    expect(named.filter((span) => !paths.includes(span))).toEqual([]);
    const asked = [...shell.matchAll(/localhost:8080(\/[\w./-]*)/g)].map(([, path = ""]) => path);
    const served = ROUTES.map((route) => new RegExp(`^${route.path.replace(/:\w+/g, "[^/]+")}$`));
    expect(asked.filter((path) => !served.some((pattern) => pattern.test(path)))).toEqual([]);
  });
});

describe("ARCHITECTURE.md", () => {
  const page = read("ARCHITECTURE.md");
  const code = sourceFiles()
    .map((file) => file.text.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, ""))
    .join("\n");
  const identifiers = new Set([...code.matchAll(/[A-Za-z_$][\w$]*/g)].flatMap(([name]) => wordsOf(name)));

  test("every word of the glossary is a word of the code", () => {
    const words = glossary().flatMap(([cell = ""]) => cell.split(", "));
    expect(words.length).toBeGreaterThan(20);
    const unheard = words.filter((word) => !word.split(" ").every((each) => identifiers.has(each)));
    expect(unheard).toEqual([]);
  });

  test("every name in backticks is one of the code", () => {
    const names = page.spans.filter((span) => /^[A-Za-z]\w*$/.test(span));
    expect(names.length).toBeGreaterThan(15);
    const all = new Set([...code.matchAll(/[A-Za-z_$][\w$]*/g)].map(([name]) => name));
    const leaves = sourceFiles().map(({ path }) => path.replace(/\.ts$/, ""));
    expect(names.filter((name) => !all.has(name) && !leaves.includes(name))).toEqual([]);
  });

  test("every folder of src/ is one of the rooms", () => {
    const rooms = page.spans.join(" ");
    const folders = new Set(
      sourceFiles().flatMap(({ path }) => (path.includes("/") ? [path.split("/", 1)[0]] : [])),
    );
    expect([...folders].filter((folder) => !rooms.includes(`src/${folder}`))).toEqual([]);
  });

  function glossary(): (readonly string[])[] {
    const [, section = ""] = text("ARCHITECTURE.md").split("## Glossary");
    return parsePage(section).rows.slice(2);
  }
});

/** Not in the repository: who follows docs/deploy.md makes them. */
const MADE_BY_READERS = ["deploy/compose/.env", "deploy/compose/logs"];

function text(page: string): string {
  return readFileSync(join(ROOT, page), "utf8");
}

function read(page: string): Page {
  return parsePage(text(page));
}

function pagesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md") && !path.includes("node_modules"))
    .map((path) => `${folder}/${path}`)
    .sort();
}

/** A page with its Chinese twin. */
function withTwin(page: string): [string, string][] {
  if (page.includes("zh-CN")) return [];
  const twin = page.startsWith("docs/")
    ? page.replace("docs/", "docs/zh-CN/")
    : page.replace(/\.md$/, ".zh-CN.md");
  return existsSync(join(ROOT, twin)) ? [[page, twin]] : [];
}

function shapeOf(page: string): unknown {
  const { headings, blocks, rows, items, links, spans } = read(page);
  return {
    headings: headings.map(({ level }) => level),
    blocks,
    columns: rows.map((row) => row.length),
    items,
    links: links.map((link) => languageless(page, link)).sort(),
    spans: spans.toSorted(),
  };
}

/** Where a link leads, as the English page would say it; within a page only that it does. */
function languageless(page: string, link: string): string {
  if (link.startsWith("#")) return "#";
  if (/^\w+:/.test(link)) return link;
  const [path = "", anchor] = link.split("#");
  const target = relative(ROOT, resolve(ROOT, dirname(page), path));
  const english = target.replace("docs/zh-CN/", "docs/").replace(".zh-CN.md", ".md");
  return anchor === undefined ? english : `${english}#`;
}

function faultOf(page: string, link: string): string[] {
  if (/^\w+:/.test(link)) return [];
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? join(ROOT, page) : resolve(ROOT, dirname(page), decodeURI(path));
  if (!existsSync(target)) return [`${page}: ${link} is not there`];
  if (anchor === undefined) return [];
  const isPage = statSync(target).isFile() && target.endsWith(".md");
  const anchors = isPage
    ? read(relative(ROOT, target)).headings.map((heading) => anchorOf(heading.text))
    : [];
  return anchors.includes(decodeURIComponent(anchor)) ? [] : [`${page}: ${link} has no such heading`];
}

function variableTable(): string {
  const cell = (value: string): string => value.replaceAll("|", "\\|");
  return [
    "| variable | default | accepted | meaning |",
    "| --- | --- | --- | --- |",
    ...variables.map(
      ({ name, fallback, accepted, description }) =>
        `| \`${name}\` | ${fallback && `\`${fallback}\` `}| ${cell(accepted)} | ${cell(description)} |`,
    ),
  ].join("\n");
}

/** The words that a name is made of, in the singular too: `deadLetters` has `dead`, `letters` and `letter`. */
function wordsOf(name: string): string[] {
  const words = name
    .replaceAll(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[ _]/);
  return words.flatMap((word) => (word.endsWith("s") ? [word, word.slice(0, -1)] : [word]));
}
