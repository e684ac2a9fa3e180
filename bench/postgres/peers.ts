/* The peers, as their documentation sets them up: pg-boss and graphile-worker, for which what is done is removed. */
import { load } from "../measure/peers.ts";
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
import { inSchema, SERVER } from "./figure.ts";

/** What we use of them: written here, so that the bench type-checks where they are not installed. */
interface PgBoss {
  start(): Promise<unknown>;
  stop(options: object): Promise<void>;
  on(event: "error", hear: () => void): unknown;
  createQueue(name: string): Promise<void>;
  send(name: string, data: unknown): Promise<unknown>;
  insert(name: string, jobs: readonly object[]): Promise<unknown>;
  work(name: string, options: object, run: (jobs: readonly unknown[]) => Promise<void>): Promise<string>;
  offWork(name: string): Promise<void>;
}
interface Graphile {
  makeWorkerUtils(options: object): Promise<{
    migrate(): Promise<void>;
    addJob(task: string, payload: unknown): Promise<unknown>;
    addJobs(jobs: readonly object[]): Promise<unknown>;
    release(): Promise<void>;
  }>;
  run(options: object): Promise<{ stop(): Promise<void> }>;
  Logger: new (factory: () => () => void) => unknown;
}
/** One of them, with what all can do. */
interface Peer {
  publish(): Promise<unknown>;
  publishAll(count: number): Promise<unknown>;
  /** Works with so many at a time; answers how to end it. */
  work(concurrency: number, handle: () => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

const DATA: unknown = JSON.parse(PAYLOAD);

/** Throws where it is not installed. */
export async function pgBoss(): Promise<() => Promise<Figure[]>> {
  const { PgBoss: Boss } = await load<{ PgBoss: new (options: object) => PgBoss }>("pg-boss");
  return both("bench_boss", async () => {
    const boss = new Boss({ connectionString: SERVER, schema: "bench_boss" });
    boss.on("error", () => {});
    await boss.start();
    await boss.createQueue("job");
    return {
      publish: () => boss.send("job", DATA),
      publishAll: (count) => boss.insert("job", Array(count).fill({ data: DATA })),
      async work(concurrency, handle) {
        const options = { batchSize: concurrency, pollingIntervalSeconds: 0.5 };
        await boss.work("job", options, async (jobs) => jobs.forEach(handle));
        return () => boss.offWork("job");
      },
      close: () => boss.stop({ graceful: false }),
    };
  });
}

/** Throws where it is not installed. */
export async function graphile(): Promise<() => Promise<Figure[]>> {
  const { makeWorkerUtils, run, Logger } = await load<Graphile>("graphile-worker");
  const options = { connectionString: SERVER, schema: "bench_graphile", logger: new Logger(() => () => {}) };
  return both("bench_graphile", async () => {
    const utils = await makeWorkerUtils(options);
    await utils.migrate();
    return {
      publish: () => utils.addJob("job", DATA),
      publishAll: (count) => utils.addJobs(Array(count).fill({ identifier: "job", payload: DATA })),
      async work(concurrency, handle) {
        const taskList = { job: async () => handle() };
        const settings = { ...options, taskList, concurrency, noHandleSignals: true };
        // As its documentation does for high rates.
        const preset = { worker: { localQueue: { size: 5 * concurrency } } };
        const runner = await run(concurrency > 1 ? { ...settings, preset } : settings);
        return () => runner.stop();
      },
      close: () => utils.release(),
    };
  });
}

/** The rates and, in a schema that nothing else was in, the latency. */
function both(schema: string, make: () => Promise<Peer>): () => Promise<Figure[]> {
  const once = (measure: (peer: Peer) => Promise<Figure[]>): Promise<Figure[]> =>
    inSchema(schema, async () => {
      const peer = await make();
      return await measure(peer).finally(() => peer.close());
    });
  return async () => [...(await once(rates)), ...(await once(latency))];
}

async function rates(peer: Peer): Promise<Figure[]> {
  const [few, many] = [COUNTS.drain1 / 10, COUNTS.inFlight / 5];
  await inFlight(COUNTS.warmUp / 30, 100, () => peer.publish());
  return [
    await rate(ROWS.oneByOne, few, () => inFlight(few, 1, () => peer.publish())),
    await rate(ROWS.inFlight, few, () => inFlight(few, 100, () => peer.publish())),
    await rate(ROWS.all, many, async () => {
      for (let n = 0; n < many; n += 1_000) await peer.publishAll(1_000);
    }),
    await drained(peer, ROWS.drain1, few / 5, 1),
    await drained(peer, ROWS.drain100, many / 2, 100),
  ];
}

async function drained(peer: Peer, row: string, count: number, concurrency: number): Promise<Figure> {
  const ended = Promise.withResolvers<void>();
  let runs = 0;
  let end = async (): Promise<void> => {};
  const figure = await rate(row, count, async () => {
    end = await peer.work(concurrency, () => void (++runs === count && ended.resolve()));
    // One that does not come to its end in time has the rate that it has.
    await Promise.race([ended.promise, new Promise<void>((resolve) => setTimeout(resolve, 20_000))]);
  });
  await end();
  return { ...figure, value: figure.value * Math.min(1, runs / count) };
}

async function latency(peer: Peer): Promise<Figure[]> {
  const samples: number[] = [];
  const sent: number[] = [];
  const end = await peer.work(100, () => samples.push(performance.now() - (sent.shift() ?? 0)));
  await fiftyASecond(100, (moment) => {
    sent.push(moment);
    void peer.publish();
  });
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await end();
  return latencies(samples);
}

if (import.meta.main) {
  console.table(await (await graphile())());
  console.table(await (await pgBoss())());
  process.exit(0);
}
