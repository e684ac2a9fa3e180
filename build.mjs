// Builds dist/: declarations by tsc, code by esbuild. The code is bundled, because Node takes about a third of a
// millisecond for each module file it loads, and we have more than two hundred; what is imported lazily stays in files
// of its own. Libraries are not bundled.

import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { build } from "esbuild";

rmSync("dist", { recursive: true, force: true });
const { status } = spawnSync("tsc -p tsconfig.build.json", { stdio: "inherit", shell: true });
if (status !== 0) process.exit(status ?? 1);

// Whatever package.json exports or runs is an entry.
const { exports, bin } = JSON.parse(readFileSync("package.json", "utf8"));
const entries = [...Object.values(exports).map((door) => door.default), ...Object.values(bin)]
  .filter((path) => path?.startsWith("./dist/"))
  .map((path) => path.slice("./dist/".length, -".js".length));

await build({
  entryPoints: Object.fromEntries(entries.map((entry) => [entry, `src/${entry}.ts`])),
  outdir: "dist",
  // A folder deep, like the source: paths relative to a module mean the same in both.
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node24",
  sourcemap: "linked",
  logLevel: "warning",
});
