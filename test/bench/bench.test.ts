import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const MAIN = join(import.meta.dirname, "../../bench/main.ts");

/** Runs the bench without its peers, with so little time that only the form of what it prints means anything. */
async function bench(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const options = { env: { ...process.env, BENCH_MS: "5" } };
  try {
    const done = await promisify(execFile)(process.execPath, [MAIN, "--no-peers", ...args], options);
    return { code: 0, ...done };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string }; // what execFile rejects with
  }
}

describe("npm run bench", () => {
  test("prints one object a row", async () => {
    const { code, stdout, stderr } = await bench("trigger", "--quick", "--json");
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const rows = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows.map(({ row }) => row)).toEqual([
      "1 async handler",
      "1 async handler, allocates",
      "1 async handler, a middleware",
      "10 async handlers",
    ]);
    for (const row of rows) {
      expect(row).toEqual({
        question: "trigger",
        row: expect.any(String),
        unit: expect.stringMatching(/^(ns|B)$/),
        ours: expect.any(Number),
        peers: {},
        limit: expect.any(Number),
        goal: expect.any(String),
        ok: expect.any(Boolean),
      });
      expect(row["ours"]).toBeGreaterThan(0);
      expect(row["limit"]).toBeGreaterThan(0);
    }
  });

  test("prints one table", async () => {
    const { code, stdout } = await bench("wildcard", "--quick");
    expect(code).toBe(0);
    const [head, , ...lines] = stdout.trim().split("\n");
    expect(head).toMatch(/question +row +ours +best peer +limit +ours\/limit +vs peer +goal +ok/);
    expect(lines).toHaveLength(6);
    for (const line of lines) expect(line).toMatch(/^wildcard +among .* ns .* (yes|NO)$/);
  });

  test("lists the questions when it does not know one", async () => {
    const { code, stdout, stderr } = await bench("trigger", "speed");
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/Not a question: speed\. There are .*cold-start.*sqlite, .*trigger, wildcard\./);
  });

  test("refuses options that it does not have", async () => {
    const { code, stderr } = await bench("--fast");
    expect(code).toBe(2);
    expect(stderr).toContain("--fast");
  });
});
