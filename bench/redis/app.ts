/* The whole app on an empty store. */
import { draining, publishing, together } from "../delivery/app.ts";
import { COUNTS, type Figure, ROWS } from "../delivery/figure.ts";
import { drop, MORE_ROWS, urlOf } from "./figure.ts";

const PREFIX = "bench-app";
const KEYS = `{${PREFIX}`;

export async function measure(): Promise<Figure[]> {
  const engine = urlOf(PREFIX);
  await drop(KEYS);
  try {
    const figures = [
      ...(await publishing(engine)),
      await draining(engine, ROWS.drain1, COUNTS.drain1, 1),
      await draining(engine, MORE_ROWS.drain10, COUNTS.drain100, 10),
      await draining(engine, ROWS.drain100, COUNTS.drain100, 100),
    ];
    await drop(KEYS);
    return [...figures, ...(await together(engine))];
  } finally {
    await drop(KEYS);
  }
}

if (import.meta.main) console.table(await measure());
