import { describe, expect, onTestFinished, test } from "vitest";
import type { Engine } from "../../../src/engine.ts";
import { postgresEngine } from "../../../src/engines/postgres/engine.ts";
import { message, startOptions, until } from "../sqlite/data-dir.ts";
import { ask, newSchema, server, startEngine, testSchema, urlOf } from "./server.ts";

const WANT = [{ handler: "h", limit: 100 }];

/** Publishes, claims and settles until so many are done. */
async function churn(engine: Engine, count: number): Promise<void> {
  const thousand = Array.from({ length: 1_000 }, () => message({ payload: JSON.stringify("x".repeat(200)) }));
  for (let done = 0; done < count;) {
    await engine.queue.publish(thousand);
    for (let left = 1_000; left > 0;) {
      const { claims } = await engine.queue.claim([{ handler: "h", limit: 500 }]);
      await engine.queue.settle(claims.map((claim) => ({ claim, kind: "done" })));
      left -= claims.length;
      done += claims.length;
    }
  }
}

describe("the URL of the postgres engine", () => {
  test("is shown without its password, and says what it can do", () => {
    const engine = postgresEngine(
      "postgresql://me:secret@db.internal:5433/shop?schema=events&sslmode=require",
    );
    expect(engine.location).toBe("postgres://me@db.internal:5433/shop?schema=events");
    expect(engine.capabilities).toEqual({ durable: true, shared: true, strict: false, transactions: true });
    expect(postgresEngine("postgres://h/db?synchronous=on").capabilities.strict).toBe(true);
  });

  test.each([
    "postgres://host",
    "postgres://h/db?shcema=x",
    "postgres://h/db?schema=Upper",
    "postgres://h/db?schema=a-b",
    "postgres://h/db?connections=0",
    "postgres://h/db?timeout=soon",
    "postgres://h/db?pooler=session",
    "postgres://me:secret@h/db?migrate=maybe",
  ])("%s is refused", (url) => {
    let refusal: unknown;
    try {
      postgresEngine(url);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({ code: "ENGINE_URL_INVALID" });
    expect(String(refusal)).not.toContain("secret");
  });
});

describe.skipIf(server.absent !== "")(`the postgres engine${server.absent}`, () => {
  test("of many that start at once on an empty database, one makes the schema", async () => {
    const url = urlOf(testSchema(), { connections: "1" });
    const engines = await Promise.all(Array.from({ length: 8 }, () => startEngine(url)));
    await engines[0]?.queue.publish([message()]);
    expect((await engines[7]?.queue.claim(WANT))?.claims).toHaveLength(1);
  });

  test("a replica that meets a schema with which it must not work stops, and says why", async () => {
    const schema = testSchema();
    const engine = await startEngine(urlOf(schema));
    // A newer version came, with which this one can work: nothing happens.
    await ask(`update ${schema}.meta set version = version + 1, catalog = catalog + 1`);
    await engine.queue.publish([message()]);
    await engine.check();
    // Another came, with which it cannot.
    await ask(`update ${schema}.meta set version = version + 1, oldest = version + 1, catalog = catalog + 1`);
    await expect(engine.queue.publish([message()])).rejects.toMatchObject({ code: "ENGINE_SCHEMA" });
    await expect(engine.queue.claim(WANT)).rejects.toMatchObject({ code: "ENGINE_SCHEMA" });
    await expect(engine.check()).rejects.toMatchObject({ code: "ENGINE_SCHEMA" });
    await engine.stop();
    const late = postgresEngine(urlOf(schema));
    await expect(late.start(startOptions())).rejects.toMatchObject({ code: "ENGINE_SCHEMA" });
    expect(await ask(`select count(*) from ${schema}.delivery`)).toEqual([["1"]]);
  });

  test("works with a role that may only use the schema, once its owner has made it", async () => {
    const schema = testSchema();
    const role = `${schema}_app`;
    const limited = new URL(urlOf(schema, { migrate: "off" }));
    limited.username = role;
    const early = postgresEngine(urlOf(newSchema(), { migrate: "off" }));
    await expect(early.start(startOptions())).rejects.toMatchObject({ code: "ENGINE_SCHEMA" });
    await (await startEngine(urlOf(schema))).stop();
    await ask(`create role ${role} login; grant usage on schema ${schema} to ${role};
      grant select, insert, update, delete on all tables in schema ${schema} to ${role};
      grant usage on all sequences in schema ${schema} to ${role};
      grant execute on all functions in schema ${schema} to ${role}`);
    onTestFinished(async () => void (await ask(`drop owned by ${role}; drop role ${role}`)));
    const engine = await startEngine(limited.href);
    await churn(engine, 1_000);
    await engine.queue.publish([message({ key: "k", dedupe: { key: "d", until: Date.now() + 9_999 } })]);
    await engine.schedules.define({ task: "t", hash: "h", definition: "{}", next: 1 });
    await engine.state.set("k", "v");
    expect((await engine.limits.take("k", 1, 1_000)).ok).toBe(true);
    await engine.presence.sweep();
    await engine.stop();
    await expect(ask(`create table ${schema}.mine (a int)`, [], limited.href)).rejects.toThrow(/permission/);
  }, 60_000);

  test("a message that nobody gets keeps the numbers behind its own, also at the end of a block of them", async () => {
    const schema = testSchema();
    const engine = await startEngine(urlOf(schema));
    const nobodys = message({ event: "nobody" });
    for (const before of [0, 191, 192, 193, 255, 256]) {
      await engine.queue.publish([...Array.from({ length: before }, () => message()), nobodys, message()]);
    }
    const numbers = await ask(`select seq::int from ${schema}.delivery union all
      select seq::int + place from ${schema}.dead_letter, generate_series(0, 63) place`);
    expect(new Set(numbers.flat()).size).toBe(numbers.length);
    const rooms = await ask(`select (seq::int - 1) / 256 = (seq::int + 62) / 256 from ${schema}.dead_letter`);
    expect(rooms).toEqual(Array(6).fill([true]));
  });

  test("with notices, words of any length are heard in order", async () => {
    const engine = await startEngine(urlOf(testSchema()));
    const heard: string[] = [];
    engine.signals.listen("c:1", (body) => heard.push(body));
    const bodies = ["short", "ü\u0000".repeat(9_000), "end"];
    for (const body of bodies) {
      await engine.signals.send("c:1", body);
      await until("it is heard", () => heard.at(-1) === body);
    }
    expect(heard).toEqual(bodies);
  });

  test("a hundred thousand messages leave a table of bounded size, once it is vacuumed as its settings ask", async () => {
    // In a database of its own: what others have open elsewhere keeps no dead rows here.
    const schema = newSchema();
    const own = new URL(urlOf(schema, { synchronous: "off" }));
    own.pathname = schema;
    await ask(`create database ${schema}`);
    onTestFinished(async () => void (await ask(`drop database ${schema} with (force)`)));
    const engine = await startEngine(own.href);
    const at = own.href.slice(0, own.href.indexOf("?"));
    const size = async (): Promise<number> =>
      Number((await ask(`select pg_total_relation_size('${schema}.delivery')`, [], at))[0]?.[0]);
    await churn(engine, 10_000);
    const dead = Number(
      (
        await ask(
          `select split_part(option, '=', 2) from pg_class, unnest(reloptions) option
        where oid = '${schema}.delivery'::regclass and option like 'autovacuum_vacuum_threshold=%'`,
          [],
          at,
        )
      )[0]?.[0],
    );
    expect(dead).toBe(5_000);
    // As autovacuum does when so many are dead; by hand, so that the test does not wait for its minute.
    await ask(`vacuum ${schema}.delivery`, [], at);
    const first = await size();
    for (let round = 0; round < 9; round++) {
      await churn(engine, 10_000);
      await ask(`vacuum ${schema}.delivery`, [], at);
    }
    const last = await size();
    console.log(`the table after 10,000 and 100,000 messages: ${first >> 10} and ${last >> 10} KiB`);
    expect(last).toBeLessThan(4 * first);
  }, 120_000);

  test("right after a bulk load, without ANALYZE, it claims by the index", async () => {
    const schema = testSchema();
    const engine = await startEngine(urlOf(schema, { synchronous: "off" }));
    const rate = async (): Promise<number> => {
      const start = performance.now();
      for (let round = 0; round < 20; round++) {
        const { claims } = await engine.queue.claim(WANT);
        expect(claims).toHaveLength(100);
        await engine.queue.settle(claims.map((claim) => ({ claim, kind: "done" })));
      }
      return performance.now() - start;
    };
    const thousand = Array.from({ length: 1_000 }, () => message());
    for (let n = 0; n < 5; n++) await engine.queue.publish(thousand);
    const few = await rate();
    await ask(`alter table ${schema}.delivery set (autovacuum_enabled = off)`);
    for (let n = 0; n < 60; n++) await engine.queue.publish(thousand);
    const many = Math.min(await rate(), await rate(), await rate()); // others use the machine, too
    console.log(
      `2,000 claimed and done in ${Math.round(few)} ms of 5,000, and ${Math.round(many)} ms of 60,000`,
    );
    // By reading the whole table it would be tens of times slower.
    expect(many).toBeLessThan(few * 6);
  }, 60_000);
});
