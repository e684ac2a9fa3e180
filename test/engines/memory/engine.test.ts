import { expect, test } from "vitest";
import { memoryEngine } from "../../../src/engines/memory/engine.ts";
import { MemoryStore } from "../../../src/engines/memory/store.ts";
import type { Engine } from "../../../src/engine.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";

const instance = { id: "i", host: "h", pid: 1, version: "1", startedAt: 0 };
const start = (engine: Engine, clock = new VirtualClock(), id = "i") =>
  engine.start({ clock, instance: { ...instance, id }, lease: 1_000 });

test("engines without a store of their own do not see each other", async () => {
  const [one, other] = [memoryEngine(), memoryEngine()];
  await start(one);
  await start(other);
  await one.state.set("k", "v");
  expect(await other.state.get("k")).toBe(undefined);
});

test("a store outlives its engine values and takes the clock of who comes next", async () => {
  const store = new MemoryStore("m");
  const first = memoryEngine({ store });
  await start(first, new VirtualClock(1_000));
  await first.queue.publish([{ event: "e", payload: "{}", priority: 1, due: 0 }]);
  await first.stop();
  const second = memoryEngine({ store });
  await start(second, new VirtualClock(2_000));
  expect(second.now()).toBe(2_000);
  expect((await second.deadLetters.list({})).map(({ id }) => id)).toEqual(["m-1"]);
});

test("starting twice, with an id that is alive, and calling before start are refused by code", async () => {
  const store = new MemoryStore();
  const engine = memoryEngine({ store });
  await expect(engine.state.get("k")).rejects.toMatchObject({ code: "ENGINE_NOT_STARTED" });
  await start(engine);
  await expect(start(engine)).rejects.toMatchObject({ code: "ENGINE_STARTED" });
  await expect(start(memoryEngine({ store }))).rejects.toMatchObject({ code: "ENGINE_INSTANCE_TAKEN" });
});

test("a replayed message that had expired runs: who replays it wants it to", async () => {
  const engine = memoryEngine();
  const clock = new VirtualClock();
  await start(engine, clock);
  await engine.queue.publish([{ event: "e", payload: "{}", priority: 1, due: 0, expires: engine.now() }]);
  await engine.queue.subscribe([{ handler: "h", topic: "e" }]);
  await engine.deadLetters.replay({});
  const { claims } = await engine.queue.claim([{ handler: "h", limit: 1 }]);
  expect(claims[0]?.expires).toBe(undefined);
});

test("claims cost the same with a backlog of six thousand and of a hundred thousand", async () => {
  const cost = async (backlog: number) => {
    const engine = memoryEngine();
    await start(engine);
    await engine.queue.subscribe([{ handler: "h", topic: "e" }]);
    const due = engine.now();
    const one = (n: number) => ({
      event: "e",
      payload: "{}",
      priority: n % 7,
      due: due + (n % 3) * 9e9,
      key: `k${n % 97}`,
    });
    await engine.queue.publish(
      Array.from({ length: backlog }, (_, n) => ({ ...one(n), key: n % 2 ? one(n).key : undefined })),
    );
    const began = performance.now();
    for (let n = 0; n < 2_000; n++) {
      const { claims } = await engine.queue.claim([{ handler: "h", limit: 1 }]);
      await engine.queue.settle(claims.map((claim) => ({ claim, kind: "done" }) as const));
    }
    return performance.now() - began;
  };
  await cost(6_000);
  const [small, large] = [await cost(6_000), await cost(100_000)];
  // Work that grows with the backlog would be 200 million steps here.
  expect(large).toBeLessThan(small * 20 + 150);
});
