import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parsePage } from "./markdown.ts";
import { needBuild, ROOT } from "./source-tree.ts";

/*
 * The code of the README and of the pages below docs/: all of it compiles, and the README's twenty lines do what their
 * comments say. The Chinese pages have the same code: docs.test.ts.
 */

const [example = "", ...fragments] = codeIn("README.md");
const pages = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".md") && !path.startsWith("zh-CN"))
  .map((path) => join("docs", path));

/** What a fragment takes from the text around it. */
const AROUND: Readonly<Record<string, string>> = {
  z: `import { z } from "zod";`,
  assert: `import assert from "node:assert/strict";`,
  on: `import { on } from "decorator-framework";`,
  timeOn: `import { timeOn } from "decorator-framework";`,
  createApp: `import { createApp } from "decorator-framework";`,
  createRegistry: `import { createRegistry } from "decorator-framework";`,
  defineEvent: `import { defineEvent } from "decorator-framework";`,
  PayloadOf: `import type { PayloadOf } from "decorator-framework";`,
  registry: `const registry = createRegistry();`,
  UserRegistered: `const UserRegistered = defineEvent("user.registered", z.object({ email: z.email() }));`,
  OrderPaid: `const OrderPaid = defineEvent("order.paid", z.object({ id: z.number() }));`,
  InvoiceSent: `const InvoiceSent = defineEvent("invoice.sent", z.object({ order: z.number() }));`,
};

let folder = "";

beforeAll(() => {
  // Inside of the repository, where "decorator-framework" is the repository itself, as in a project that installed it.
  mkdirSync(join(ROOT, ".tmp"), { recursive: true });
  folder = mkdtempSync(join(ROOT, ".tmp/readme-"));
  needBuild();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("every block of TypeScript compiles", async () => {
  expect(fragments.length).toBeGreaterThan(1);
  writeFileSync(join(folder, "README-0.ts"), example);
  fragments.forEach((text, at) => writeFileSync(join(folder, `README-${at + 1}.ts`), withPrelude(text)));
  const others = pages.flatMap((page) => codeIn(page).map((text, at) => ({ name: `${page}-${at}`, text })));
  expect(others.length).toBeGreaterThan(15);
  for (const { name, text } of others) {
    // A block is a file of its own, whatever it imports.
    writeFileSync(join(folder, `${name.replaceAll(/[/.]/g, "-")}.ts`), `${withPrelude(text)}\nexport {};\n`);
  }
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: "../../tsconfig.json",
      compilerOptions: { paths: {} },
      include: ["*.ts"],
      exclude: [],
    }),
  );
  const { stdout } = await run(join(ROOT, "node_modules/.bin/tsc"), ["-p", "."]).catch(
    (failed: { stdout: string }) => failed,
  );
  expect(stdout).toBe("");
});

test("the first example is of about twenty lines, and runs in Node as it is", async () => {
  expect(example.split("\n").filter((line) => line.trim() !== "").length).toBeLessThanOrEqual(20);
  const { shown, promised } = instrument(example);
  expect(promised).toEqual(["trigger", "handle", "match"]);
  writeFileSync(join(folder, "example.ts"), shown);
  const { stdout } = await run(process.execPath, ["example.ts"]);
  const results = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Shown);
  expect(results.map(({ call }) => call)).toEqual(promised);
  for (const { value, comment } of results) expect(value).toMatchObject(valueIn(comment));
  expect(existsSync(join(folder, "data/app.db"))).toBe(true);
});

function codeIn(page: string): string[] {
  const { blocks } = parsePage(readFileSync(join(ROOT, page), "utf8"));
  return blocks.flatMap(({ language, text }) => (language === "ts" ? [text] : []));
}

/** What one line of the example gave, and what its comment says. */
interface Shown {
  readonly call: string;
  readonly value: unknown;
  readonly comment: string;
}

/** Makes each `await app.call(…); // value` print both. */
function instrument(code: string): { shown: string; promised: string[] } {
  const promised: string[] = [];
  const shown = code.replace(
    /^await (app\.(\w+)\(.*\)); \/\/ (.*[[{].*)$/gm,
    (_, expression: string, call: string, comment: string) => {
      promised.push(call);
      return `console.log(JSON.stringify({ call: "${call}", value: await ${expression}, comment: ${JSON.stringify(comment)} }));`;
    },
  );
  return { shown, promised };
}

/** The list or object that a comment ends with; `…` stands for members that it does not tell. */
function valueIn(comment: string): object {
  const [literal = ""] = /[[{].*[\]}]/.exec(comment) ?? [];
  const json = literal.replace(/, …/g, "").replaceAll(/([{,] *)(\w+):/g, '$1"$2":');
  return JSON.parse(json) as object; // it begins with a bracket
}

/** Declares whatever a fragment uses and does not declare, and what that uses in turn. */
function withPrelude(code: string): string {
  const missing = Object.keys(AROUND).find((name) => {
    const uses = new RegExp(`(?<![.\\w])${name}(?![\\w"])`);
    const declares = new RegExp(`(?:import [^;]*|const |class )\\b${name}\\b[^;]*(?:from|=|{)`);
    return uses.test(code) && !declares.test(code);
  });
  return missing === undefined ? code : withPrelude(`${AROUND[missing]}\n${code}`);
}

function run(file: string, args: readonly string[]): Promise<{ stdout: string }> {
  const env = { ...process.env, LOG_LEVEL: "silent", ENGINE_URL: "", PORT: "" };
  return promisify(execFile)(file, args, { cwd: folder, env, timeout: 20_000 });
}
