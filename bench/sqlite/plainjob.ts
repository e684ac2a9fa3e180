/* The peer: plainjob on better-sqlite3, as its documentation sets it up. It runs one job at a time and looks again on an interval. */
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  COUNTS,
  type Figure,
  PAYLOAD,
  ROWS,
  fiftyASecond,
  inFlight,
  latencies,
  rate,
} from "../delivery/figure.ts";

/** What we use of plainjob: written here, so that the bench type-checks where the peers are not installed. */
interface Queue {
  add(type: string, data: unknown): unknown;
  addMany(type: string, data: readonly unknown[]): unknown;
  countJobs(filter: { type: string; status: number }): number;
  close(): void;
}
interface Worker {
  start(): Promise<void>;
  stop(): Promise<void>;
}
interface Plainjob {
  better(database: unknown): unknown;
  defineQueue(options: { connection: unknown; logger: unknown }): Queue;
  defineWorker(type: string, run: () => Promise<void>, options: { queue: Queue; logger: unknown }): Worker;
}

const load = createRequire(import.meta.url);
const TYPE = "bench.handler";
const DATA: unknown = JSON.parse(PAYLOAD);
const logger = { error: console.error, warn() {}, info() {}, debug() {} };

/** Throws where it is not installed. */
export function loadable(): void {
  for (const name of ["plainjob", "better-sqlite3"]) load(name);
}

export async function measure(): Promise<Figure[]> {
  // Typed above, after their documentation; `npm install` in bench/ brings them.
  const plainjob = load("plainjob") as Plainjob;
  const Database = load("better-sqlite3") as new (path: string) => unknown;
  const directory = mkdtempSync(join(tmpdir(), "bench-plainjob-"));
  const connection = plainjob.better(new Database(join(directory, "jobs.db")));
  const queue = plainjob.defineQueue({ connection, logger });
  const publish = async () => queue.add(TYPE, DATA);
  const drain = drainerOf(plainjob, queue);
  try {
    await inFlight(COUNTS.warmUp / 10, 1, publish);
    await drain(COUNTS.warmUp / 10, 1);
    const figures = [
      await rate(ROWS.oneByOne, COUNTS.oneByOne, () => inFlight(COUNTS.oneByOne, 1, publish)),
      await rate(ROWS.inFlight, COUNTS.oneByOne, () => inFlight(COUNTS.oneByOne, 100, publish)),
      await rate(ROWS.all, COUNTS.all, async () => {
        const thousand = Array.from({ length: 1_000 }, () => DATA);
        for (let n = 0; n < COUNTS.all; n += 1_000) queue.addMany(TYPE, thousand);
      }),
      await rate(ROWS.drain1, COUNTS.drain1, () => drain(COUNTS.drain1, 1)),
      await rate(ROWS.drain100, COUNTS.drain1, () => drain(COUNTS.drain1, 100)),
    ];
    const rest = queue.countJobs({ type: TYPE, status: 0 });
    await drain(rest, 100);
    figures.push(
      await rate(ROWS.together, COUNTS.oneByOne, async () => {
        await Promise.all([inFlight(COUNTS.oneByOne, 100, publish), drain(COUNTS.oneByOne, 100)]);
      }),
      ...(await latency(queue, drain)),
    );
    return figures;
  } finally {
    queue.close();
    rmSync(directory, { recursive: true });
  }
}

type Drain = (count: number, width: number, handle?: () => void) => Promise<void>;

/** Drains with as many workers as there may be jobs under way: each takes one at a time. */
function drainerOf(plainjob: Plainjob, queue: Queue): Drain {
  return async (count, width, handle = () => {}) => {
    let left = count;
    const { promise: drained, resolve: end } = Promise.withResolvers<void>();
    const run = async (): Promise<void> => {
      handle();
      if (--left === 0) end();
    };
    const workers = Array.from({ length: width }, () => plainjob.defineWorker(TYPE, run, { queue, logger }));
    const running = workers.map((worker) => worker.start());
    if (count > 0) await drained;
    await Promise.all(workers.map((worker) => worker.stop()));
    await Promise.all(running);
  };
}

async function latency(queue: Queue, drain: Drain): Promise<Figure[]> {
  const samples: number[] = [];
  const sent: number[] = [];
  const drained = drain(200, 1, () => void samples.push(performance.now() - (sent.shift() ?? 0)));
  await fiftyASecond(200, (moment) => {
    sent.push(moment);
    queue.add(TYPE, DATA);
  });
  await drained;
  return latencies(samples);
}

if (import.meta.main) console.table(await measure());
