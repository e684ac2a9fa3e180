/* The peer: BullMQ, as its documentation sets it up, removing what is done so that memory stays bounded. */
import {
  COUNTS,
  type Figure,
  fiftyASecond,
  inFlight,
  latencies,
  PAYLOAD,
  rate,
  ROWS,
} from "../delivery/figure.ts";
import { load } from "../measure/peers.ts";
import { drop, MORE_ROWS } from "./figure.ts";

/** What we use of BullMQ: written here, so that the bench type-checks where it is not installed. */
interface Queue {
  add(name: string, data: unknown, options?: object): Promise<unknown>;
  addBulk(jobs: readonly object[]): Promise<unknown>;
  obliterate(options: { force: boolean }): Promise<void>;
  close(): Promise<void>;
}
interface Worker {
  close(): Promise<void>;
}
interface BullMq {
  Queue: new (name: string, options: object) => Queue;
  Worker: new (name: string, run: () => Promise<void>, options: object) => Worker;
}

const NAME = "bench-bullmq";
const DATA: unknown = JSON.parse(PAYLOAD);
const connection = { host: "127.0.0.1", port: 6379, db: 8, maxRetriesPerRequest: null };
const jobOptions = { removeOnComplete: true, removeOnFail: true };

/** Throws where it is not installed. */
export async function ready(): Promise<() => Promise<Figure[]>> {
  const bullmq = await load<BullMq>("bullmq");
  return () => measure(bullmq);
}

async function measure(bullmq: BullMq): Promise<Figure[]> {
  const queue = new bullmq.Queue(NAME, { connection, defaultJobOptions: jobOptions });
  const publish = (): Promise<unknown> => queue.add("job", DATA);
  const drain = (row: string, count: number, concurrency: number): Promise<Figure> =>
    drainWith(bullmq, row, count, concurrency);
  try {
    await inFlight(COUNTS.warmUp / 10, 100, publish);
    const figures = [
      await rate(ROWS.oneByOne, COUNTS.oneByOne, () => inFlight(COUNTS.oneByOne, 1, publish)),
      await rate(ROWS.inFlight, COUNTS.inFlight, () => inFlight(COUNTS.inFlight, 100, publish)),
      await rate(ROWS.all, COUNTS.inFlight, async () => {
        const thousand = Array.from({ length: 1_000 }, () => ({ name: "job", data: DATA }));
        for (let n = 0; n < COUNTS.inFlight; n += 1_000) await queue.addBulk(thousand);
      }),
      await drain(ROWS.drain1, COUNTS.drain1 / 2, 1),
      await drain(MORE_ROWS.drain10, COUNTS.drain1, 10),
      await drain(ROWS.drain100, COUNTS.drain1, 100),
    ];
    await queue.obliterate({ force: true });
    figures.push(...(await together(bullmq, publish)));
    return figures;
  } finally {
    await queue.close();
    await drop(`bull:${NAME}`);
  }
}

async function drainWith(
  { Worker: PeerWorker }: BullMq,
  row: string,
  count: number,
  concurrency: number,
): Promise<Figure> {
  const ended = Promise.withResolvers<void>();
  let left = count;
  const run = async (): Promise<void> => {
    if (--left === 0) ended.resolve();
  };
  let worker: Worker | undefined;
  const figure = await rate(row, count, async () => {
    worker = new PeerWorker(NAME, run, { connection, concurrency });
    await ended.promise;
  });
  await worker?.close();
  return figure;
}

async function together({ Worker: PeerWorker }: BullMq, publish: () => Promise<unknown>): Promise<Figure[]> {
  const ended = Promise.withResolvers<void>();
  const count = COUNTS.drain1;
  let left = count;
  let handle = async (): Promise<void> => {
    if (--left === 0) ended.resolve();
  };
  const worker = new PeerWorker(NAME, () => handle(), { connection, concurrency: 100 });
  const figure = await rate(ROWS.together, count, async () => {
    await inFlight(count, 100, publish);
    await ended.promise;
  });
  const samples: number[] = [];
  const sent: number[] = [];
  const all = Promise.withResolvers<void>();
  handle = async () => {
    if (samples.push(performance.now() - (sent.shift() ?? 0)) === 200) all.resolve();
  };
  await fiftyASecond(200, (moment) => {
    sent.push(moment);
    void publish();
  });
  await all.promise;
  await worker.close();
  return [figure, ...latencies(samples)];
}
