import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const MAIN = join(import.meta.dirname, "main.ts");
const LOGHUB = process.env["LOGHUB_DIR"] ?? resolve(import.meta.dirname, "../../../shared/data/loghub");
const absent = existsSync(join(LOGHUB, "OpenSSH_2k.log"))
  ? ""
  : " (skipped: set LOGHUB_DIR to the LogHub samples)";

async function watch(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [MAIN, ...args])).stdout;
}

test("counts what is found in files of one's own, the last line without an end too", async () => {
  const folder = mkdtempSync(join(tmpdir(), "log-watch-"));
  const guesses = Array.from(
    { length: 6 },
    (_, n) => `sshd: Failed password for root from 10.0.0.9 port ${n}\n`,
  );
  writeFileSync(join(folder, "a.log"), `all is well\nERROR disk full\n${guesses.join("")}`);
  writeFileSync(join(folder, "b.log"), "request timed out");
  const text = await watch(folder);
  expect(text).toMatch(/^2 files, 9 lines, /);
  expect(text).toMatch(/failed login +6 /);
  expect(text).toMatch(/error +1 /);
  expect(text).toMatch(/timeout +1 /);
  expect(text).toContain("tried passwords again and again: 10.0.0.9");
});

test.skipIf(absent !== "")(`finds in real logs what is in them${absent}`, async () => {
  const text = await watch(LOGHUB);
  expect(text).toMatch(/^8 files, 16000 lines, /);
  const lines = ["OpenSSH", "Linux"].flatMap((system) =>
    readFileSync(join(LOGHUB, `${system}_2k.log`), "utf8").split("\n"),
  );
  const failed = lines.filter((line) => /Failed password for|authentication failure/.test(line)).length;
  expect(text).toMatch(new RegExp(`failed login +${failed} `));
});

test("says what it wants when nothing is named, and what is not there", async () => {
  await expect(watch("no.log")).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining("no no.log"),
  });
  await expect(watch()).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining("Name log files") });
});
