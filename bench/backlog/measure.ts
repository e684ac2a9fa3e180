/* Whether a large backlog costs anything: the rate and the memory of a worker with ten thousand messages, and with a million. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MeasureOptions, Row } from "../measure/row.ts";
import { compared } from "./stock.ts";

export async function measure(options: MeasureOptions): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), "bench-backlog-"));
  const urlOf = (name: string): string => `sqlite:${join(directory, `${name}.db`)}`;
  try {
    return await compared({ few: urlOf("few"), many: urlOf("many") }, options);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
