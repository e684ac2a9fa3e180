import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";

const BENCH = join(import.meta.dirname, "..");
/** npm writes it at the end of an install. */
const INSTALLED = join(BENCH, "node_modules", ".package-lock.json");
const WANTED = join(BENCH, "package-lock.json");

/** Installs the peers into bench/node_modules, unless they are there. Without them the bench runs all the same. */
export function installPeers(): void {
  if (existsSync(INSTALLED) && statSync(INSTALLED).mtimeMs >= statSync(WANTED).mtimeMs) return;
  console.error("installing the peers into bench/node_modules (once)");
  const args = ["install", "--no-save", "--no-audit", "--no-fund", "--fetch-retries=1", "--loglevel=error"];
  const { status, error } = spawnSync("npm", args, { cwd: BENCH, stdio: ["ignore", 2, 2] });
  if (status !== 0)
    console.error(`npm install failed${error ? `: ${error.message}` : ""}: peers may be missing`);
}
