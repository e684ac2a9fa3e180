/*
 * What every call of a limited handler asks the engine: whether there is room, beside the smallest limit that is never
 * exceeded. The two take turns: a single round trip takes 20 or 90 us by where the machine puts the two processes.
 */
import { appOn } from "../delivery/app.ts";
import { inFlight } from "../delivery/figure.ts";
import { nanoseconds, type Run } from "../measure/contest.ts";
import { type MeasureOptions, ofLimit, type Row, rowOf } from "../measure/row.ts";
import { connect, drop, urlOf } from "./figure.ts";

const PREFIX = "bench-rate-limit";
const KEY = `${PREFIX}-limit`;
const LIMIT = 1_000_000;
const WINDOW = 60_000;
/** A list of the moments of use. */
const TAKE = `local last = redis.call('LINDEX', KEYS[1], -ARGV[1])
  if last and last + ARGV[2] > tonumber(ARGV[3]) then return last + ARGV[2] - ARGV[3] end
  redis.call('RPUSH', KEYS[1], ARGV[3])
  redis.call('LTRIM', KEYS[1], -ARGV[1], -1)
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return -1`;

export async function measure(options: MeasureOptions): Promise<Row[]> {
  await drop(`{${PREFIX}`);
  const client = connect();
  await using app = appOn(urlOf(PREFIX), 100, async () => {});
  await app.start({ consume: false });
  try {
    const sha = String(await client.script("LOAD", TAKE));
    const ours = (): Promise<unknown> => app.engine.limits.take("bench", LIMIT, WINDOW);
    const limit = (): Promise<unknown> => client.evalsha(sha, 1, KEY, LIMIT, WINDOW, Date.now());
    const rows: Row[] = [];
    for (const [name, width] of [
      ["one by one", 1],
      ["100 in flight", 100],
    ] as const) {
      const times =
        (take: () => Promise<unknown>): Run =>
        (count) =>
          inFlight(count, width, take).then(() => count);
      const figures = await nanoseconds({ ours: times(ours), limit: times(limit), peers: {} }, options);
      rows.push(rowOf(`rate-limit check, ${name}`, "/s", perSecond(figures), ofLimit(0.8)));
    }
    return rows;
  } finally {
    await client.del(KEY);
    client.disconnect();
    await drop(`{${PREFIX}`);
  }
}

function perSecond({ ours, limit = Number.NaN }: { ours: number; limit?: number | undefined }) {
  return { ours: 1e9 / ours, limit: 1e9 / limit, peers: {} };
}

if (import.meta.main) console.table(await measure({ quick: false, peers: false }));
