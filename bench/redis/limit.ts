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
/** The smallest rate limit that is never exceeded: a list of the moments of use. */
const TAKE = `local last = redis.call('LINDEX', KEYS[1], -ARGV[1])
  if last and last + ARGV[2] > tonumber(ARGV[3]) then return last + ARGV[2] - ARGV[3] end
  redis.call('RPUSH', KEYS[1], ARGV[3])
  redis.call('LTRIM', KEYS[1], -ARGV[1], -1)
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return -1`;

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
      await rate(MORE_ROWS.limit1, COUNTS.oneByOne, () => inFlight(COUNTS.oneByOne, 1, () => stream.take())),
      await rate(MORE_ROWS.limit100, COUNTS.inFlight, () =>
        inFlight(COUNTS.inFlight, 100, () => stream.take()),
      ),
    );
    return figures;
  } finally {
    await stream.close();
  }
}

class Stream {
  readonly #writer: Redis = connect();
  readonly #reader: Redis = connect();
  #sha = "";

  async open(): Promise<void> {
    await this.#writer.del(STREAM);
    await this.#writer.xgroup("CREATE", STREAM, GROUP, "0", "MKSTREAM");
    this.#sha = String(await this.#writer.script("LOAD", TAKE));
  }

  publish(): Promise<unknown> {
    return this.#writer.xadd(STREAM, "*", "p", PAYLOAD);
  }

  async publishAll(count: number): Promise<void> {
    const pipeline = this.#writer.pipeline();
    for (let n = 0; n < count; n++) pipeline.xadd(STREAM, "*", "p", PAYLOAD);
    await pipeline.exec();
  }

  take(): Promise<unknown> {
    return this.#writer.evalsha(this.#sha, 1, `${STREAM}-limit`, 1_000_000, 60_000, Date.now());
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
