/*
 * The limit: straight on ioredis, one stream with a consumer group, pipelined, and nothing else: no priorities, keys,
 * delays, leases, tokens, headers, dead letters. What is read is acknowledged and removed with the next reading.
 */
import type { Redis } from "ioredis";
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
import { connect, drop, MORE_ROWS } from "./figure.ts";

const STREAM = "bench-limit";
const GROUP = "g";
export async function measure(): Promise<Figure[]> {
  const stream = new Stream();
  try {
    await stream.open();
    await inFlight(COUNTS.warmUp, 100, () => stream.publish());
    await inFlight(COUNTS.oneByOne, 1, () => stream.publish());
    await stream.drain(COUNTS.warmUp, 100);
    const figures = [
      await rate(ROWS.oneByOne, COUNTS.oneByOne, () => inFlight(COUNTS.oneByOne, 1, () => stream.publish())),
      await rate(ROWS.inFlight, COUNTS.inFlight, () =>
        inFlight(COUNTS.inFlight, 100, () => stream.publish()),
      ),
      await rate(ROWS.all, COUNTS.all, async () => {
        for (let n = 0; n < COUNTS.all; n += 1_000) await stream.publishAll(1_000);
      }),
      await rate(ROWS.drain1, COUNTS.drain1, () => stream.drain(COUNTS.drain1, 1)),
      await rate(MORE_ROWS.drain10, COUNTS.drain100, () => stream.drain(COUNTS.drain100, 10)),
      await rate(ROWS.drain100, COUNTS.drain100, () => stream.drain(COUNTS.drain100, 100)),
    ];
    await stream.open();
    figures.push(
      await rate(ROWS.together, COUNTS.inFlight, async () => {
        await Promise.all([
          inFlight(COUNTS.inFlight, 100, () => stream.publish()),
          stream.drain(COUNTS.inFlight, 100),
        ]);
      }),
      ...(await stream.latency()),
    );
    return figures;
  } finally {
    await stream.close();
  }
}

class Stream {
  readonly #writer: Redis = connect();
  readonly #reader: Redis = connect();

  async open(): Promise<void> {
    await this.#writer.del(STREAM);
    await this.#writer.xgroup("CREATE", STREAM, GROUP, "0", "MKSTREAM");
  }

  publish(): Promise<unknown> {
    return this.#writer.xadd(STREAM, "*", "p", PAYLOAD);
  }

  async publishAll(count: number): Promise<void> {
    const pipeline = this.#writer.pipeline();
    for (let n = 0; n < count; n++) pipeline.xadd(STREAM, "*", "p", PAYLOAD);
    await pipeline.exec();
  }

  async drain(count: number, width: number, handle: () => unknown = () => {}): Promise<void> {
    let done: string[] = [];
    for (let left = count; left > 0 || done.length > 0;) {
      const pipeline = this.#reader.pipeline();
      if (done.length > 0) pipeline.xack(STREAM, GROUP, ...done).xdel(STREAM, ...done);
      const wanted = Math.min(width, left);
      if (wanted > 0) {
        pipeline.xreadgroup("GROUP", GROUP, "c", "COUNT", wanted, "BLOCK", 1_000, "STREAMS", STREAM, ">");
      }
      const answers = (await pipeline.exec()) ?? [];
      // As XREADGROUP answers: of each stream its entries, of each its id and fields.
      const read = wanted > 0 ? (answers.at(-1)?.[1] as [string, [string, string[]][]][] | null) : null;
      const entries = read?.[0]?.[1] ?? [];
      await Promise.all(entries.map(async () => handle()));
      done = entries.map(([id]) => id);
      left -= done.length;
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

  async close(): Promise<void> {
    this.#writer.disconnect();
    this.#reader.disconnect();
    await drop(STREAM);
  }
}

if (import.meta.main) console.table(await measure());
