import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import { RotatingFile } from "../../src/observe/rotating-file.ts";

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), "rotating-file-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

/** All lines that are kept, the oldest first. */
function kept(): string[] {
  const number = (file: string): number => Number(/\.(\d+)\./.exec(file)?.[1] ?? Infinity);
  return files()
    .sort((a, b) => number(a) - number(b))
    .flatMap((file) => {
      const bytes = fs.readFileSync(join(dir, file));
      return (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString().split("\n").slice(0, -1);
    });
}

function files(): string[] {
  return fs.readdirSync(dir).sort();
}

function writeLines(file: RotatingFile, from: number, to: number): void {
  for (let line = from; line < to; line++) file.write(`${String(line).padStart(9, "0")}\n`);
}

test("the real limits: of 63 MB, the last 50 at the most are kept in 5 files, the old ones compressed", async () => {
  const file = new RotatingFile({ dir, name: "app" });
  const text = "x".repeat(9_990);
  const lines = 6_300;
  for (let line = 0; line < lines; line++) file.write(`${String(line).padStart(9, "0")}${text}\n`);
  const limit = 10 * 1024 * 1024;
  for (const name of files()) expect(fs.statSync(join(dir, name)).size).toBeLessThanOrEqual(limit);
  await file.close();
  expect(files()).toEqual(["app.3.log.gz", "app.4.log.gz", "app.5.log.gz", "app.6.log.gz", "app.log"]);
  const numbers = kept().map((line) => Number(line.slice(0, 9)));
  // No line between the oldest and the newest is missing, and each file but the newest is full.
  expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, at) => lines - numbers.length + at));
  expect(numbers.length).toBeGreaterThan((4 * limit) / 10_000 - 4);
  expect(file.lost).toBe(0);
});

test("a restart goes on in the same file and counts what is in it", async () => {
  const options = { dir, name: "app", maxBytes: 100, maxFiles: 50 };
  for (let start = 0; start < 10; start++) {
    const file = new RotatingFile(options);
    writeLines(file, start * 7, start * 7 + 7);
    await file.close();
  }
  expect(kept().map(Number)).toEqual(Array.from({ length: 70 }, (_, at) => at));
  expect(files()).toHaveLength(7);
  expect(files().filter((name) => name.endsWith(".gz"))).toHaveLength(6);
});

test("a start compresses what a killed process left, and removes its unfinished work", async () => {
  fs.writeFileSync(join(dir, "app.7.log"), "from before\n");
  fs.writeFileSync(join(dir, "app.6.log.gz.tmp"), "half");
  fs.writeFileSync(join(dir, "other.1.log"), "not ours\n");
  const file = new RotatingFile({ dir, name: "app", maxBytes: 20 });
  writeLines(file, 0, 3);
  await file.close();
  expect(files()).toEqual(["app.7.log.gz", "app.8.log.gz", "app.log", "other.1.log"]);
  expect(gunzipSync(fs.readFileSync(join(dir, "app.7.log.gz"))).toString()).toBe("from before\n");
});

test("fewer files are kept when the limit was lowered", async () => {
  const file = new RotatingFile({ dir, name: "app", maxBytes: 10, maxFiles: 8 });
  writeLines(file, 0, 20);
  await file.close();
  expect(files()).toHaveLength(8);
  await new RotatingFile({ dir, name: "app", maxBytes: 10, maxFiles: 3 }).close();
  expect(kept().map(Number)).toEqual([17, 18, 19]);
});

test("a line longer than a file has one of its own", async () => {
  const file = new RotatingFile({ dir, name: "app", maxBytes: 50 });
  file.write("short\n");
  file.write(`${"long".repeat(100)}\n`);
  file.write("short again\n");
  await file.close();
  expect(kept()).toEqual(["short", "long".repeat(100), "short again"]);
  expect(files()).toHaveLength(3);
});

test("two that share a file lose no line and cut none", async () => {
  const options = { dir, name: "app", maxBytes: 1_000, maxFiles: 100 };
  const [one, other] = [new RotatingFile(options), new RotatingFile(options)];
  for (let line = 0; line < 1_000; line += 2) {
    writeLines(one, line, line + 1);
    writeLines(other, line + 1, line + 2);
  }
  await one.close();
  await other.close();
  expect(
    kept()
      .map(Number)
      .sort((a, b) => a - b),
  ).toEqual(Array.from({ length: 1_000 }, (_, at) => at));
});

test("a directory that cannot be written is a mistake of the configuration, said at once", () => {
  const blocked = join(dir, "file");
  fs.writeFileSync(blocked, "");
  expect(() => new RotatingFile({ dir: join(blocked, "logs"), name: "app" })).toThrow(ConfigError);
  expect(() => new RotatingFile({ dir: join(blocked, "logs"), name: "app" })).toThrow(
    /LOG_DIR is .*unset LOG_DIR/,
  );
});

test("a directory that was removed is made again", async () => {
  const logs = join(dir, "logs");
  const file = new RotatingFile({ dir: logs, name: "app", maxBytes: 15 });
  file.write("before\n");
  await file.close();
  fs.rmSync(logs, { recursive: true });
  file.write("after\n");
  await file.close();
  expect(fs.readFileSync(join(logs, "app.log"), "utf8")).toBe("after\n");
});
