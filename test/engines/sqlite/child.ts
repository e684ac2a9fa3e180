/* A process of its own on a data file: does what the test tells it, by messages. Killed at will. */
import { systemClock } from "../../../src/clock.ts";
import type { Claim, NewMessage } from "../../../src/engine.ts";
import { sqliteEngine } from "../../../src/engines/sqlite/engine.ts";

/** What a child can be told. */
export type Order =
  | { readonly do: "publish"; readonly messages: readonly NewMessage[] }
  /** One message after another until it is killed; tells each id once it is acknowledged. */
  | { readonly do: "publishForever" }
  | { readonly do: "claim"; readonly limit: number }
  /** Claims and settles until nothing is left; answers what it handled. */
  | { readonly do: "work" }
  | { readonly do: "send"; readonly channel: string; readonly body: string }
  | { readonly do: "stop" };

const [, , path = "", id = ""] = process.argv;
const engine = sqliteEngine(`sqlite:${path}`);
await engine.start({
  clock: systemClock,
  instance: { id, host: "host", pid: process.pid, version: "1.0.0", startedAt: Date.now() },
  lease: 30_000,
});
await engine.queue.subscribe([{ handler: "h", topic: "e" }]);
process.on("message", (order: Order) => void answer(order));
process.send?.("ready");

async function answer(order: Order): Promise<void> {
  process.send?.({ result: await obey(order) });
  if (order.do === "stop") process.disconnect();
}

async function obey(order: Order): Promise<unknown> {
  switch (order.do) {
    case "publish":
      return engine.queue.publish(order.messages);
    case "publishForever":
      for (let n = 0; ; n++) {
        const [published] = await engine.queue.publish([
          { event: "e", payload: String(n), priority: 0, due: 0 },
        ]);
        process.send?.({ acknowledged: published?.id });
      }
    case "claim":
      return (await engine.queue.claim([{ handler: "h", limit: order.limit }])).claims;
    case "work":
      return work();
    case "send":
      return engine.signals.send(order.channel, order.body);
    case "stop":
      return engine.stop();
  }
}

async function work(): Promise<Claim[]> {
  const handled: Claim[] = [];
  for (;;) {
    const { claims } = await engine.queue.claim([{ handler: "h", limit: 7 }]);
    if (claims.length === 0) return handled;
    handled.push(...claims);
    await engine.queue.settle(claims.map((claim) => ({ claim, kind: "done" })));
  }
}
