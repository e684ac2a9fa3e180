import { expect, test } from "vitest";
import { Watchdog } from "../../src/delivery/watchdog.ts";
import { Consumer } from "../../src/delivery/consumer.ts";
import { memoryEngine } from "../../src/engines/memory/engine.ts";
import type { Engine } from "../../src/engine.ts";
import { createRegistry } from "../../src/index.ts";
import { bareEnvironment } from "../../src/pipeline/environment.ts";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import { silentLogger } from "../../src/log.ts";
import { VirtualClock } from "../../src/testing/index.ts";

/** A started engine whose wakes and claims can be swallowed, as by a connection that is half open. */
async function setup() {
  const clock = new VirtualClock();
  const inner = memoryEngine();
  const instance = { id: "test", host: "h", pid: 1, version: "0", startedAt: 0 };
  await inner.start({ clock, instance, lease: 30_000 });
  const line = { cut: false, claims: 0 };
  const queue = new Proxy(inner.queue, {
    get(target, key) {
      const method: unknown = Reflect.get(target, key);
      if (key === "claim") {
        return (wants: Parameters<typeof target.claim>[0]) => {
          line.claims++;
          return line.cut ? new Promise(() => {}) : target.claim(wants);
        };
      }
      return typeof method === "function" ? method.bind(target) : method;
    },
  });
  const engine: Engine = new Proxy(inner, {
    get(target, key) {
      if (key === "queue") return queue;
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const registry = createRegistry();
  const got: unknown[] = [];
  registry.on("e", { name: "h" }).execute((payload) => void got.push(payload));
  const pipeline = new Pipeline({ ...bareEnvironment(), clock, log: silentLogger });
  const consumer = new Consumer(engine, pipeline, {
    dying: async () => {},
    ran: async () => {},
    ended: async () => {},
  });
  await inner.queue.subscribe([{ handler: "h", topic: "e" }]);
  for (const handler of registry.list()) consumer.add(handler);
  consumer.start();
  const watchdog = new Watchdog(engine, consumer, pipeline.environment);
  watchdog.start();
  const publish = (payload: number) =>
    inner.queue.publish([{ event: "e", payload: String(payload), priority: 0, due: clock.now() }]);
  const stop = async (): Promise<void> => {
    watchdog.stop();
    consumer.pause();
    await inner.stop();
  };
  await clock.advance(0);
  return { clock, line, got, watchdog, publish, stop };
}

test("a claim that is never answered is asked again, and work goes on", async () => {
  const { clock, line, got, watchdog, publish, stop } = await setup();
  line.cut = true;
  await publish(1);
  await clock.advance("5s");
  line.cut = false;
  await clock.advance("20s");
  expect(got).toEqual([]);
  await clock.advance("20s");
  expect(got).toEqual([1]);
  expect(watchdog.stalled).toBeUndefined();
  await stop();
});

test("when that does not help, /live is to fail; it recovers when work goes on", async () => {
  const { clock, line, got, watchdog, publish, stop } = await setup();
  line.cut = true;
  await publish(1);
  await clock.advance("50s");
  expect(watchdog.stalled).toBeUndefined();
  await clock.advance("40s");
  expect(watchdog.stalled).toMatch(/Work is ready, and nothing has been begun for 1m/);
  line.cut = false;
  await clock.advance("30s");
  expect(got).toEqual([1]);
  expect(watchdog.stalled).toBeUndefined();
  await stop();
});

test("an app without work is left alone", async () => {
  const { clock, line, watchdog, stop } = await setup();
  const claims = line.claims;
  await clock.advance("1h");
  expect(line.claims).toBe(claims);
  expect(watchdog.stalled).toBeUndefined();
  await stop();
});
