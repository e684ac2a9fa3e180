/* Our engine, straight: claims, settlements and wake-ups as the consumer asks for them, all promises kept. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import type { Claim, Engine, NewMessage, Settlement } from "../../src/engine.ts";
import { sqliteEngine } from "../../src/engines/sqlite/engine.ts";
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
const EVENT = "user.registered";

export async function measure(): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), "bench-ours-"));
  const engine = sqliteEngine(`sqlite:${join(directory, "app.db")}`);
  await engine.start({
    clock: systemClock,
    instance: {
      id: crypto.randomUUID(),
      host: "bench",
      pid: process.pid,
      version: "0",
      startedAt: Date.now(),
    },
    lease: 30_000,
  });
  try {
    await engine.queue.subscribe([{ handler: HANDLER, topic: EVENT }]);
    await inFlight(COUNTS.warmUp, 100, () => publish(engine));
    await inFlight(COUNTS.oneByOne, 1, () => publish(engine));
    await drain(engine, COUNTS.warmUp, 100);
    return [
      await rate(ROWS.oneByOne, COUNTS.oneByOne, () => inFlight(COUNTS.oneByOne, 1, () => publish(engine))),
      await rate(ROWS.inFlight, COUNTS.inFlight, () => inFlight(COUNTS.inFlight, 100, () => publish(engine))),
      await rate(ROWS.all, COUNTS.all, async () => {
        for (let n = 0; n < COUNTS.all; n += 1_000) {
          await engine.queue.publish(Array.from({ length: 1_000 }, message));
        }
      }),
      await rate(ROWS.drain1, COUNTS.drain1, () => drain(engine, COUNTS.drain1, 1)),
      await rate(ROWS.drain100, COUNTS.drain100, () => drain(engine, COUNTS.drain100, 100)),
      await clear(engine),
      await rate(ROWS.together, COUNTS.inFlight, async () => {
        await Promise.all([
          inFlight(COUNTS.inFlight, 100, () => publish(engine)),
          drain(engine, COUNTS.inFlight, 100),
        ]);
      }),
      ...(await latency(engine)),
    ].filter((figure) => figure !== undefined);
  } finally {
    await engine.stop();
    rmSync(directory, { recursive: true });
  }
}

function message(): NewMessage {
  return { event: EVENT, payload: PAYLOAD, priority: 0, due: Date.now() };
}

function publish(engine: Engine): Promise<unknown> {
  return engine.queue.publish([message()]);
}

/** Settles what is done and claims the next in the same turn; sleeps until it is woken when there is none. */
async function drain(
  engine: Engine,
  count: number,
  width: number,
  handle: (claim: Claim) => unknown = () => {},
): Promise<void> {
  let wake: () => void = () => {};
  const end = engine.queue.onWake(() => wake());
  let done: Settlement[] = [];
  for (let left = count; left > 0 || done.length > 0;) {
    const woken = new Promise<void>((resolve) => (wake = resolve));
    const settled = done.length > 0 ? engine.queue.settle(done) : undefined;
    const { claims } = await engine.queue.claim([{ handler: HANDLER, limit: Math.min(width, left) }]);
    await settled;
    await Promise.all(claims.map(async (claim) => handle(claim)));
    done = claims.map((claim) => ({ claim, kind: "done" }));
    left -= done.length;
    if (done.length === 0 && left > 0) await woken;
  }
  end();
}

async function clear(engine: Engine): Promise<undefined> {
  await engine.queue.unsubscribe(HANDLER);
  await engine.queue.subscribe([{ handler: HANDLER, topic: EVENT }]);
}

async function latency(engine: Engine): Promise<Figure[]> {
  const samples: number[] = [];
  const sent: number[] = [];
  const drained = drain(engine, 200, 100, () => samples.push(performance.now() - (sent.shift() ?? 0)));
  await fiftyASecond(200, (moment) => {
    sent.push(moment);
    void publish(engine);
  });
  await drained;
  return latencies(samples);
}

if (import.meta.main) console.table(await measure());
