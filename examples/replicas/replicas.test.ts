import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EACH_ENGINE, onEachEngine } from "../../test/processes/stores.ts";

/** What the example prints, to its end. */
async function run(engine: string): Promise<string> {
  const args = [join(import.meta.dirname, "main.ts"), engine, "--seconds", "6"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (more: string) => (text += more));
  await once(child, "close");
  return text;
}

test(
  `three replicas ship each order and report each second once, though one is killed, ${EACH_ENGINE}`,
  { timeout: 60_000 },
  () =>
    onEachEngine(async ({ create }) => {
      const text = await run(await create());
      const orders = [...text.matchAll(/shipped order (\d+)/g)].map(([, n]) => Number(n));
      expect(new Set(orders).size).toBe(orders.length);
      expect(orders.toSorted((a, b) => a - b)).toEqual(orders.map((_, at) => at + 1));
      expect(orders.length).toBeGreaterThan(15);
      const reports = [...text.matchAll(/reported at (\S+)/g)].map(([, moment]) => moment);
      expect(new Set(reports).size).toBe(reports.length);
      expect(reports.length).toBeGreaterThanOrEqual(5);
      expect(text).toContain("two  ended (SIGKILL)");
      expect(text).toMatch(/\d+ orders were published/);
    }),
);
