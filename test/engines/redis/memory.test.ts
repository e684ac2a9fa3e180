import { randomUUID } from "node:crypto";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import type { Engine } from "../../../src/engine.ts";
import { redisEngine } from "../../../src/engines/redis/engine.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { message } from "../sqlite/data-dir.ts";
import { noBinary, PrivateServer } from "./private-server.ts";

const COUNT = 100_000;

describe.skipIf(noBinary !== "")(`what it keeps in memory${noBinary}`, () => {
  test("a hundred thousand messages take what the docs say, and nothing of them is left when they are done", async () => {
    const server = await PrivateServer.start();
    onTestFinished(() => server.dispose());
    const engine = await start(server, "one");
    await engine.queue.subscribe([{ handler: "h", topic: "e" }]);
    await work(engine, 100);
    const keysBefore = (await server.ask("keys", "*")) as string[];
    const before = await usedBy(server);
    const payload = JSON.stringify({ text: "x".repeat(189) });
    for (let n = 0; n < COUNT; n += 1_000)
      await engine.queue.publish(Array.from({ length: 1_000 }, () => message({ payload })));
    const each = ((await usedBy(server)) - before) / COUNT;
    console.log(`a message of ${payload.length} bytes takes ${Math.round(each)} bytes in the server`);
    expect(each).toBeLessThan(2 * payload.length + 100);
    await work(engine, COUNT);
    // Those that failed, waited, had a key, died or were told apart leave nothing, either.
    for (let n = 0; n < 200; n++) await misfortune(engine, n);
    await engine.deadLetters.discard({ limit: Number.POSITIVE_INFINITY });
    const keysAfter = (await server.ask("keys", "*")) as string[];
    const fields = await Promise.all(
      keysAfter
        .filter((key) => key.endsWith(":x") || key.endsWith(":l"))
        .map((key) => server.ask("hlen", key)),
    );
    expect(fields).toEqual([]);
    // The count of deaths, and the last windows of dedupe, in two keys.
    expect(keysAfter.length).toBeLessThanOrEqual(keysBefore.length + 3);
    const left = (await usedBy(server)) - before;
    expect(left).toBeLessThan(1_000_000);
  }, 60_000);

  test("what falls due all at once is counted without holding up the server, and delivered", async () => {
    const server = await PrivateServer.start();
    onTestFinished(() => server.dispose());
    const clock = new VirtualClock();
    const engine = await start(server, "one", clock);
    await engine.queue.subscribe([{ handler: "h", topic: "e" }]);
    await work(engine, 100);
    const before = await usedBy(server);
    const due = engine.now() + 60_000;
    const payload = JSON.stringify({ text: "x".repeat(189) });
    for (let n = 0; n < COUNT; n += 1_000)
      await engine.queue.publish(Array.from({ length: 1_000 }, () => message({ payload, due })));
    const each = ((await usedBy(server)) - before) / COUNT;
    console.log(`a delayed message of ${payload.length} bytes takes ${Math.round(each)} bytes in the server`);
    expect(each).toBeLessThan(2.5 * payload.length + 100);
    expect(await engine.queue.subscriptions()).toMatchObject([{ ready: 0, waiting: COUNT }]);
    await clock.advance("2m");
    await server.ask("config", "set", "slowlog-log-slower-than", 200_000);
    await server.ask("slowlog", "reset");
    expect(await engine.queue.subscriptions()).toMatchObject([{ ready: COUNT, waiting: 0 }]);
    expect(await engine.queue.list({ state: "waiting" })).toEqual([]);
    expect(await engine.queue.list({ state: "ready", limit: COUNT })).toHaveLength(COUNT);
    expect(await server.ask("slowlog", "get")).toEqual([]);
    await work(engine, COUNT);
  }, 60_000);

  test("many starts of processes leave nothing behind", async () => {
    const server = await PrivateServer.start();
    onTestFinished(() => server.dispose());
    for (let n = 0; n < 30; n++) {
      const engine = await start(server, `start ${n}`);
      await engine.queue.subscribe([{ handler: "h", topic: "e" }]);
      await work(engine, 5);
      await engine.stop();
    }
    for (const part of ["i", "s", "b"]) expect(await server.ask("hlen", `{df}:${part}`)).toBe(0);
    expect(await server.ask("hlen", "{df:h}:o")).toBe(0);
    expect(((await server.ask("keys", "*")) as string[]).length).toBeLessThan(8);
  });
});

async function start(server: PrivateServer, id: string, time?: VirtualClock): Promise<Engine> {
  const engine = redisEngine(`redis://127.0.0.1:${server.port}`, time && { time });
  const instance = { id: `${id} ${randomUUID()}`, host: "host", pid: 1, version: "1", startedAt: Date.now() };
  onTestFinished(() => engine.stop());
  await engine.start({ clock: time ?? systemClock, instance, lease: 30_000 });
  return engine;
}

/** Publishes if need be, and handles so many. */
async function work(engine: Engine, count: number): Promise<void> {
  if ((await engine.queue.list({ limit: 1 })).length === 0)
    await engine.queue.publish(Array.from({ length: count }, () => message()));
  for (let left = count; left > 0;) {
    const { claims } = await engine.queue.claim([{ handler: "h", limit: 1_000 }]);
    await engine.queue.settle(claims.map((claim) => ({ claim, kind: "done" })));
    left -= claims.length;
  }
}

async function misfortune(engine: Engine, n: number): Promise<void> {
  const until = engine.now() + 1;
  const [published] = await engine.queue.publish([
    message({ key: `key ${n}`, dedupe: { key: `d ${n}`, until } }),
    message({ due: engine.now() + 3_600_000 }),
  ]);
  const error = { attempt: 1, at: 0, name: "Error", message: "no" };
  for (let attempt = 0; attempt < 3; attempt++) {
    const { claims } = await engine.queue.claim([{ handler: "h", limit: 1 }]);
    for (const claim of claims) {
      await engine.queue.saveStep(claim, "s", "1");
      const at = engine.now();
      const kind = attempt === 2 ? (n % 2 === 0 ? "done" : "dead") : "retry";
      await engine.queue.settle([
        kind === "done"
          ? { claim, kind }
          : kind === "dead"
            ? { claim, kind, reason: "fatal", error }
            : { claim, kind, at, error },
      ]);
    }
  }
  expect(published?.duplicate).toBe(false);
  for (const { id } of await engine.queue.list({})) await engine.queue.cancel(id);
}

async function usedBy(server: PrivateServer): Promise<number> {
  const info = String(await server.ask("info", "memory"));
  return Number(/used_memory:(\d+)/.exec(info)?.[1]);
}
