import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needBuild, ROOT } from "../meta/source-tree.ts";

/* What the main tsconfig.json cannot compile, since it needs other options, or the package as it is published. */

beforeAll(needBuild);

test("methods are decorated under experimentalDecorators too", async () => {
  expect(await compile("test/types/legacy")).toEqual([]);
});

test("the published declarations compile in a strict project, with skipLibCheck off", async () => {
  expect(await compile("test/types/consumer")).toEqual([]);
});

describe("`.execute()` in a decorator", () => {
  let folder = "";

  beforeAll(() => {
    mkdirSync(join(ROOT, ".tmp"), { recursive: true });
    folder = mkdtempSync(join(ROOT, ".tmp/types-"));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([true, false])(
    "needs parentheses: no compiler takes it without (experimentalDecorators %s)",
    async (experimentalDecorators) => {
      const compilerOptions = { experimentalDecorators, paths: {} };
      writeFileSync(
        join(folder, "tsconfig.json"),
        JSON.stringify({ extends: "../../tsconfig.json", compilerOptions, include: ["*.ts"], exclude: [] }),
      );
      const program = (decorator: string): string =>
        `import { on } from "decorator-framework";\nexport class A { ${decorator} method() {} }\n`;
      writeFileSync(join(folder, "with.ts"), program(`@(on("x").execute())`));
      writeFileSync(join(folder, "without.ts"), program(`@on("x").execute()`));
      const mistakes = await compile(folder);
      expect(mistakes).toHaveLength(1);
      expect(mistakes[0]).toMatch(
        /without\.ts\(2,\d+\): error TS1497: Expression must be enclosed in parentheses/,
      );
    },
  );
});

test("npm run typecheck covers every type test", async () => {
  const { stdout } = await tsc("tsconfig.json", "--listFilesOnly");
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".test-d.ts"));
  expect(files.length).toBeGreaterThan(1);
  expect(files.filter((name) => !stdout.includes(`/test/types/${name}\n`))).toEqual([]);
});

/** The mistakes that tsc finds. */
async function compile(project: string): Promise<string[]> {
  const { stdout } = await tsc(project);
  return stdout.split("\n").filter((line) => line.includes("error TS"));
}

function tsc(project: string, ...options: string[]): Promise<{ stdout: string }> {
  return promisify(execFile)("node_modules/.bin/tsc", ["-p", project, ...options], { cwd: ROOT }).catch(
    (failed: { stdout: string }) => failed,
  );
}
