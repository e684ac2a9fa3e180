/* The whole app on a new data file. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { draining, publishing, together } from "../delivery/app.ts";
import { COUNTS, type Figure, ROWS } from "../delivery/figure.ts";

export async function measure(): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), "bench-app-"));
  const backlog = `sqlite:${join(directory, "backlog.db")}`;
  try {
    return [
      ...(await publishing(backlog)),
      await draining(backlog, ROWS.drain1, COUNTS.drain1, 1),
      await draining(backlog, ROWS.drain100, COUNTS.drain100, 100),
      ...(await together(`sqlite:${join(directory, "together.db")}`)),
    ];
  } finally {
    rmSync(directory, { recursive: true });
  }
}

if (import.meta.main) console.table(await measure());
