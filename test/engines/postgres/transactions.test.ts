import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import pg from "pg";
import postgresJs from "postgres";
import { describe, expect, onTestFinished, test } from "vitest";
import { createApp, createRegistry } from "../../../src/index.ts";
import { message, until } from "../sqlite/data-dir.ts";
import { ask, server, startEngine, testSchema, urlOf } from "./server.ts";

const WANT = [{ handler: "h", limit: 100 }];
const KEYED = { key: "k", dedupe: { key: "d", until: Date.now() + 60_000 } };

async function newClient(): Promise<pg.Client> {
  const client = new pg.Client(server.url);
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

describe.skipIf(server.absent !== "")(`a publish in the caller's own transaction${server.absent}`, () => {
  test("is there, and wakes, when the transaction commits, and not before (pg)", async () => {
    const engine = await startEngine(urlOf(testSchema()));
    const client = await newClient();
    await client.query("begin");
    const [published] = await engine.queue.publish([message()], client);
    expect(published).toMatchObject({ duplicate: false, deliveries: 1 });
    expect((await engine.queue.claim(WANT)).claims).toEqual([]);
    let wakes = 0;
    engine.queue.onWake(() => wakes++);
    await client.query("commit");
    await until("woken", () => wakes > 0);
    const { claims } = await engine.queue.claim(WANT);
    expect(claims.map(({ id }) => id)).toEqual([published?.id]);
  });

  test("never was when it is rolled back (pg)", async () => {
    const engine = await startEngine(urlOf(testSchema()));
    const client = await newClient();
    await client.query("begin");
    await engine.queue.publish([message(), message(KEYED), message({ to: "nobody" })], client);
    await client.query("rollback");
    expect((await engine.queue.claim(WANT)).claims).toEqual([]);
    expect(await engine.queue.list({})).toEqual([]);
    expect(await engine.deadLetters.count({})).toBe(0);
    // Neither its key nor its dedupe key is held.
    expect((await engine.queue.publish([message(KEYED)]))[0]?.duplicate).toBe(false);
    expect((await engine.queue.claim(WANT)).claims).toHaveLength(1);
  });

  test("takes the transaction of the package postgres", async () => {
    const engine = await startEngine(urlOf(testSchema()));
    const sql = postgresJs(server.url, { onnotice: () => {} });
    onTestFinished(() => sql.end());
    const ids: string[] = [];
    await sql.begin(async (transaction) => {
      const published = await engine.queue.publish(
        [message({ payload: '{"text":"\\"quoted\\" \\\\ né"}', headers: '{"a":"b"}' }), message(KEYED)],
        transaction,
      );
      ids.push(...published.map(({ id }) => id));
      expect(await engine.queue.list({})).toEqual([]);
    });
    const { claims } = await engine.queue.claim(WANT);
    expect(claims.map(({ id }) => id)).toEqual(ids);
    expect(claims[0]).toMatchObject({ payload: '{"text":"\\"quoted\\" \\\\ né"}', headers: '{"a":"b"}' });
    const failing = sql.begin(async (transaction) => {
      await engine.queue.publish([message()], transaction);
      throw new Error("changed my mind");
    });
    await expect(failing).rejects.toThrow("changed my mind");
    expect(await engine.queue.list({ state: "ready" })).toEqual([]);
  });

  test("keeps nobody up who publishes or settles the same key, and comes in its order", async () => {
    const engine = await startEngine(urlOf(testSchema()));
    const client = await newClient();
    await engine.queue.publish([message({ key: "k", payload: "1" })]);
    await client.query("begin");
    await engine.queue.publish([message({ key: "k", payload: "2" })], client);
    const [first] = (await engine.queue.claim(WANT)).claims;
    await engine.queue.publish([message({ key: "k", payload: "3" })]);
    if (!first) throw new Error("the first is there");
    expect(await engine.queue.settle([{ claim: first, kind: "done" }])).toEqual([true]);
    const [third] = (await engine.queue.claim(WANT)).claims;
    expect([first.payload, third?.payload]).toEqual(["1", "3"]);
    await client.query("commit");
    expect((await engine.queue.claim(WANT)).claims).toEqual([]);
    if (third) await engine.queue.settle([{ claim: third, kind: "done" }]);
    expect((await engine.queue.claim(WANT)).claims.map(({ payload }) => payload)).toEqual(["2"]);
  });

  test("the first of a key is claimed after the commit", async () => {
    const engine = await startEngine(urlOf(testSchema()));
    const client = await newClient();
    await client.query("begin isolation level repeatable read");
    await engine.queue.publish(
      ["1", "2"].map((payload) => message({ key: "k", payload })),
      client,
    );
    await client.query("commit");
    expect((await engine.queue.claim(WANT)).claims.map(({ payload }) => payload)).toEqual(["1"]);
  });

  test("leaves nothing when its process is killed before the commit", async () => {
    const schema = testSchema();
    const engine = await startEngine(urlOf(schema));
    const child = spawn(process.execPath, [join(import.meta.dirname, "uncommitted.ts"), urlOf(schema)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const [said] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
    expect(said).toMatch(/^published .+-/);
    const rows = async (): Promise<unknown> => ask(`select count(*) from ${schema}.delivery`);
    expect(await rows()).toEqual([["0"]]);
    child.kill("SIGKILL");
    await once(child, "exit");
    const open = `select count(*) from pg_stat_activity where application_name = $1`;
    await until("its session ends", async () => (await ask(open, [schema]))[0]?.[0] === "0");
    expect(await rows()).toEqual([["0"]]);
    expect((await engine.queue.claim(WANT)).claims).toEqual([]);
  });

  test("a transaction that has failed, and what is none, are refused", async () => {
    const engine = await startEngine(urlOf(testSchema()));
    const client = await newClient();
    await client.query("begin");
    await client.query("select 1/0").catch(() => {});
    await expect(engine.queue.publish([message()], client)).rejects.toMatchObject({ code: "ENGINE_FAILED" });
    await client.query("rollback");
    const sql = postgresJs(server.url, { onnotice: () => {} });
    const pool = new pg.Pool({ connectionString: server.url });
    onTestFinished(async () => void (await Promise.all([sql.end(), pool.end()])));
    for (const none of [{}, client, sql, pool])
      await expect(engine.queue.publish([message()], none)).rejects.toMatchObject({
        code: "ENGINE_TRANSACTION",
      });
    expect(await engine.queue.list({})).toEqual([]);
    const reserved = await sql.reserve();
    await reserved`begin`;
    await engine.queue.publish([message()], reserved);
    await reserved`commit`;
    reserved.release();
    const member = await pool.connect();
    await member.query("begin");
    await engine.queue.publish([message()], member);
    await member.query("commit");
    member.release();
    expect(await engine.queue.list({})).toHaveLength(2);
  });

  test("works through the app, and other engines refuse it", async () => {
    const registry = createRegistry();
    const seen: unknown[] = [];
    registry.on("order.placed", { name: "h" }).execute(async (order: unknown) => void seen.push(order));
    await using app = createApp({ registry, engine: urlOf(testSchema()), log: "silent", env: {} });
    await app.start();
    const client = await newClient();
    await client.query("begin");
    await app.publish("order.placed", { id: 1 }, { transaction: client });
    await app.publishAll([
      { event: "order.placed", payload: { id: 2 }, options: { transaction: client } },
      { event: "order.placed", payload: { id: 3 }, options: { transaction: client } },
    ]);
    await client.query("commit");
    await until("all have come", () => seen.length === 3);
    const mixed = [
      { event: "order.placed", payload: { id: 2 }, options: { transaction: client } },
      { event: "order.placed", payload: { id: 3 } },
    ];
    await expect(app.publishAll(mixed)).rejects.toMatchObject({ code: "PUBLISH_OPTION_INVALID" });

    await using other = createApp({ registry, engine: "memory:", log: "silent", env: {} });
    await other.start();
    const refused = other.publish("order.placed", { id: 1 }, { transaction: client });
    await expect(refused).rejects.toMatchObject({ code: "ENGINE_UNSUPPORTED" });
  });
});
