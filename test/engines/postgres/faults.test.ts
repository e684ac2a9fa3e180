import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Claim, Engine, NewMessage } from "../../../src/engine.ts";
import { FaultProxy, type ProxyMode } from "../proxy.ts";
import { message, until } from "../sqlite/data-dir.ts";
import { noBinary, PrivateServer } from "./private-server.ts";
import { ask, newSchema, server, startEngine, testSchema, urlOf } from "./server.ts";

const WANT = [{ handler: "h", limit: 100 }];

async function claim(engine: Engine): Promise<readonly Claim[]> {
  return (await engine.queue.claim(WANT)).claims;
}

async function publish(engine: Engine, fields: Partial<NewMessage> = {}): Promise<string> {
  const [published] = await engine.queue.publish([message(fields)]);
  return published?.id ?? "";
}

function isWell(engine: Engine): Promise<boolean> {
  return engine.check().then(
    () => true,
    () => false,
  );
}

/** Claims until nothing is left, whatever fails on the way; answers the ids of what was done. */
async function drain(engine: Engine): Promise<string[]> {
  const done: string[] = [];
  for (;;) {
    const claims = await claim(engine).catch(() => undefined);
    if (claims?.length === 0) return done;
    if (claims === undefined) continue;
    const settled = await engine.queue.settle(claims.map((each) => ({ claim: each, kind: "done" })));
    done.push(...claims.flatMap(({ id }, at) => (settled[at] === true ? [id] : [])));
  }
}

/** Publishes and works while something is done to the server; says what was acknowledged and what was handled. */
async function under(
  [publisher, worker]: readonly [Engine, Engine],
  harm: (acknowledged: ReadonlySet<string>) => Promise<void>,
): Promise<{ acknowledged: Set<string>; handled: string[] }> {
  const acknowledged = new Set<string>();
  const handled: string[] = [];
  let over = false;
  const publishing = Promise.all(
    Array.from({ length: 5 }, async () => {
      while (!over) acknowledged.add(await publish(publisher));
    }),
  );
  const working = (async () => {
    while (!over) handled.push(...(await drain(worker)));
  })();
  await harm(acknowledged);
  over = true;
  await Promise.all([publishing, working]);
  handled.push(...(await drain(worker)));
  return { acknowledged, handled };
}

describe.skipIf(server.absent !== "")(`a connection that fails${server.absent}`, () => {
  let proxy: FaultProxy;
  beforeAll(async () => {
    const { hostname, port } = new URL(server.url);
    proxy = await FaultProxy.start(hostname, Number(port));
  });
  afterAll(() => proxy?.close());
  const through = (timeout = "8s", schema = testSchema()): string => {
    const url = new URL(urlOf(schema, { timeout }));
    url.host = `127.0.0.1:${proxy.port}`;
    return url.href;
  };
  const fail = (mode: ProxyMode): void => {
    proxy.set(mode);
    onTestFinished(() => proxy.set("pass"));
  };

  test("that is refused: publishing waits for it, and fails clearly when the time is up", async () => {
    const engine = await startEngine(through("1s"));
    fail("refuse");
    await expect(engine.check()).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    await expect(publish(engine)).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE", retryable: true });
    const waiting = publish(engine);
    proxy.set("pass");
    const id = await waiting;
    expect((await claim(engine)).map((each) => each.id)).toEqual([id]);
    await until("it is well again", () => isWell(engine));
  });

  test("that is cut before the answer, or in its middle: nothing is stored twice, and nothing is lost", async () => {
    const engine = await startEngine(through());
    const ids: string[] = [];
    for (let round = 0; round < 10; round++) {
      fail(round % 2 === 0 ? "mute" : "cut");
      const fields = round % 3 === 0 ? { key: "k", dedupe: { key: `d${round}`, until: 1e14 } } : {};
      ids.push(await publish(engine, fields));
    }
    proxy.set("pass");
    expect(new Set(ids).size).toBe(10);
    expect((await engine.queue.list({})).map(({ id }) => id)).toEqual(ids);
  });

  test("that is cut during a batch of many: all of it is stored once", async () => {
    const engine = await startEngine(through());
    fail("mute");
    const messages = Array.from({ length: 500 }, (_, n) => message({ payload: String(n) }));
    await engine.queue.publish(messages);
    const { claims } = await engine.queue.claim([{ handler: "h", limit: 1_000 }]);
    expect(claims.map(({ payload }) => payload)).toEqual(messages.map(({ payload }) => payload));
  });

  test("that is cut in the middle of a claim: what was taken is given back, its attempt not spent", async () => {
    const engine = await startEngine(through());
    const ids = [await publish(engine), await publish(engine)];
    fail("mute");
    const claims = await claim(engine);
    expect(claims.map(({ id, attempt }) => [id, attempt])).toEqual(ids.map((id) => [id, 1]));
    fail("mute");
    const settled = engine.queue.settle(claims.map((each) => ({ claim: each, kind: "done" })));
    await expect(settled).resolves.toEqual([true, true]);
    expect(await engine.queue.list({})).toEqual([]);
  });

  test("whose notices are lost: what is published is found by looking, within a second", async () => {
    const schema = testSchema();
    const [engine, other] = [await startEngine(through("8s", schema)), await startEngine(urlOf(schema))];
    let woken = 0;
    engine.queue.onWake(() => woken++);
    fail("refuse");
    await publish(other);
    woken = 0;
    await until("it looks", () => woken > 0);
    proxy.set("pass");
    expect(await claim(engine)).toHaveLength(1);
  });

  test("whose sessions are ended every few hundred milliseconds under load: nothing is lost, nothing comes twice", async () => {
    const schema = testSchema();
    const url = urlOf(schema, { timeout: "20s", application_name: schema });
    const end = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1";
    const { acknowledged, handled } = await under(
      [await startEngine(url), await startEngine(url)],
      async (done) => {
        for (let round = 0; round < 8; round++) {
          const before = done.size;
          await until("work is done", () => done.size > before + 30);
          await ask(end, [schema]);
        }
      },
    );
    console.log(`${acknowledged.size} acknowledged and handled, while all sessions were ended eight times`);
    expect(handled.toSorted()).toEqual([...acknowledged].toSorted());
  }, 60_000);
});

describe.skipIf(noBinary !== "")(`a server that fails${noBinary}`, () => {
  async function serve(settings?: Readonly<Record<string, string>>): Promise<PrivateServer> {
    const own = await PrivateServer.start(settings);
    onTestFinished(() => own.dispose());
    return own;
  }

  test("that only reads: publishing says so, and goes on when it writes again", async () => {
    const own = await serve();
    const engine = await startEngine(`${own.url}?timeout=5s`);
    await ask("alter system set default_transaction_read_only = on", [], own.url);
    await ask("select pg_reload_conf()", [], own.url);
    const readOnly = { code: "ENGINE_READ_ONLY", retryable: true };
    await until("it only reads", () =>
      publish(engine).then(
        () => false,
        () => true,
      ),
    );
    await expect(publish(engine)).rejects.toMatchObject(readOnly);
    await expect(engine.check()).rejects.toMatchObject(readOnly);
    const back = "set default_transaction_read_only = off; alter system reset default_transaction_read_only";
    for (const each of back.split(";").slice(1)) {
      await ask(each, [], `${own.url}?options=-c%20default_transaction_read_only%3Doff`);
    }
    await ask("select pg_reload_conf()", [], own.url);
    await until("it writes again", () => isWell(engine));
    await publish(engine);
  }, 60_000);

  test("that has no connection left, no such database or user, or runs without fsync, says so", async () => {
    const own = await serve({ max_connections: "4", superuser_reserved_connections: "0", fsync: "off" });
    const refused = async (url: string): Promise<unknown> =>
      startEngine(url).then(
        () => "started",
        (error: unknown) => error,
      );
    expect(await refused(`${own.url}?synchronous=on`)).toMatchObject({ code: "ENGINE_UNSUPPORTED" });
    expect(await refused(own.url.replace("/test", "/nothing"))).toMatchObject({ code: "ENGINE_DENIED" });
    expect(await refused(own.url.replace("test@", "nobody@"))).toMatchObject({ code: "ENGINE_DENIED" });
    await startEngine(own.url);
    await startEngine(own.url);
    const full = await refused(`${own.url}?timeout=1s`);
    expect(full).toMatchObject({ code: "ENGINE_UNAVAILABLE", retryable: true });
    expect(String(full)).toMatch(/max_connections|pooler/);
  }, 60_000);

  test("that is not there says so at once, without the password", async () => {
    const failed = await startEngine(`postgres://me:secret@127.0.0.1:1/db?schema=${newSchema()}`).catch(
      (error: unknown) => error,
    );
    expect(failed).toMatchObject({ code: "ENGINE_UNAVAILABLE", retryable: true });
    expect(String(failed)).not.toContain("secret");
  });
});
