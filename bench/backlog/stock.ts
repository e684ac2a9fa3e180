/* What the questions of backlogs share: to fill a store, to drain a part of it, and the rows. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { createApp, createRegistry } from "../../dist/index.js";
import { median } from "../measure/contest.ts";
import { type Goal, type MeasureOptions, ofLimit, type Row, rowOf } from "../measure/row.ts";

export const FEW = 10_000;
export const MANY = 1_000_000;
/** What is handled in each round, a fifth of it to warm up; less than what there is. */
const HANDLED = 5_000;
const PAYLOAD = { pad: "x".repeat(180) };

export interface Figures {
  readonly rate: number;
  readonly megabytes: number;
}

const SAME: Goal = {
  text: "≤ 1.2 × limit",
  met: ({ ours, limit }) => limit !== undefined && ours <= limit * 1.2,
};

/** Stores so many messages. */
export async function fill(engine: string, count: number): Promise<void> {
  const registry = createRegistry();
  registry.on("backlog", { name: "bench.backlog" }).execute(() => {});
  await using app = createApp({ registry, engine, log: "silent", env: {} });
  await app.start({ consume: false });
  const thousand = Array.from({ length: 1_000 }, () => ({ event: "backlog", payload: PAYLOAD }));
  for (let stored = 0; stored < count; stored += 1_000) await app.publishAll(thousand);
}

/** Handles a few of them in a process of its own. */
export function drain(engine: string): Figures {
  const worker = join(import.meta.dirname, "worker.ts");
  return JSON.parse(
    execFileSync(process.execPath, [worker, engine, String(HANDLED)], { encoding: "utf8" }),
  ) as Figures;
}

/** Fills two stores, one with few messages and one with many, and drains a part of each in turn. */
export async function compared(
  { few, many }: Readonly<Record<"few" | "many", string>>,
  { quick }: MeasureOptions,
): Promise<Row[]> {
  const waiting = quick ? MANY / 10 : MANY;
  await fill(many, waiting);
  const figures = { few: [] as Figures[], many: [] as Figures[] };
  for (let round = 0; round < (quick ? 1 : 5); round++) {
    await fill(few, FEW);
    figures.few.push(drain(few));
    figures.many.push(drain(many));
  }
  return rowsOf(waiting, figures);
}

/** The rate and the memory with a large backlog, beside those with a small one. */
export function rowsOf(many: number, figures: Readonly<Record<"few" | "many", readonly Figures[]>>): Row[] {
  const of = (name: "few" | "many", what: keyof Figures) => median(figures[name].map((each) => each[what]));
  const title = many.toLocaleString("en");
  return [
    rowOf(
      `drain by 100, ${title} waiting (limit: 10,000 waiting)`,
      "/s",
      { ours: of("many", "rate"), peers: {}, limit: of("few", "rate") },
      ofLimit(0.8),
    ),
    rowOf(
      `worker's memory, ${title} waiting (limit: 10,000)`,
      "MB",
      { ours: of("many", "megabytes"), peers: {}, limit: of("few", "megabytes") },
      SAME,
    ),
  ];
}
