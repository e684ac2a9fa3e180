/* Whether a large backlog costs anything: the rate and the memory of a worker with ten thousand messages, and with a million. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MeasureOptions, Row } from "../measure/row.ts";
import { drain, FEW, type Figures, fill, MANY, rowsOf } from "./stock.ts";

export async function measure({ quick }: MeasureOptions): Promise<Row[]> {
  const many = quick ? MANY / 10 : MANY;
  const rounds = quick ? 1 : 5;
  const directory = mkdtempSync(join(tmpdir(), "bench-backlog-"));
  try {
    const files = {
      few: `sqlite:${join(directory, "few.db")}`,
      many: `sqlite:${join(directory, "many.db")}`,
    };
    await fill(files.many, many);
    const figures = { few: [] as Figures[], many: [] as Figures[] };
    for (let round = 0; round < rounds; round++) {
      await fill(files.few, FEW);
      figures.few.push(drain(files.few));
      figures.many.push(drain(files.many));
    }
    return rowsOf(many, figures);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
