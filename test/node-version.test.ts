import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nodeFault } from "../src/node-version.ts";
import { ROOT } from "./meta/source-tree.ts";

test("a Node that is too old is told what is needed, what runs and how to get it", () => {
  for (const old of ["18.20.4", "20.20.2", "24.14.9"]) {
    expect(nodeFault(old)).toMatch(/needs Node 24\.15 or newer/);
    expect(nodeFault(old)).toContain(`this is Node ${old}`);
    expect(nodeFault(old)).toContain("npm install");
  }
});

test("a newer one is not", () => {
  for (const fine of ["24.15.0", "24.21.0", "25.0.0", process.versions.node]) {
    expect(nodeFault(fine)).toBeUndefined();
  }
});

test("package.json says the same", () => {
  const { engines } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    engines: { node: string };
  };
  expect(nodeFault("1.0.0")).toContain(`Node ${engines.node.replace(">=", "")} `);
});

test("the check is done before anything is imported that an old Node could not load", () => {
  const main = readFileSync(join(ROOT, "src/cli/main.ts"), "utf8");
  expect([...main.matchAll(/^import .*$/gm)].map(([line]) => line)).toEqual([
    'import { nodeFault } from "../node-version.ts";',
  ]);
  expect(readFileSync(join(ROOT, "src/node-version.ts"), "utf8")).not.toMatch(/\bimport\b|\brequire\b/);
});
