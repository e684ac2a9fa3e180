#!/usr/bin/env node
// The door. It must load on every Node since 18 so that an old one can be told what is wrong: nothing but the check of
// the version is imported before the check is done.

import { nodeFault } from "../node-version.ts";

const fault = nodeFault(process.versions.node);
if (fault === undefined) {
  const { run } = await import("./program.ts");
  await run(process.argv.slice(2));
} else {
  const code = "NODE_TOO_OLD";
  const asJson = process.argv.includes("--json");
  console.error(asJson ? JSON.stringify({ error: { code, message: fault } }) : `error ${code}: ${fault}`);
  process.exitCode = 3;
}
