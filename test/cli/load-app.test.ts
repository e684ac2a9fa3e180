import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { cli, type Ended, errorIn, temporaryFolder } from "./program-runs.ts";

/** Writes files into a new folder, and lists the handlers of the first one there. */
async function list(
  files: Readonly<Record<string, string>>,
  first = Object.keys(files)[0] ?? "",
): Promise<Ended> {
  return cli(["list", first, "--json"], { cwd: await folderWith(files) });
}

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

function namesIn({ stdout, stderr }: Ended): string[] {
  expect(stderr).toBe("");
  return (JSON.parse(stdout) as { handlers: { name: string }[] }).handlers.map(({ name }) => name);
}

const ON = 'import { on, createApp } from "decorator-framework";\n';

describe("what can be loaded", () => {
  test("TypeScript with all that Node's own type stripping refuses", async () => {
    const text = `${ON}
      enum Level { low, high }
      class Base { constructor(protected readonly level: Level) {} }
      class Jobs extends Base {
        constructor() { super(Level.high); }
        @on("job.done") done(): Level { return this.level; }
        static made = new Jobs();
      }
      export const app = createApp({ handlers: [Jobs] });`;
    expect(namesIn(await list({ "app.ts": text }))).toEqual(["Jobs.done"]);
  });

  test("legacy decorators where tsconfig.json asks for them", async () => {
    const text = `${ON}
      const seen: string[] = [];
      function legacy(_target: object, key: string, descriptor: PropertyDescriptor) {
        seen.push(key + typeof descriptor.value);
      }
      class Jobs { @legacy @on("job.done") done() {} }
      if (seen.join() !== "donefunction") throw new Error("not legacy: " + seen.join());
      export default createApp({ handlers: [Jobs] });`;
    const tsconfig = '{ // a comment\n "compilerOptions": { "experimentalDecorators": true } }';
    expect(namesIn(await list({ "app.ts": text, "tsconfig.json": tsconfig }))).toEqual(["Jobs.done"]);
  });

  test("names that tsc wants (.js for .ts), CommonJS, and plain JavaScript", async () => {
    const files = {
      "app.ts": 'import "./events/a.js"; import "./b.cts"; import "./c.mjs"; import "./d.ts";',
      "events/a.ts": `${ON} on("a").execute(function a(x: unknown) { return x; });`,
      "b.cts":
        'const { on } = require("decorator-framework"); on("b").execute(function b(x: unknown) { return x; });',
      "c.mjs": `${ON} on("c").execute(function c() {});`,
      "d.ts":
        'const { on } = require("decorator-framework"); on("d").execute(function d(x: unknown) { return x; });',
    };
    expect(namesIn(await list(files))).toEqual(["a", "b", "c", "d"]);
  });

  test("modules in a package that npm init has called CommonJS, and what requires them", async () => {
    const files = {
      "package.json": '{ "type": "commonjs" }',
      "app.ts": `${ON} import { b } from "./b.ts"; import "./c.cts"; on("a").execute(function a() { return b; }); await null;`,
      "b.ts": `${ON} export const b = on("b").execute(function b() {});`,
      "c.cts":
        'const { d } = require("./d.ts"); require("decorator-framework").on("c").execute(function c() { return d; });',
      "d.ts": "export const d: number = 1;",
    };
    expect(namesIn(await list(files, "app.ts"))).toEqual(["b", "c", "a"]);
  });

  test("the testing kit is the program's own copy, too", async () => {
    const text = `${ON} import { createTestApp } from "decorator-framework/testing";
      on("a").execute(function a() {}); if (typeof createTestApp !== "function") throw new Error("none");`;
    expect(namesIn(await list({ "app.ts": text }))).toEqual(["a"]);
  });
});

describe("what cannot ends with 3", () => {
  test("a file that is not there, or is no file", async () => {
    const [missing, folder] = await Promise.all([list({}, "src/app.ts"), list({ "src/app.ts": "" }, "src")]);
    expect([missing.code, folder.code]).toEqual([3, 3]);
    expect(errorIn(missing)).toMatchObject({ code: "FILE_NOT_FOUND" });
    expect(errorIn(missing).message).toContain("src/app.ts does not exist");
    expect(errorIn(folder).message).toContain("src is no file");
  });

  test("a file without handlers is told what to do", async () => {
    const ended = await list({ "app.ts": "export class Jobs {}" });
    expect(ended.code).toBe(3);
    expect(errorIn(ended).code).toBe("HANDLERS_NONE");
    expect(errorIn(ended).message).toContain("It exports Jobs.");
    expect(errorIn(ended).message).toContain("createApp({ handlers:");
  });

  test("mistakes of syntax show the file, the line and the column", async () => {
    const ended = await Promise.all([
      list({ "app.ts": "\n\nconst = 1;" }),
      list({ "app.mjs": "\nimport './other.mjs';", "other.mjs": "\nlet x = ;" }, "app.mjs"),
    ]);
    expect(ended.map(({ code }) => code)).toEqual([3, 3]);
    const [typescript, javascript] = ended.map(errorIn);
    expect(typescript).toMatchObject({ code: "SYNTAX_INVALID" });
    expect(typescript?.message).toMatch(/^app\.ts:3:7: /);
    expect(javascript).toMatchObject({ code: "SYNTAX_INVALID" });
    expect(javascript?.message).toMatch(/^other\.mjs:2:9: /);
  });

  test("a file that throws shows what and where, by the line that was written", async () => {
    const text = `type A = {\n  a: number };\n\nexport function open(): void {\n  throw new TypeError("no pool");\n}\nopen();`;
    const ended = await list({ "app.ts": text });
    expect(ended.code).toBe(3);
    expect(errorIn(ended).code).toBe("LOAD_FAILED");
    expect(errorIn(ended).message).toMatch(
      /^app\.ts could not be loaded\. TypeError: no pool\n {2}at app\.ts:5:9$/,
    );
  });

  test("JavaScript that its package.json calls CommonJS is told what Node wants", async () => {
    const ended = await cli(["list", "app.js"], {
      cwd: await folderWith({ "package.json": '{ "type": "commonjs" }', "app.js": `${ON} on("a");` }),
    });
    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain('Make sure to set "type": "module"');
    expect(ended.stderr).toMatch(/LOAD_FAILED: .*outside a module\n$/);
  });

  test("a package that is missing is named", async () => {
    const ended = await list({ "app.ts": 'import "not-installed-here";' });
    expect(ended.code).toBe(3);
    expect(errorIn(ended).message).toContain("not-installed-here");
  });

  test("the framework's own errors keep their codes", async () => {
    const text = `${ON} on("a").execute(function twin() {});\non("b").execute(function twin() {});`;
    const ended = await list({ "app.ts": text });
    expect(ended.code).toBe(3);
    expect(errorIn(ended).code).toBe("HANDLER_DUPLICATE");
    expect(errorIn(ended).message).toMatch(/app\.ts:2:\d+\n.*app\.ts:3:\d+/);
  });
});
