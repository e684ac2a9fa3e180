import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import type { Engine, NewMessage } from "../../../src/engine.ts";
import { redisEngine } from "../../../src/engines/redis/engine.ts";
import { message, until } from "../sqlite/data-dir.ts";
import { noBinary, PrivateCluster, type PrivateServer } from "./private-server.ts";

async function serve(replicas = 0): Promise<PrivateCluster> {
  const cluster = await PrivateCluster.start(3, replicas);
  onTestFinished(() => cluster.dispose());
  return cluster;
}

async function start(url: string, handlers: readonly string[]): Promise<Engine> {
  const engine = redisEngine(url);
  const instance = { id: randomUUID(), host: "host", pid: 1, version: "1", startedAt: Date.now() };
  onTestFinished(() => engine.stop());
  await engine.start({ clock: systemClock, instance, lease: 30_000 });
  await engine.queue.subscribe(handlers.map((handler) => ({ handler, topic: "e" })));
  return engine;
}

async function publish(engine: Engine, fields: Partial<NewMessage> = {}): Promise<string> {
  const [published] = await engine.queue.publish([message(fields)]);
  return published?.id ?? "";
}

async function claimed(engine: Engine, handler: string): Promise<string[]> {
  const { claims } = await engine.queue.claim([{ handler, limit: 1_000 }]);
  await engine.queue.settle(claims.map((claim) => ({ claim, kind: "done" })));
  return claims.map(({ payload }) => payload);
}

/** A handler on another server than the root, so that one can fail without the other. */
async function elsewhere(
  cluster: PrivateCluster,
  prefix: string,
): Promise<{ handler: string; server: PrivateServer }> {
  const root = await cluster.masterOf(`{${prefix}}`);
  const handler = await onServer(cluster, prefix, (server) => server !== root);
  const server = await cluster.masterOf(`{${prefix}:${handler}}`);
  if (!server) throw new Error("its slot is served");
  return { handler, server };
}

/** The name of a handler whose server fits. */
async function onServer(
  cluster: PrivateCluster,
  prefix: string,
  fits: (server: PrivateServer) => boolean,
): Promise<string> {
  for (let n = 0; ; n++) {
    const server = await cluster.masterOf(`{${prefix}:h${n}}`);
    if (server && fits(server)) return `h${n}`;
  }
}

describe.skipIf(noBinary !== "")(`a cluster${noBinary}`, () => {
  test("what the handlers have is spread over its servers", async () => {
    const cluster = await serve();
    const handlers = Array.from({ length: 12 }, (_, n) => `handler.${n}`);
    const engine = await start(cluster.url("spread"), handlers);
    await publish(engine);
    const counts = await Promise.all(
      cluster.servers.map(async (server) => ((await server.ask("keys", "{spread:*}:r")) as string[]).length),
    );
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(12);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  test("a message for several is brought to all of them, once, though its publisher dies in the middle", async () => {
    const cluster = await serve();
    const { handler: far, server } = await elsewhere(cluster, "half");
    const engine = await start(cluster.url("half"), ["near", far]);
    const child = fork(join(import.meta.dirname, "publisher.ts"), [cluster.url("half"), "victim"], {
      execArgv: [],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    await once(child, "message");
    server.freeze(true);
    child.send('"half"');
    const near: string[] = [];
    await until(
      "the one has it",
      async () => near.push(...(await claimed(engine, "near").catch(() => []))) > 0,
    );
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
    server.freeze(false);
    await until("the other has it too", async () => {
      await engine.presence.beat().catch(() => {});
      await engine.presence.sweep().catch(() => {});
      return (await engine.queue.list({ handler: far }).catch(() => [])).length > 0;
    });
    expect(await claimed(engine, far)).toEqual(['"half"']);
    // What had arrived does not arrive again.
    expect([...near, ...(await claimed(engine, "near"))]).toEqual(['"half"']);
    expect(await engine.queue.list({})).toEqual([]);
  }, 40_000);

  test("a root that has lost the last numbers that it gave gives none of them again", async () => {
    const cluster = await serve();
    const { handler } = await elsewhere(cluster, "again");
    const root = await cluster.masterOf("{again}");
    const engine = await start(cluster.url("again"), [handler]);
    const due = engine.now() + 500;
    const ids = [await publish(engine, { payload: "1", due })];
    await root?.ask("decr", "{again}:n");
    await root?.kill();
    await root?.up();
    ids.push(await publish(engine, { payload: "2", due }));
    expect(new Set(ids).size).toBe(2);
    const handled: string[] = [];
    await until("both come", async () => {
      handled.push(...(await claimed(engine, handler).catch(() => [])));
      return handled.length === 2;
    });
  }, 30_000);

  test("a server that is down holds up those whose handlers are there, and nobody else", async () => {
    const cluster = await serve();
    const { handler: far, server } = await elsewhere(cluster, "apart");
    const other = await start(cluster.url("apart"), []);
    const near = await onServer(cluster, "apart", (candidate) => candidate !== server);
    await other.queue.subscribe([
      { handler: far, topic: "far" },
      { handler: near, topic: "near" },
    ]);
    server.freeze(true);
    const held = publish(other, { event: "far" });
    for (let n = 0; n < 20; n++) await publish(other, { event: "near" });
    expect(await claimed(other, near)).toHaveLength(20);
    server.freeze(false);
    await held;
    await until("it is there", async () => (await claimed(other, far).catch(() => [])).length > 0);
  }, 40_000);

  test("a master that dies is followed by its replica: nothing that a replica had confirmed is lost, and work goes on", async () => {
    const cluster = await serve(1);
    const { handler, server } = await elsewhere(cluster, "over");
    const url = `${cluster.url("over")}&wait=1&timeout=20s`;
    const engine = await start(url, [handler]);
    const acknowledged = new Set<string>();
    const handled = new Set<string>();
    let over = false;
    let n = 0;
    const publishing = Promise.all(
      Array.from({ length: 5 }, async () => {
        while (!over) {
          const payload = String(++n);
          // One whose answer was lost with its server may have been stored, and may not.
          if (await publish(engine, { payload }).catch(() => "")) acknowledged.add(payload);
        }
      }),
    );
    try {
      await until("it works", () => acknowledged.size > 50);
      await server.kill();
      const died = performance.now();
      const before = acknowledged.size;
      await until("another has its place", async () => {
        const master = await cluster.masterOf(`{over:${handler}}`, server).catch(() => server);
        return master !== undefined && master !== server;
      });
      console.log(`a dead master was replaced after ${Math.round(performance.now() - died)} ms`);
      // It comes back as a replica of the other: with none, nothing can be confirmed.
      await server.up();
      await until("it works again", () => acknowledged.size > before + 20, 20_000);
      console.log(`and publishing went on after ${Math.round(performance.now() - died)} ms`);
    } finally {
      over = true;
      await publishing;
    }
    const deadline = performance.now() + 10_000;
    for (;;) {
      const more = await claimed(engine, handler).catch(() => undefined);
      for (const payload of more ?? []) handled.add(payload);
      if (more?.length === 0 || performance.now() > deadline) break;
    }
    expect([...acknowledged].filter((payload) => !handled.has(payload))).toEqual([]);
    await until("it is well", () =>
      engine.check().then(
        () => true,
        () => false,
      ),
    );
  }, 60_000);

  test.each<[string, (prefix: string, handler: string) => string]>([
    ["a handler's", (prefix, handler) => `{${prefix}:${handler}}`],
    ["the root's", (prefix) => `{${prefix}}`],
  ])(
    "%s slot that moves to another server is followed, and whoever calls meanwhile waits",
    async (_, nameOf) => {
      const cluster = await serve();
      const { handler } = await elsewhere(cluster, "moves");
      const engine = await start(cluster.url("moves"), [handler]);
      const ids = [await publish(engine, { payload: "1" })];
      const key = nameOf("moves", handler);
      const server = await cluster.masterOf(key);
      const target = cluster.servers.find((other) => other !== server);
      if (!server || !target) throw new Error("there are three");
      let meanwhile: Promise<string> | undefined;
      await moveSlot(cluster, key, server, target, async () => {
        const before = await putOff(cluster);
        meanwhile ??= publish(engine, { payload: "2" });
        // At each step of the move somebody asks, and is told to come again.
        await until("a call is put off", async () => (await putOff(cluster)) > before);
      });
      ids.push((await meanwhile) ?? "", await publish(engine, { payload: "3" }));
      expect(new Set(ids).size).toBe(3);
      expect(await claimed(engine, handler)).toEqual(["1", "2", "3"]);
    },
    30_000,
  );
});

/** How often servers have said TRYAGAIN. */
async function putOff(cluster: PrivateCluster): Promise<number> {
  const all = await Promise.all(cluster.servers.map((server) => server.ask("info", "errorstats")));
  return all.reduce<number>(
    (sum, text) => sum + Number(/TRYAGAIN:count=(\d+)/.exec(String(text))?.[1] ?? 0),
    0,
  );
}

/** As `redis-cli --cluster reshard` does with one slot, key by key. @param between What happens before each step. */
async function moveSlot(
  cluster: PrivateCluster,
  key: string,
  from: PrivateServer,
  to: PrivateServer,
  between: () => Promise<void>,
): Promise<void> {
  const slot = Number(await from.ask("cluster", "keyslot", key));
  const [fromId, toId] = [String(await from.ask("cluster", "myid")), String(await to.ask("cluster", "myid"))];
  await to.ask("cluster", "setslot", slot, "importing", fromId);
  await from.ask("cluster", "setslot", slot, "migrating", toId);
  for (const name of (await from.ask("cluster", "getkeysinslot", slot, 1_000)) as string[]) {
    await between();
    // It is refused when the other has made a key of that name.
    await from.ask("migrate", "127.0.0.1", to.port, name, 0, 5_000);
  }
  await between();
  for (const server of cluster.servers) await server.ask("cluster", "setslot", slot, "node", toId);
}
