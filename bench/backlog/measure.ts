/* Whether a large backlog costs anything: the rate and the memory of a worker with ten thousand messages, and with a million. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp, createRegistry } from "../../dist/index.js";
import { median } from "../measure/contest.ts";
import { type Goal, type MeasureOptions, ofLimit, type Row, rowOf } from "../measure/row.ts";

const FEW = 10_000;
const MANY = 1_000_000;
/** What is handled in each round, a fifth of it to warm up; less than what there is. */
const HANDLED = 5_000;
const PAYLOAD = { pad: "x".repeat(180) };

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
  } finally {
    rmSync(directory, { recursive: true });
  }
}

interface Figures {
  readonly rate: number;
  readonly megabytes: number;
}

const SAME: Goal = {
  text: "≤ 1.2 × limit",
  met: ({ ours, limit }) => limit !== undefined && ours <= limit * 1.2,
};

async function fill(engine: string, count: number): Promise<void> {
  const registry = createRegistry();
  registry.on("backlog", { name: "bench.backlog" }).execute(() => {});
  await using app = createApp({ registry, engine, log: "silent", env: {} });
  await app.start({ consume: false });
  const thousand = Array.from({ length: 1_000 }, () => ({ event: "backlog", payload: PAYLOAD }));
  for (let stored = 0; stored < count; stored += 1_000) await app.publishAll(thousand);
}

function drain(engine: string): Figures {
  const worker = join(import.meta.dirname, "worker.ts");
  return JSON.parse(
    execFileSync(process.execPath, [worker, engine, String(HANDLED)], { encoding: "utf8" }),
  ) as Figures;
}
