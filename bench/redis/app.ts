/* The whole app on an empty store. */
import { appOn, draining, publishing, together } from "../delivery/app.ts";
import { COUNTS, type Figure, inFlight, rate, ROWS } from "../delivery/figure.ts";
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
    return [...figures, ...(await together(engine)), ...(await limiting(engine))];
  } finally {
    await drop(KEYS);
  }
}

/** What every call of a limited handler asks the engine. */
async function limiting(engine: string): Promise<Figure[]> {
  await using app = appOn(engine, 100, async () => {});
  await app.start({ consume: false });
  const take = (): Promise<unknown> => app.engine.limits.take("bench", 1_000_000, 60_000);
  await inFlight(COUNTS.warmUp, 100, take);
  await inFlight(COUNTS.oneByOne, 1, take);
  return [
    await rate(MORE_ROWS.limit1, COUNTS.oneByOne, () => inFlight(COUNTS.oneByOne, 1, take)),
    await rate(MORE_ROWS.limit100, COUNTS.inFlight, () => inFlight(COUNTS.inFlight, 100, take)),
  ];
}

if (import.meta.main) console.table(await measure());
