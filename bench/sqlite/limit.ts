/*
 * The limit: straight on node:sqlite, the smallest table that holds a queue for several handlers with priorities,
 * prepared statements, the same batching, and nothing else: no keys, delays, leases, tokens, headers, dead letters.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
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

const HANDLER = "bench.handler";

export async function measure(): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), "bench-limit-"));
  const table = new Table(join(directory, "limit.db"));
  try {
    await inFlight(COUNTS.warmUp, 100, () => table.publish());
    await inFlight(COUNTS.oneByOne, 1, () => table.publish());
    await table.drain(COUNTS.warmUp, 100);
    const figures = [
      await rate(ROWS.oneByOne, COUNTS.oneByOne, () => inFlight(COUNTS.oneByOne, 1, () => table.publish())),
      await rate(ROWS.inFlight, COUNTS.inFlight, () => inFlight(COUNTS.inFlight, 100, () => table.publish())),
      await rate(ROWS.all, COUNTS.all, async () => {
        for (let n = 0; n < COUNTS.all; n += 1_000) await table.publishAll(1_000);
      }),
      await rate(ROWS.drain1, COUNTS.drain1, () => table.drain(COUNTS.drain1, 1)),
      await rate(ROWS.drain100, COUNTS.drain100, () => table.drain(COUNTS.drain100, 100)),
    ];
    table.clear();
    figures.push(
      await rate(ROWS.together, COUNTS.inFlight, async () => {
        await Promise.all([
          inFlight(COUNTS.inFlight, 100, () => table.publish()),
          table.drain(COUNTS.inFlight, 100),
        ]);
      }),
      ...(await table.latency()),
    );
    return figures;
  } finally {
    table.close();
    rmSync(directory, { recursive: true });
  }
}

class Table {
  readonly #db: DatabaseSync;
  #waiting: (() => void)[] = [];
  #wake: () => void = () => {};
  readonly #begin;
  readonly #commit;
  readonly #insert;
  readonly #select;
  readonly #take;
  readonly #delete;

  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    this.#db.exec(`pragma journal_mode = wal; pragma synchronous = normal;
      create table job (id integer primary key, handler text not null, state integer not null, priority integer not null,
        due integer not null, payload text not null);
      create index ready on job (handler, priority, id) where state = 0`);
    this.#begin = this.#db.prepare("begin immediate");
    this.#commit = this.#db.prepare("commit");
    this.#insert = this.#db.prepare(
      "insert into job (handler, state, priority, due, payload) values (?, 0, 0, ?, ?)",
    );
    this.#select = this.#db.prepare(
      "select id, payload from job where state = 0 and handler = ? order by priority, id limit ?+0",
    );
    this.#select.setReturnArrays(true);
    this.#take = this.#db.prepare("update job set state = 1 where id = ?");
    this.#delete = this.#db.prepare("delete from job where id = ?");
  }

  /** What is published until the microtask comes shares a transaction. */
  publish(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) queueMicrotask(() => this.#flush());
    });
  }

  async publishAll(count: number): Promise<void> {
    this.#begin.run();
    const now = Date.now();
    for (let n = 0; n < count; n++) this.#insert.run(HANDLER, now, PAYLOAD);
    this.#commit.run();
  }

  /** Each transaction deletes what is done and takes the next; sleeps until something is published when there is none. */
  async drain(count: number, width: number, handle: () => unknown = () => {}): Promise<void> {
    let done: number[] = [];
    for (let left = count; left > 0 || done.length > 0;) {
      this.#begin.run();
      for (const id of done) this.#delete.run(id);
      // Arrays of the two columns, since the statement was told to return arrays.
      const taken = this.#select.all(HANDLER, Math.min(width, left)) as unknown as [number, string][];
      for (const [id] of taken) this.#take.run(id);
      this.#commit.run();
      await Promise.all(taken.map(async () => handle()));
      done = taken.map(([id]) => id);
      left -= done.length;
      if (done.length === 0 && left > 0) await new Promise<void>((resolve) => (this.#wake = resolve));
      else await new Promise((resolve) => setImmediate(resolve));
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

  clear(): void {
    this.#db.exec("delete from job");
  }

  close(): void {
    this.#db.close();
  }

  #flush(): void {
    const published = this.#waiting;
    this.#waiting = [];
    this.#begin.run();
    const now = Date.now();
    for (let n = 0; n < published.length; n++) this.#insert.run(HANDLER, now, PAYLOAD);
    this.#commit.run();
    for (const resolve of published) resolve();
    this.#wake();
  }
}

if (import.meta.main) console.table(await measure());
