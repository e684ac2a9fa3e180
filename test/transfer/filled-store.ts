import { systemClock } from "../../src/clock.ts";
import type { StoredRecord } from "../../src/engine-transfer.ts";
import type { Engine } from "../../src/engine.ts";
import { engineOf } from "../../src/engines.ts";

let instances = 0;

/** Starts an engine, or the one of a URL, as an app does. */
export async function using<T>(given: string | Engine, use: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = typeof given === "string" ? await engineOf(given) : given;
  const instance = {
    id: `i${process.pid}-${++instances}`,
    host: "h",
    pid: process.pid,
    version: "1",
    startedAt: 0,
  };
  await engine.start({ clock: systemClock, lease: 30_000, instance });
  try {
    return await use(engine);
  } finally {
    await engine.stop();
  }
}

/** Puts something of each kind into it. */
export async function fill(engine: Engine, messages: number): Promise<void> {
  await engine.queue.subscribe([
    { handler: "a", topic: "order.*" },
    { handler: "b", topic: "order.paid" },
    { handler: "task", topic: undefined },
  ]);
  const now = engine.now();
  const fields = { event: "order.paid", priority: 0 };
  for (let n = 0; n < messages; n += 500) {
    await engine.queue.publish(
      Array.from({ length: Math.min(500, messages - n) }, (_, at) => ({
        ...fields,
        payload: JSON.stringify({ n: n + at, text: "ü 界 \u2028" }),
        due: now + ((n + at) % 7) * 60_000,
        key: at % 3 === 0 ? `k${at % 5}` : undefined,
        headers: at % 2 === 0 ? '{"trace":"1"}' : undefined,
        dedupe: at % 100 === 0 ? { key: `d${n + at}`, until: now + 3_600_000 } : undefined,
      })),
    );
  }
  await engine.queue.publish([{ ...fields, event: "nobody", payload: "1", due: now }]);
  const { claims } = await engine.queue.claim([{ handler: "a", limit: 10 }]);
  await engine.queue.settle(
    claims.map((claim, at) =>
      at % 2 === 0
        ? {
            claim,
            kind: "dead",
            reason: "fatal",
            error: { attempt: 1, at: now, name: "Error", message: "x" },
          }
        : {
            claim,
            kind: "retry",
            at: now + 300_000,
            error: { attempt: 1, at: now, name: "Error", message: "y" },
          },
    ),
  );
  await engine.schedules.define({ task: "task", hash: "1", definition: "{}", next: now + 60_000 });
  await engine.limits.take("l", 5, 3_600_000);
  await engine.state.set("k", "v");
}

/** All that it holds, in an order of its own. */
export async function contentOf(engine: Engine): Promise<string[]> {
  const records: StoredRecord[] = [];
  for await (const piece of engine.transfer.dump()) records.push(...piece);
  return records
    .map((record) =>
      JSON.stringify(
        Object.entries(record)
          .filter(([, value]) => value !== undefined)
          .sort(([a], [b]) => (a < b ? -1 : 1)),
      ),
    )
    .sort();
}
