/* The whole app in a new schema. */
import { draining, publishing, together } from "../delivery/app.ts";
import { COUNTS, type Figure, ROWS } from "../delivery/figure.ts";
import { inSchema, SERVER } from "./figure.ts";

const SCHEMA = "bench_app";
const ENGINE = `${SERVER}?schema=${SCHEMA}`;

export async function measure(): Promise<Figure[]> {
  const first = await inSchema(SCHEMA, async () => [
    ...(await publishing(ENGINE)),
    await draining(ENGINE, ROWS.drain1, COUNTS.drain1, 1),
    await draining(ENGINE, ROWS.drain100, COUNTS.drain100, 100),
  ]);
  return [...first, ...(await inSchema(SCHEMA, () => together(ENGINE)))];
}

if (import.meta.main) console.table(await measure());
