/* Measures one question, in a process of its own: `node question.ts NAME OPTIONS`. Prints a row of JSON a line. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { MeasureOptions, Row } from "./row.ts";

const BENCH = join(import.meta.dirname, "..");

/** The questions there are: the folders with a `measure.ts`. */
export function questions(): string[] {
  return readdirSync(BENCH)
    .filter((name) => existsSync(join(BENCH, name, "measure.ts")))
    .sort();
}

/** Measures a question in a fresh process: what one leaves in the heap, or teaches the compiler, is not the next one's. */
export async function* ask(question: string, options: MeasureOptions): AsyncGenerator<Row> {
  const child = spawn(process.execPath, [import.meta.filename, question, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: options.quick ? 120_000 : 900_000, // one that waits for what never comes must not hold up the others
  });
  const ended = new Promise<number | string>((resolve) =>
    child.once("close", (code, signal) => resolve(code ?? signal ?? "nothing")),
  );
  for await (const line of createInterface(child.stdout)) yield JSON.parse(line) as Row; // written below
  const code = await ended;
  if (code !== 0) throw new Error(`its process ended with ${code}`);
}

if (import.meta.main) {
  const [name = "", options = "{}"] = process.argv.slice(2);
  const { measure } = (await import(`../${name}/measure.ts`)) as {
    measure: (options: MeasureOptions) => Promise<readonly Row[]>;
  };
  for (const row of await measure(JSON.parse(options) as MeasureOptions)) console.log(JSON.stringify(row));
  process.exit(0); // some peers leave timers behind
}
