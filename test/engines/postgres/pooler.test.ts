import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runConformance } from "../../../src/testing/conformance/index.ts";
import { newFile, Worker } from "../../processes/worker-process.ts";
import { message, until } from "../sqlite/data-dir.ts";
import { noPgBouncer, PgBouncer } from "./pg-bouncer.ts";
import { ask, server, startEngine, testSchema, urlOf } from "./server.ts";
import { dropSchemas, onServer } from "./setup.ts";
import { waitsOf } from "./waits.ts";

const absent = server.absent || noPgBouncer;
/** One session of each process goes past the pooler. */
const LISTEN = { pooler: "transaction", listen: server.url };
const ALONE = { pooler: "transaction" };

describe.skipIf(absent !== "")(`behind PgBouncer${absent}`, () => {
  let pooler: PgBouncer;
  beforeAll(async () => void (pooler = await PgBouncer.start(server.url)));
  afterAll(async () => {
    await dropSchemas();
    await pooler?.dispose();
  });
  const wayTo = (schema: string, parameters: Readonly<Record<string, string>>): string =>
    pooler.through(urlOf(schema, parameters));

  for (const [how, parameters] of Object.entries({ "and listen=": LISTEN, alone: ALONE })) {
    runConformance({
      ...onServer(`postgres with pooler=transaction ${how}:`, (schema) =>
        wayTo(schema, { connections: "2", ...parameters }),
      ),
      runner: { describe, test },
    });
  }

  test("each transaction has the settings of a session: its time limit, and what it is acknowledged with", async () => {
    const schema = testSchema();
    const engine = await startEngine(wayTo(schema, { ...ALONE, timeout: "40s", synchronous: "off" }));
    await ask(`alter table ${schema}.delivery alter headers
      set default current_setting('statement_timeout') || ' ' || current_setting('synchronous_commit')`);
    await Promise.all(Array.from({ length: 20 }, () => engine.queue.publish([message()])));
    expect((await engine.queue.list({})).map(({ headers }) => headers)).toEqual(Array(20).fill("80s off"));
  });

  test("without pooler=transaction it says what is missing", async () => {
    const url = wayTo(testSchema(), {});
    const refused = async (): Promise<unknown> => {
      const engine = await startEngine(url);
      for (;;) await engine.queue.publish([message()]);
    };
    await expect(refused()).rejects.toMatchObject({
      code: "ENGINE_FAILED",
      message: expect.stringContaining("?pooler=transaction"),
    });
  });

  test("words of any length are heard without a notice", async () => {
    const url = wayTo(testSchema(), ALONE);
    const [one, other] = [await startEngine(url), await startEngine(url)];
    const heard: string[] = [];
    other.signals.listen("c", (body) => heard.push(body));
    await one.signals.send("c", "hello");
    await one.signals.send("c", "x".repeat(20_000));
    await until("both words are heard", () => heard.length === 2);
    expect(heard.map(({ length }) => length)).toEqual([5, 20_000]);
  });

  test("of two processes one is killed: all that was published is handled, within 15 s", async () => {
    const setup = { path: newFile(), engine: wayTo(testSchema(), LISTEN) };
    const [dying, heir] = [await Worker.start(setup), await Worker.start(setup)];
    await Promise.all([dying, heir].map((each, at) => each.publish(tasks(at * 200, 200))));
    // Held by whoever has claimed them; one of them at least by each.
    const held = Array.from({ length: 200 }, (_, at) => ({ n: 1_000 + at, ask: "wait" as const }));
    await heir.publish(held);
    await until(
      "all are held",
      () => dying.count(/^began 1\d{3} 1$/) + heir.count(/^began 1\d{3} 1$/) === 200,
    );
    const lost = dying.count(/^began 1\d{3} 1$/);
    expect(lost).toBeGreaterThan(0);
    await dying.kill();
    const { at: died } = await dying.says("exit");
    heir.tell({ do: "release" });
    await heir.saysTimes(/^began 1\d{3} 2$/, lost);
    heir.tell({ do: "release" });
    await heir.saysTimes(/^ended 1\d{3} [12]$/, 200);
    const again = heir.lines.findLast(({ text }) => /^began 1\d{3} 2$/.test(text))?.at ?? Number.NaN;
    console.log(`${lost} taken over ${Math.round(again - died)} ms after the death`);
    expect(again - died).toBeLessThan(15_000);
    const ended = [...dying.lines, ...heir.lines].filter(({ text }) => text.startsWith("ended "));
    expect(new Set(ended.map(({ text }) => text.split(" ")[1])).size).toBe(600);
  }, 60_000);

  test("what one process publishes is begun by another within milliseconds with listen=, and within a second alone", async () => {
    const waits = async (parameters: Readonly<Record<string, string>>): Promise<number[]> =>
      waitsOf({ path: newFile(), engine: wayTo(testSchema(), parameters) });
    const [told, found] = [await waits(LISTEN), await waits(ALONE)];
    console.log(`begun after ${told.join(", ")} ms; found by looking after ${found.join(", ")} ms`);
    expect(Math.max(...told)).toBeLessThan(500);
    expect(Math.max(...found)).toBeLessThan(1_500);
  });
});

function tasks(from: number, count: number): { n: number }[] {
  return Array.from({ length: count }, (_, at) => ({ n: from + at }));
}
