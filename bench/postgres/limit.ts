/*
 * The limit: straight on pg, the smallest table that holds a queue for several handlers with priorities, named statements,
 * the same batching and notices, and nothing else: no keys, delays, leases, tokens, headers, dead letters.
 */
import type pg from "pg";
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
import { connect, HANDLER, inSchema } from "./figure.ts";

const TABLE = `create schema bench_limit;
  create table bench_limit.job (id bigint generated always as identity primary key, handler text not null, state int not null,
    priority int not null, due bigint not null, payload text not null);
  create index on bench_limit.job (handler, priority, id) where state = 0`;
/** Else a plan that was made for an empty table reads all of it each time. */
const BY_INDEX =
  "set enable_seqscan = off; set enable_bitmapscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set jit = off";
const INSERT = {
  name: "insert",
  text: `insert into bench_limit.job (handler, state, priority, due, payload) select $1, 0, 0, $2, p from unnest($3::text[]) p returning id`,
};
const TAKE = {
  name: "take",
  text: `with gone as (delete from bench_limit.job where id = any ($1::bigint[]))
    update bench_limit.job set state = 1 where id = any (array (select id from bench_limit.job where state = 0 and handler = $2
      order by priority, id limit $3 for update skip locked)) returning id, payload`,
};

export function measure(): Promise<Figure[]> {
  return inSchema("bench_limit", async () => {
    const queue = await Queue.open();
    try {
      await inFlight(COUNTS.warmUp, 100, () => queue.publish());
      await inFlight(COUNTS.oneByOne, 1, () => queue.publish());
      const figures = [
        await rate(ROWS.oneByOne, COUNTS.oneByOne, () => inFlight(COUNTS.oneByOne, 1, () => queue.publish())),
        await rate(ROWS.inFlight, COUNTS.inFlight, () =>
          inFlight(COUNTS.inFlight, 100, () => queue.publish()),
        ),
        await rate(ROWS.all, COUNTS.all, async () => {
          for (let n = 0; n < COUNTS.all; n += 1_000) await queue.insert(1_000);
        }),
        await rate(ROWS.drain1, COUNTS.drain1, () => queue.drain(COUNTS.drain1, 1)),
        await rate(ROWS.drain100, COUNTS.drain100, () => queue.drain(COUNTS.drain100, 100)),
      ];
      await queue.clear();
      figures.push(
        await rate(ROWS.together, COUNTS.inFlight, async () => {
          const drained = queue.drain(COUNTS.inFlight, 100);
          await inFlight(COUNTS.inFlight, 100, () => queue.publish());
          await drained;
        }),
        ...(await queue.latency()),
      );
      return figures;
    } finally {
      await queue.close();
    }
  });
}

class Queue {
  readonly #publisher: pg.Client;
  /** One statement after the other. */
  #flushing: Promise<void> = Promise.resolve();
  readonly #worker: pg.Client;
  #waiting: (() => void)[] = [];
  #wake: () => void = () => {};

  private constructor(publisher: pg.Client, worker: pg.Client) {
    this.#publisher = publisher;
    this.#worker = worker;
  }

  static async open(): Promise<Queue> {
    const [publisher, worker] = [await connect(), await connect()];
    await publisher.query(TABLE);
    await worker.query(BY_INDEX);
    return new Queue(publisher, worker);
  }

  async insert(count: number): Promise<void> {
    await this.#publisher.query({ ...INSERT, values: [HANDLER, Date.now(), Array(count).fill(PAYLOAD)] });
  }

  /** What is published until the microtask comes shares a statement. */
  publish(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) this.#flushing = this.#flushing.then(() => this.#flush());
    });
  }

  /** Each statement deletes what is done and takes the next; waits until something is published when there is none. */
  async drain(count: number, width: number, handle: () => unknown = () => {}): Promise<void> {
    let done: string[] = [];
    for (let left = count; left > 0 || done.length > 0;) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      const { rows } = await this.#worker.query<{ id: string }>({
        ...TAKE,
        values: [done, HANDLER, Math.min(width, left)],
      });
      await Promise.all(rows.map(async () => handle()));
      done = rows.map(({ id }) => id);
      left -= done.length;
      if (done.length === 0 && left > 0) await woken;
    }
  }

  async latency(): Promise<Figure[]> {
    const samples: number[] = [];
    const sent: number[] = [];
    const drained = this.drain(200, 100, () => samples.push(performance.now() - (sent.shift() ?? 0)));
    await fiftyASecond(200, (moment) => {
      sent.push(moment);
      void this.publish();
    });
    await drained;
    return latencies(samples);
  }

  async clear(): Promise<void> {
    await this.#publisher.query("delete from bench_limit.job");
  }

  async close(): Promise<void> {
    await Promise.all([this.#publisher.end(), this.#worker.end()]);
  }

  async #flush(): Promise<void> {
    const published = this.#waiting;
    this.#waiting = [];
    await this.insert(published.length);
    for (const resolve of published) resolve();
    this.#wake();
  }
}

if (import.meta.main) console.table(await measure());
