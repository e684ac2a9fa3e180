/* The peer: plainjob on better-sqlite3, as its documentation sets it up. It runs one job at a time and looks again on an interval. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { type Queue, better, defineQueue, defineWorker } from "plainjob";
import { COUNTS, type Figure, PAYLOAD, ROWS, fiftyASecond, inFlight, latencies, rate } from "./figure.ts";

const TYPE = "bench.handler";
const DATA: unknown = JSON.parse(PAYLOAD);
const logger = { error: console.error, warn() {}, info() {}, debug() {} };

export async function measure(): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), "bench-plainjob-"));
  const queue = defineQueue({ connection: better(new Database(join(directory, "jobs.db"))), logger });
  const publish = async () => queue.add(TYPE, DATA);
  try {
    await inFlight(COUNTS.warmUp / 10, 1, publish);
    await drain(queue, COUNTS.warmUp / 10, 1);
    const figures = [
      await rate(ROWS.oneByOne, COUNTS.oneByOne, () => inFlight(COUNTS.oneByOne, 1, publish)),
      await rate(ROWS.inFlight, COUNTS.oneByOne, () => inFlight(COUNTS.oneByOne, 100, publish)),
      await rate(ROWS.all, COUNTS.all, async () => {
        const thousand = Array.from({ length: 1_000 }, () => DATA);
        for (let n = 0; n < COUNTS.all; n += 1_000) queue.addMany(TYPE, thousand);
      }),
      await rate(ROWS.drain1, COUNTS.drain1, () => drain(queue, COUNTS.drain1, 1)),
      await rate(ROWS.drain100, COUNTS.drain1, () => drain(queue, COUNTS.drain1, 100)),
    ];
    const rest = queue.countJobs({ type: TYPE, status: 0 });
    await drain(queue, rest, 100);
    figures.push(
      await rate(ROWS.together, COUNTS.oneByOne, async () => {
        await Promise.all([inFlight(COUNTS.oneByOne, 100, publish), drain(queue, COUNTS.oneByOne, 100)]);
      }),
      ...(await latency(queue)),
    );
    return figures;
  } finally {
    queue.close();
    rmSync(directory, { recursive: true });
  }
}

/** With as many workers as there may be jobs under way: each takes one at a time. */
async function drain(queue: Queue, count: number, width: number, handle: () => void = () => {}): Promise<void> {
  let left = count;
  const { promise: drained, resolve: end } = Promise.withResolvers<void>();
  const workers = Array.from({ length: width }, () =>
    defineWorker(
      TYPE,
      async () => {
        handle();
        if (--left === 0) end();
      },
      { queue, logger },
    ),
  );
  const running = workers.map((worker) => worker.start());
  if (count > 0) await drained;
  await Promise.all(workers.map((worker) => worker.stop()));
  await Promise.all(running);
}

async function latency(queue: Queue): Promise<Figure[]> {
  const samples: number[] = [];
  const sent: number[] = [];
  const drained = drain(queue, 200, 1, () => void samples.push(performance.now() - (sent.shift() ?? 0)));
  await fiftyASecond(200, (moment) => {
    sent.push(moment);
    queue.add(TYPE, DATA);
  });
  await drained;
  return latencies(samples);
}

if (import.meta.main) console.table(await measure());
