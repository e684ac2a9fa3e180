/*
 * Watches logs in a terminal: what is found is counted by pattern, and addresses that try passwords are shown.
 *
 *   node examples/log-watch/main.ts FILE…           reads the files to their end and prints a summary
 *   node examples/log-watch/main.ts FOLDER          the same for every *.log in it
 *   node examples/log-watch/main.ts --follow FILE…  goes on with what is added; Ctrl-C prints the summary
 *
 * On a terminal a bar shows how far it is; in a pipe there is only the summary.
 */

import { existsSync, statSync } from "node:fs";
import { glob, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createApp, createRegistry } from "decorator-framework";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { follow: { type: "boolean", default: false } },
});
const files = await filesOf(positionals);
if (files.length === 0) {
  console.error("Name log files, or a folder that has some: node examples/log-watch/main.ts /var/log");
  process.exit(2);
}
const missing = files.filter((file) => !existsSync(file));
if (missing.length > 0 && !values.follow) {
  console.error(`There is no ${missing.join(", ")}. With --follow a file may come later.`);
  process.exit(2);
}

const registry = createRegistry();
const counts = new Map<string, number>();
const suspects = new Set<string>();
let lines = 0;
let bytes = 0;

const PATTERNS: Readonly<Record<string, RegExp>> = {
  error: /\b(?:error|ERROR|fatal|FATAL|panic)\b/,
  warning: /\b(?:warn|WARN|warning|WARNING)\b/,
  "failed login": /Failed password for|authentication failure/,
  "invalid user": /Invalid user \S+ from/,
  timeout: /timed? ?out/i,
  connection: /Connection (?:closed|reset|refused)/,
  exception: /\b\w+(?:Exception|Error)\b/,
};
for (const [name, pattern] of Object.entries(PATTERNS)) {
  registry.reOn(name, "content", pattern).execute(() => void counts.set(name, (counts.get(name) ?? 0) + 1));
}
registry
  .reOn("brute force", "content", /Failed password for .{0,256} from (?<ip>[\d.]+)/, {
    threshold: { count: 5, within: "1m", by: ({ groups }) => groups["ip"] },
    cooldown: "1m",
  })
  .execute(({ groups }) => void suspects.add(groups["ip"] ?? ""));
// Counts lines, and is last: a pattern of every line.
registry.reOn("line", "content", /^/, { priority: 1_000 }).execute(({ message }) => {
  lines++;
  bytes += (message["content"]?.length ?? 0) + 1;
});

const total = await sizeOf(files);
const start = performance.now();
const app = createApp({ registry, engine: "memory:", log: "silent" });
await app.start();
const followed = await Promise.all(files.map((file) => app.follow({ file, fromStart: true })));
const bar = process.stderr.isTTY ? setInterval(draw, 100) : undefined;

if (values.follow) await new Promise<void>((resolve) => process.once("SIGINT", () => resolve()));
else await Promise.all(followed.map((file) => file.caughtUp({ unfinished: true })));
clearInterval(bar);
if (process.stderr.isTTY) process.stderr.write("\r\u001b[2K");
const seconds = (performance.now() - start) / 1_000;
await app.stop();
summary();

async function filesOf(named: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const name of named) {
    if (existsSync(name) && statSync(name).isDirectory()) {
      for await (const file of glob(join(name, "*.log"))) found.push(file);
    } else found.push(name);
  }
  return found.toSorted();
}

async function sizeOf(named: readonly string[]): Promise<number> {
  const sizes = await Promise.all(
    named.map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function draw(): void {
  const share = total === 0 ? 1 : Math.min(1, bytes / total);
  const bar = "█".repeat(Math.round(share * 24)).padEnd(24, "░");
  process.stderr.write(`\r${bar} ${Math.floor(share * 100)} %, ${lines} lines`);
}

function summary(): void {
  console.log(
    `${files.length === 1 ? "1 file" : `${files.length} files`}, ${lines} lines, ${Math.round(lines / seconds)} lines/s`,
  );
  const most = Math.max(1, ...counts.values());
  for (const [name, count] of [...counts].toSorted(([, a], [, b]) => b - a)) {
    console.log(
      `${name.padEnd(14)} ${String(count).padStart(7)}  ${"█".repeat(Math.ceil((count / most) * 30))}`,
    );
  }
  if (suspects.size > 0)
    console.log(`tried passwords again and again: ${[...suspects].toSorted().join(", ")}`);
}
