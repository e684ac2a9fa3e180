import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import type { Claim, Engine, NewMessage } from "../../../src/engine.ts";
import { redisEngine } from "../../../src/engines/redis/engine.ts";
import { FaultProxy, type ProxyMode } from "../proxy.ts";
import { message, until } from "../sqlite/data-dir.ts";
import { noBinary, PrivateServer } from "./private-server.ts";

const WANT = [{ handler: "h", limit: 100 }];

/** Starts an engine with the handler `h` on the event `e`; stopped with its test. */
async function start(url: string, lease = 30_000): Promise<Engine> {
  const engine = redisEngine(url);
  const id = randomUUID();
  const instance = { id, host: "host", pid: process.pid, version: "1", startedAt: Date.now() };
  onTestFinished(() => engine.stop());
  await engine.start({ clock: systemClock, instance, lease });
  await engine.queue.subscribe([{ handler: "h", topic: "e" }]);
  return engine;
}

async function claim(engine: Engine): Promise<readonly Claim[]> {
  return (await engine.queue.claim(WANT)).claims;
}

async function publish(engine: Engine, fields: Partial<NewMessage> = {}): Promise<string> {
  const [published] = await engine.queue.publish([message(fields)]);
  return published?.id ?? "";
}

/** Claims until nothing is left, whatever fails on the way; answers the ids of what was done. */
async function drain(engine: Engine): Promise<string[]> {
  const done: string[] = [];
  for (;;) {
    const claims = await claim(engine).catch(() => undefined);
    if (claims?.length === 0) return done;
    if (claims === undefined) continue;
    await engine.queue.settle(claims.map((each) => ({ claim: each, kind: "done" })));
    done.push(...claims.map(({ id }) => id));
  }
}

describe.skipIf(noBinary !== "")(`a connection that fails${noBinary}`, () => {
  let server: PrivateServer;
  let proxy: FaultProxy;
  let prefix = 0;
  beforeAll(async () => {
    server = await PrivateServer.start(["--appendonly", "yes"]);
    proxy = await FaultProxy.start("127.0.0.1", server.port);
  });
  afterAll(async () => {
    await proxy.close();
    await server.dispose();
  });
  const url = (parameters = "timeout=8s"): string =>
    `redis://127.0.0.1:${proxy.port}?prefix=p${++prefix}&${parameters}`;
  const fail = (mode: ProxyMode): void => {
    proxy.set(mode);
    onTestFinished(() => proxy.set("pass"));
  };

  test("that is refused: publishing waits for it, and fails clearly when the time is up", async () => {
    const engine = await start(url("timeout=1s"));
    fail("refuse");
    await expect(engine.check()).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    const failed = await engine.queue.publish([message()]).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "ENGINE_UNAVAILABLE", retryable: true });
    const waiting = publish(engine);
    proxy.set("pass");
    const id = await waiting;
    expect((await claim(engine)).map((each) => each.id)).toEqual([id]);
    await until("it is well again", () =>
      engine.check().then(
        () => true,
        () => false,
      ),
    );
  });

  test("that is cut before the answer: nothing is stored twice, and nothing is lost", async () => {
    const engine = await start(url());
    const ids: string[] = [];
    for (let round = 0; round < 10; round++) {
      proxy.set(round % 2 === 0 ? "mute" : "cut");
      ids.push(await publish(engine));
    }
    expect(new Set(ids).size).toBe(10);
    expect((await claim(engine)).map(({ id }) => id)).toEqual(ids);
  });

  test("that is cut during a batch of many: all of it is stored once, or nothing", async () => {
    const engine = await start(url());
    proxy.set("mute");
    const messages = Array.from({ length: 500 }, (_, n) => message({ payload: String(n) }));
    await engine.queue.publish(messages);
    const claims = await engine.queue.claim([{ handler: "h", limit: 1_000 }]);
    expect(claims.claims.map(({ payload }) => payload)).toEqual(messages.map(({ payload }) => payload));
  });

  test("that is cut in the middle of a claim: what was taken is given back, its attempt not spent", async () => {
    const engine = await start(url());
    const ids = [await publish(engine), await publish(engine)];
    proxy.set("mute");
    await expect(claim(engine)).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    const claims = await claim(engine);
    expect(claims.map(({ id, attempt }) => [id, attempt])).toEqual(ids.map((id) => [id, 1]));
    proxy.set("cut");
    await expect(engine.queue.settle(claims.map((each) => ({ claim: each, kind: "done" })))).resolves.toEqual(
      [true, true],
    );
    expect(await engine.queue.list({})).toEqual([]);
  });

  test("whose notices are lost: what is published is found by looking, within seconds", async () => {
    const engine = await start(url());
    const other = await start(`redis://127.0.0.1:${server.port}?prefix=p${prefix}`);
    let woken = 0;
    engine.queue.onWake(() => woken++);
    fail("refuse");
    await publish(other);
    woken = 0;
    proxy.set("pass");
    // It looks each five seconds.
    await until("it wakes", () => woken > 0, 25_000);
    expect(await claim(engine)).toHaveLength(1);
  });
});

describe.skipIf(noBinary !== "")(`a server that fails${noBinary}`, () => {
  async function serve(options: readonly string[] = []): Promise<PrivateServer> {
    const server = await PrivateServer.start(options);
    onTestFinished(() => server.dispose());
    return server;
  }

  test("that stands still and goes on: the same connections go on, or new ones do", async () => {
    const server = await serve();
    const engine = await start(`redis://127.0.0.1:${server.port}?timeout=20s`);
    server.freeze(true);
    const publishing = publish(engine);
    await expect(engine.check()).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    server.freeze(false);
    const id = await publishing;
    expect((await claim(engine)).map((each) => each.id)).toEqual([id]);
  });

  test("that has lost its last moments gives no instance the number of another that lives", async () => {
    const server = await serve(["--appendonly", "yes"]);
    const url = `redis://127.0.0.1:${server.port}`;
    const one = await start(url);
    await server.ask("hdel", "{df}:i", 1);
    await server.ask("hincrby", "{df}:m", "instances", -1);
    await server.kill();
    await server.up();
    const two = await start(url);
    await one.presence.beat();
    await publish(one);
    await publish(one);
    const claims: (readonly [Engine, Claim | undefined])[] = [];
    for (const engine of [one, two])
      claims.push([engine, (await engine.queue.claim([{ handler: "h", limit: 1 }])).claims[0]]);
    expect(new Set(claims.map(([, each]) => each?.token)).size).toBe(2);
    const settled = claims.map(async ([engine, each]) =>
      each ? engine.queue.settle([{ claim: each, kind: "done" }]) : [],
    );
    expect(await Promise.all(settled)).toEqual([[true], [true]]);
  }, 30_000);

  test("whose content a newer version has changed is left alone by a replica of this one", async () => {
    const server = await serve();
    const url = `redis://127.0.0.1:${server.port}`;
    const engine = await start(url);
    await publish(engine);
    await server.ask("hset", "{df}:m", "format", "2", "version", "7");
    const schema = expect.objectContaining({ code: "ENGINE_SCHEMA", retryable: false }) as Error;
    await expect(publish(engine)).rejects.toEqual(schema);
    await expect(claim(engine)).rejects.toEqual(schema);
    await expect(engine.presence.sweep()).rejects.toEqual(schema);
    await expect(start(url)).rejects.toEqual(schema);
    expect(await server.ask("zcard", "{df:h}:r")).toBe(1);
  });

  test("that comes back without its data: nothing is accepted, and it says why", async () => {
    const server = await serve();
    const engine = await start(`redis://127.0.0.1:${server.port}?timeout=5s`);
    await publish(engine);
    await server.kill();
    await server.up();
    await expect(publish(engine)).rejects.toMatchObject({ code: "ENGINE_STORE_LOST" });
    await until("all is refused", () =>
      claim(engine).then(
        () => false,
        (error) => error.code === "ENGINE_STORE_LOST",
      ),
    );
    await expect(engine.check()).rejects.toMatchObject({ code: "ENGINE_STORE_LOST" });
    await expect(engine.presence.beat()).rejects.toMatchObject({ code: "ENGINE_STORE_LOST" });
    const fresh = await start(`redis://127.0.0.1:${server.port}`);
    await publish(fresh);
    expect(await claim(fresh)).toHaveLength(1);
  });

  test("whose memory is full: publishing is refused, work goes on, and what was refused can be stored then", async () => {
    const server = await serve();
    const engine = await start(`redis://127.0.0.1:${server.port}?timeout=2s`);
    const payload = JSON.stringify("x".repeat(10_000));
    const ids: string[] = [];
    for (let n = 0; n < 50; n++) ids.push(await publish(engine, { payload }));
    const [waits] = await claim(engine);
    await server.ask("config", "set", "maxmemory", "1mb");
    const full = { code: "ENGINE_FULL", retryable: true };
    await expect(publish(engine)).rejects.toMatchObject(full);
    await expect(engine.check()).rejects.toMatchObject(full);
    await expect(engine.state.set("k", "v")).rejects.toMatchObject(full);
    expect(await engine.presence.beat()).toBe(true);
    expect(await engine.presence.sweep()).toBe(0);
    expect(waits?.id).toBe(ids[0]);
    const held = (await engine.presence.instances())[0]?.running;
    expect(held).toBe(50);
    await server.ask("config", "set", "maxmemory", "0");
    await publish(engine);
    await engine.check();
  });

  test("whose memory is full takes settlements of every kind, and claims", async () => {
    const server = await serve();
    const engine = await start(`redis://127.0.0.1:${server.port}?timeout=2s`);
    for (let n = 0; n < 5; n++) await publish(engine, n === 4 ? { key: "k" } : {});
    await server.ask("config", "set", "maxmemory", "1mb");
    const [one, two, three, four, five] = await claim(engine);
    if (!one || !two || !three || !four || !five) throw new Error("five were published");
    const error = { attempt: 1, at: 0, name: "Error", message: "no" };
    const at = engine.now();
    const settled = await engine.queue.settle([
      { claim: one, kind: "done" },
      { claim: two, kind: "retry", at, error },
      { claim: three, kind: "dead", reason: "fatal", error },
      { claim: four, kind: "snooze", at },
      { claim: five, kind: "release" },
    ]);
    expect(settled).toEqual([true, true, true, true, true]);
    expect((await claim(engine)).map(({ id }) => id)).toEqual([two.id, four.id, five.id]);
    expect(await engine.deadLetters.count({})).toBe(1);
  });

  test("that cannot write its snapshot takes nothing, and all that it had when it can again", async () => {
    const server = await serve(["--save", "3600 1"]);
    const engine = await start(`redis://127.0.0.1:${server.port}?timeout=2s`);
    const stored = await publish(engine);
    const [, directory] = (await server.ask("config", "get", "dir")) as [string, string]; // as Redis answers
    const saved = async (status: string): Promise<void> => {
      await server.ask("bgsave");
      await until(`the last snapshot is ${status}`, async () =>
        String(await server.ask("info", "persistence")).includes(`rdb_last_bgsave_status:${status}`),
      );
    };
    // A folder that stands in the snapshot's place cannot be replaced by it.
    mkdirSync(join(directory, "dump.rdb"));
    await saved("err");
    const full = { code: "ENGINE_FULL", retryable: true, message: expect.stringContaining("disk") as string };
    await expect(publish(engine)).rejects.toMatchObject(full);
    await expect(claim(engine)).rejects.toMatchObject(full);
    await expect(engine.check()).rejects.toMatchObject(full);
    rmdirSync(join(directory, "dump.rdb"));
    await saved("ok");
    await engine.check();
    expect(await drain(engine)).toEqual([stored]);
  });

  test.each(["allkeys-lru", "volatile-lru"])(
    "that drops keys when its memory is full (%s) is refused",
    async (policy) => {
      const server = await serve(["--maxmemory-policy", policy]);
      await expect(start(`redis://127.0.0.1:${server.port}`)).rejects.toMatchObject({
        code: "ENGINE_EVICTS",
      });
    },
  );

  test("that does not sync each write is refused where that was asked for, and says what it can lose", async () => {
    const server = await serve(["--appendonly", "yes"]);
    const url = `redis://127.0.0.1:${server.port}`;
    await expect(start(`${url}?durability=strict`)).rejects.toMatchObject({ code: "ENGINE_NOT_STRICT" });
    const engine = await start(url);
    expect(engine.location).toContain("appendfsync everysec");
    expect(engine.capabilities.strict).toBe(false);
  });

  test("that lets nobody see its configuration is used, and says what it does not know", async () => {
    const server = await serve(["--appendonly", "yes", "--rename-command", "CONFIG", ""]);
    const engine = await start(`redis://127.0.0.1:${server.port}`);
    expect(engine.location).toContain("cannot be read");
  });

  test("that is a replica is refused, with the address of its master", async () => {
    const master = await serve();
    const replica = await serve(["--replicaof", `127.0.0.1 ${master.port}`]);
    await expect(start(`redis://127.0.0.1:${replica.port}?timeout=1s`)).rejects.toThrow(String(master.port));
  });

  test("that becomes a replica says so, and all goes on when it is the master again", async () => {
    const server = await serve();
    const engine = await start(`redis://127.0.0.1:${server.port}?timeout=1s`);
    const away = expect.objectContaining({ code: "ENGINE_UNAVAILABLE", retryable: true }) as Error;
    // Of a master that is not there, so that it keeps what it has.
    await server.ask("replicaof", "127.0.0.1", 1);
    await expect(publish(engine)).rejects.toEqual(away);
    // It looks for the master on a new connection each time; the regular look at the server meets one that ends.
    for (let n = 0; n < 5; n++) await expect(engine.check()).rejects.toEqual(away);
    await server.ask("replicaof", "no", "one");
    await publish(engine);
    await engine.check();
  }, 30_000);

  test("that does not let the user see what it is says what is missing", async () => {
    const server = await serve();
    await server.ask("acl", "setuser", "app", "on", "nopass", "~*", "&*", "+@all", "-info");
    await expect(start(`redis://app:x@127.0.0.1:${server.port}?timeout=1s`)).rejects.toMatchObject({
      code: "ENGINE_DENIED",
    });
  });

  test("that refuses the password says so at once, without it", async () => {
    const server = await serve(["--requirepass", "right"]);
    const at = `127.0.0.1:${server.port}`;
    for (const login of ["", ":wrong@", "nobody:wrong@"]) {
      const began = performance.now();
      const failed: unknown = await start(`redis://${login}${at}`).catch((error: unknown) => error);
      expect(failed).toMatchObject({ code: "ENGINE_DENIED" });
      expect(String(failed)).not.toContain("wrong@");
      expect(performance.now() - began).toBeLessThan(3_000);
    }
    const engine = await start(`redis://:right@${at}`);
    expect(engine.location).not.toContain("right");
  });

  test("that has no such database says so", async () => {
    const server = await serve(["--databases", "2"]);
    await expect(start(`redis://127.0.0.1:${server.port}/5?timeout=2s`)).rejects.toMatchObject({
      code: "ENGINE_URL_INVALID",
    });
  });

  test("that is not there says so when the time is up", async () => {
    await expect(start("redis://127.0.0.1:1?timeout=500ms")).rejects.toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      retryable: true,
    });
  });

  // Each start needs two: the second start gets none, or one.
  test.each([2, 3])("that takes no more than %i connections says so", async (count) => {
    const server = await serve(["--maxclients", String(count)]);
    await start(`redis://127.0.0.1:${server.port}`);
    await expect(start(`redis://127.0.0.1:${server.port}?timeout=1s`)).rejects.toMatchObject({
      code: "ENGINE_UNAVAILABLE",
    });
  });

  test("that lets a user do only what the docs list is enough", async () => {
    const server = await serve();
    const page = readFileSync(join(import.meta.dirname, "../../../docs/engines/redis.md"), "utf8");
    const [, rule = ""] = /ACL SETUSER app ([^`]+)/.exec(page) ?? [];
    await server.ask("acl", "setuser", "app", ...rule.trim().split(/\s+/));
    const engine = await start(`redis://app:secret@127.0.0.1:${server.port}`);
    await publish(engine, { key: "k", dedupe: { key: "d", until: engine.now() + 1_000 } });
    expect(await drain(engine)).toHaveLength(1);
    await engine.limits.take("l", 1, 1_000);
    await engine.state.set("k", "v");
    await engine.signals.send("c", "x");
    await engine.presence.sweep();
    await engine.check();
    expect(await engine.transfer.isEmpty()).toBe(false);
  });
});
