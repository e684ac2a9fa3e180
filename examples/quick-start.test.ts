import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const ROOT = `${import.meta.dirname}/..`;

test("node examples/quick-start.ts shows all four kinds and ends by itself", async () => {
  expect(
    existsSync(`${ROOT}/dist/index.js`),
    "the package must be built: npm run build (npm test does it)",
  ).toBe(true);
  const run = promisify(execFile)(process.execPath, ["examples/quick-start.ts"], {
    cwd: ROOT,
    timeout: 20_000,
  });
  const { stdout, stderr } = await run; // rejects unless it exits with 0
  expect(stderr).toBe("");
  expect(stdout.split("\n")).toEqual([
    "command: hello Ann",
    "pattern: seen: disk full",
    expect.stringMatching(/^time: {4}it is \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
    "event:   welcome ann@example.com",
    "",
  ]);
});
