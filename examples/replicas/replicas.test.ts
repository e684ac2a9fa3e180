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

/** Which replicas have done each thing, in the order in which they told it. */
function doneBy(text: string, what: string): Map<string, string[]> {
  const done = new Map<string, string[]>();
  for (const [, who = "", thing = ""] of text.matchAll(new RegExp(`^(\\w+)  ${what} (\\S+)`, "gm")))
    done.set(thing, [...(done.get(thing) ?? []), who]);
  return done;
}

test(
  `three replicas ship each order and report each second once, though one is killed, ${EACH_ENGINE}`,
  { timeout: 60_000 },
  () =>
    onEachEngine(async ({ create }) => {
      const text = await run(await create());
      const orders = doneBy(text, "shipped order");
      expect([...orders.keys()].map(Number).toSorted((a, b) => a - b)).toEqual(
        [...orders.keys()].map((_, at) => at + 1),
      );
      expect(orders.size).toBeGreaterThan(15);
      const reports = doneBy(text, "reported at");
      expect(reports.size).toBeGreaterThanOrEqual(5);
      // Only what the killed one had done and could not settle any more is done again.
      const twice = [...orders, ...reports].filter(([, who]) => who.length > 1);
      expect(twice.filter(([, who]) => who.length > 2 || who[0] !== "two")).toEqual([]);
      expect(twice.length).toBeLessThan(4);
      expect(text).toContain("two  ended (SIGKILL)");
      expect(text).toMatch(/\d+ orders were published/);
    }),
);
