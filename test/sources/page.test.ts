import { spawn } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { environment, Program } from "../cli/program-runs.ts";
import { parsePage } from "../meta/markdown.ts";
import { needBuild, ROOT } from "../meta/source-tree.ts";

/* The programs of docs/sources.md do what it says, in a project of their own. That they compile is shown in test/meta. */

const [declared = "", inCode = ""] = parsePage(
  readFileSync(join(ROOT, "docs/sources.md"), "utf8"),
).blocks.flatMap(({ language, text }) => (language === "ts" ? [text] : []));

beforeAll(needBuild);

/** Runs a program in a folder in which "decorator-framework" is the repository itself, with a log that has a line. */
function run(code: string, ...before: readonly string[]) {
  mkdirSync(join(ROOT, ".tmp"), { recursive: true });
  const cwd = mkdtempSync(join(ROOT, ".tmp/sources-"));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true, maxRetries: 5 }));
  mkdirSync(join(cwd, "logs/nginx"), { recursive: true });
  const append = (file: string, line: string) => appendFileSync(join(cwd, "logs", file), `${line}\n`);
  append("app.log", "ERROR disk full");
  appendFileSync(join(cwd, "app.ts"), code);
  const child = spawn(process.execPath, [...before, "app.ts"], { cwd, env: environment(), stdio: "pipe" });
  onTestFinished(() => void child.kill("SIGKILL"));
  return { program: new Program(child), append };
}

test("an app that is started with the files that it follows", async () => {
  const { program, append } = run(declared, join(ROOT, "dist/cli/main.js"), "start");
  await program.says(/^disk full$/m);
  await program.url();
  append("nginx/error.log", "ERROR no upstream");
  await program.says(/^no upstream$/m);
  program.child.kill("SIGTERM");
  expect(await program.exit()).toBe(0);
});

test("a program that follows a file, and reads its standard input", async () => {
  const { program } = run(inCode);
  await program.says(/^disk full$/m);
  program.child.stdin?.end("fine\nERROR from elsewhere");
  expect(await program.exit()).toBe(0);
  expect(program.stdout).toBe("disk full\nfrom elsewhere\n");
});
