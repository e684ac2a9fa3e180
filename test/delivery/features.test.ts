import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { createApp, createRegistry, defineEvent, snooze } from "../../src/index.ts";
import { MemoryStore } from "../../src/engines/memory/store.ts";
import { memoryEngine } from "../../src/engines/memory/engine.ts";
import { createTestApp, VirtualClock } from "../../src/testing/index.ts";

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function testApp(declare: (registry: ReturnType<typeof createRegistry>) => void) {
  const registry = createRegistry();
  declare(registry);
  const t = await createTestApp({ registry });
  endings.push(() => t.stop());
  return t;
}

const Row = defineEvent("row", z.object({ n: z.number() }));

describe("batch", () => {
  test("many payloads in one call: as many as the size, or what has come within the time", async () => {
    const batches: number[][] = [];
    const t = await testApp(({ on }) => {
      on(Row, { name: "insert", batch: { size: 10, within: "1s" } }).execute((rows, ctx) => {
        expect(ctx.items).toHaveLength(rows.length);
        batches.push(rows.map(({ n }) => n));
      });
    });
    await t.app.publishAll(Array.from({ length: 25 }, (_, n) => ({ event: Row, payload: { n } })));
    await t.advance(0);
    expect(batches.map((batch) => batch.length)).toEqual([10, 10]);
    await t.advance("1s");
    expect(batches.map((batch) => batch.length)).toEqual([10, 10, 5]);
    expect(batches.flat()).toEqual(Array.from({ length: 25 }, (_, n) => n));
    expect(await t.app.operations.messages()).toEqual([]);
  });

  test("each item has its own outcome, attempt and dead letter", async () => {
    const seen: string[] = [];
    const t = await testApp(({ on }) => {
      on(Row, { name: "insert", batch: { size: 4 }, retry: { attempts: 2, delay: "1s" } }).execute(
        (rows, ctx) =>
          rows.map(({ n }, at) => {
            seen.push(`${n} attempt ${ctx.items[at]?.attempt}`);
            if (n === 1) return new Error("never");
            if (n === 2 && ctx.items[at]?.attempt === 1) return new Error("not yet");
            return n === 3 && seen.length < 6 ? snooze("1m") : "done";
          }),
      );
    });
    await t.app.publishAll([0, 1, 2, 3].map((n) => ({ event: Row, payload: { n } })));
    await t.advance("10m");
    expect(seen.slice(0, 4)).toEqual(["0 attempt 1", "1 attempt 1", "2 attempt 1", "3 attempt 1"]);
    expect(seen.slice(4).toSorted()).toEqual(["1 attempt 2", "2 attempt 2", "3 attempt 1"]);
    expect(t.deadLetters).toMatchObject([
      { payload: { n: 1 }, reason: "exhausted", attempt: 2, error: "never" },
    ]);
  });

  test.each([
    ["promises", (items: Promise<unknown>[]) => items],
    ["what Promise.allSettled gives", (items: Promise<unknown>[]) => Promise.allSettled(items)],
  ])("items may be %s: one that is rejected has failed alone", async (_, given) => {
    const done: number[] = [];
    const t = await testApp(({ on }) => {
      on(Row, { name: "insert", batch: { size: 3 }, retry: 1 }).execute((rows) =>
        given(
          rows.map(async ({ n }) => {
            await Promise.resolve();
            if (n === 1) throw new Error("no");
            done.push(n);
          }),
        ),
      );
    });
    await t.app.publishAll([0, 1, 2].map((n) => ({ event: Row, payload: { n } })));
    await t.advance("1m");
    expect(done).toEqual([0, 2]);
    expect(t.deadLetters).toMatchObject([{ payload: { n: 1 }, reason: "exhausted", error: "no" }]);
  });

  test("outcomes that are not one for each are an error, and nothing is taken for done", async () => {
    const t = await testApp(({ on }) => {
      on(Row, { name: "insert", batch: { size: 3 }, retry: 1 }).execute((rows) =>
        rows.slice(1).map(async () => Promise.reject(new Error("no"))),
      );
    });
    await t.app.publishAll([0, 1, 2].map((n) => ({ event: Row, payload: { n } })));
    await t.advance("1m");
    expect(t.deadLetters.map(({ error }) => error)).toEqual(
      Array.from({ length: 3 }, () => expect.stringContaining("2 outcomes for 3 messages")),
    );
  });

  test("one that throws has failed them all; a payload that does not fit stays out of it", async () => {
    let calls = 0;
    const t = await testApp(({ on }) => {
      on(Row, { name: "insert", batch: { size: 3 }, retry: 1 }).execute(() => {
        calls++;
        throw new Error("database away");
      });
    });
    const message = { event: "row", priority: 0, due: t.now() };
    await t.app.engine.queue.publish(
      ['{"n":1}', '{"n":"x"}', '{"n":3}'].map((payload) => ({ ...message, payload })),
    );
    await t.advance("1m");
    expect(calls).toBe(1);
    expect(t.deadLetters.map(({ reason }) => reason).sort()).toEqual(["exhausted", "exhausted", "invalid"]);
  });

  test("has no steps: a result that nobody stores is refused, with what to do", async () => {
    const t = await testApp(({ on }) => {
      on(Row, { name: "insert", batch: { size: 2 }, retry: 1 }).execute((_, ctx) =>
        ctx.step("charge", () => 1),
      );
    });
    await t.app.publishAll([0, 1].map((n) => ({ event: Row, payload: { n } })));
    await t.advance("1m");
    expect(t.deadLetters.map(({ error }) => error)).toEqual([
      expect.stringContaining("a step belongs to one message"),
      expect.stringContaining("a step belongs to one message"),
    ]);
  });

  test("triggered, it gets its one payload as a batch of one", async () => {
    const t = await testApp(({ on }) => {
      on(Row, { name: "insert", batch: { size: 3 } }).execute((rows) => rows.map(({ n }) => n * 2));
    });
    expect(await t.trigger(Row, { n: 21 })).toEqual([42]);
  });
});

describe("ctx.sleep", () => {
  test("leaves the handler, holds no worker, and goes on where it was", async () => {
    const seen: string[] = [];
    const t = await testApp(({ on }) => {
      on("trial", { name: "trial", concurrency: 1 }).execute(
        async (payload: { user: string }, { step, sleep, attempt, now }) => {
          await step(
            "welcome",
            () => void seen.push(`welcome ${payload.user} at ${(now() - start) / 86_400_000}`),
          );
          await sleep("1d");
          await step(
            "remind",
            () => void seen.push(`remind ${payload.user} at ${(now() - start) / 86_400_000}`),
          );
          await sleep("2d");
          seen.push(`ended ${payload.user} at ${(now() - start) / 86_400_000} attempt ${attempt}`);
        },
      );
    });
    const start = t.now();
    for (const user of ["ann", "bob"]) await t.publish("trial", { user });
    await t.advance("1h");
    expect(seen).toEqual(["welcome ann at 0", "welcome bob at 0"]);
    expect(t.app.activity.running).toBe(0);
    await t.advance("7d");
    expect(seen.slice(2)).toEqual([
      "remind ann at 1",
      "remind bob at 1",
      "ended ann at 3 attempt 1",
      "ended bob at 3 attempt 1",
    ]);
    expect(t.deadLetters).toEqual([]);
  });

  test("a handler that swallows it sleeps all the same", async () => {
    let runs = 0;
    const t = await testApp(({ on }) => {
      on("e", { name: "h" }).execute(async (_, { sleep }) => {
        runs++;
        await sleep("1h").catch(() => {});
        return "whatever";
      });
    });
    await t.publish("e");
    expect(runs).toBe(1);
    await t.advance("2h");
    expect(runs).toBe(2);
    expect(await t.app.operations.messages()).toEqual([]);
  });

  test("where nothing is stored it waits in place", async () => {
    const t = await testApp(({ on }) => {
      on("e", { name: "h" }).execute(async (_, { sleep, now }) => {
        const before = now();
        await sleep("5s");
        return now() - before;
      });
    });
    const run = t.trigger("e");
    await t.advance("5s");
    expect(await run).toEqual([5_000]);
  });
});

describe("request", () => {
  test("resolves with what the handler returned, on whichever replica", async () => {
    const store = new MemoryStore();
    const answering = createRegistry();
    answering.on("add").execute(function add({ a, b }: { a: number; b: number }) {
      return { sum: a + b };
    });
    const base = { log: "silent", env: {} } as const;
    const worker = createApp({ ...base, engine: memoryEngine({ store }), registry: answering });
    const asking = createApp({ ...base, engine: memoryEngine({ store }), registry: createRegistry() });
    endings.push(
      () => worker.stop(),
      () => asking.stop(),
    );
    await worker.start();
    await asking.start();
    expect(await asking.request("add", { a: 1, b: 2 })).toEqual({ sum: 3 });
    expect(await Promise.all([1, 2, 3].map((a) => asking.request("add", { a, b: 1 })))).toEqual([
      { sum: 2 },
      { sum: 3 },
      { sum: 4 },
    ]);
  });

  test("fails when the handler has failed for good, or is too late", async () => {
    const t = await testApp(({ on }) => {
      on("fails", { name: "fails", retry: { attempts: 2, delay: 1 } }).execute(() => {
        throw new Error("no such account");
      });
      on("slow", { name: "slow" }).execute(() => new Promise(() => {}));
    });
    const failed = t.app.request("fails").catch((error: unknown) => error);
    await t.advance("1s");
    expect(await failed).toMatchObject({ code: "REQUEST_FAILED" });
    expect(String(await failed)).toContain("no such account");
    const late = t.app.request("slow", 1, { timeout: "5s" }).catch((error: unknown) => error);
    await t.advance("5s");
    expect(await late).toMatchObject({ code: "TIMEOUT" });
    await expect(t.app.request("unknown")).rejects.toMatchObject({ code: "EVENT_UNKNOWN" });
  });
});

describe("cancel by id", () => {
  test("what waits is gone, and nothing else", async () => {
    const t = await testApp(({ on }) => {
      on("e", { name: "h" }).execute(() => "ran");
    });
    const [first, second] = await t.app.publishAll(
      [1, 2].map((payload) => ({ event: "e", payload, options: { delay: "1h" } })),
    );
    expect(await t.app.operations.cancel(first ?? "")).toEqual({ removed: 1, running: 0 });
    expect(await t.app.operations.cancel(first ?? "")).toEqual({ removed: 0, running: 0 });
    await t.advance("2h");
    expect(t.runs.map(({ input }) => input)).toEqual([2]);
    expect(await t.app.operations.message(second ?? "")).toBeUndefined();
  });

  test("what runs is aborted on the replica that runs it, and not tried again", async () => {
    const store = new MemoryStore();
    const clock = new VirtualClock();
    const registry = createRegistry();
    const aborted: unknown[] = [];
    registry.on("e").execute(function long(_, { signal }) {
      return new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => {
          aborted.push((signal.reason as { code: string }).code);
          reject(signal.reason);
        }),
      );
    });
    const base = { log: "silent", env: {}, clock } as const;
    const worker = createApp({ ...base, engine: memoryEngine({ store }), registry });
    const operator = createApp({ ...base, engine: memoryEngine({ store }), registry: createRegistry() });
    endings.push(
      () => worker.stop(),
      () => operator.stop(),
    );
    await worker.start();
    await operator.start();
    const id = await operator.publish("e").catch(() => "");
    await clock.advance(0);
    expect(await operator.operations.cancel(id)).toEqual({ removed: 0, running: 1 });
    await clock.advance("1h");
    expect(aborted).toEqual(["CANCELLED"]);
    expect(await operator.operations.message(id)).toBeUndefined();
    expect(await operator.operations.countDeadLetters()).toBe(0);
  });
});

describe("dead letters", () => {
  async function withDead(count: number) {
    let broken = true;
    const handled: number[] = [];
    const t = await testApp(({ on }) => {
      on(Row, { name: "insert", retry: 1 }).execute(({ n }) => {
        if (broken) throw new Error(`row ${n}`);
        handled.push(n);
      });
    });
    await t.app.publishAll(Array.from({ length: count }, (_, n) => ({ event: Row, payload: { n } })));
    await t.advance(0);
    return { t, handled, mend: () => (broken = false) };
  }

  test("are shown with payload and history as values, and replayed one by one, or all", async () => {
    const { t, handled, mend } = await withDead(3);
    const letters = await t.app.operations.deadLetters();
    expect(letters.map(({ payload }) => payload)).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
    expect(letters[0]).toMatchObject({
      handler: "insert",
      reason: "exhausted",
      errors: [{ attempt: 1, message: "row 0" }],
    });
    mend();
    expect(await t.app.operations.replay({ id: letters[1]?.id })).toBe(1);
    await t.advance(0);
    expect(handled).toEqual([1]);
    expect(await t.app.operations.replay()).toBe(2);
    await t.advance(0);
    expect(handled.toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
    expect(await t.app.operations.countDeadLetters()).toBe(0);
  });

  test("are replayed at a rate, and those that die again are not replayed again", async () => {
    const { t } = await withDead(5);
    const start = t.now();
    const replayed = t.app.operations.replay({}, { rate: { limit: 2, per: "10s" } });
    await t.advance("1m");
    expect(await replayed).toBe(5);
    const again = t.runs.slice(5).map(({ at }) => (at - start) / 1_000);
    expect(again).toEqual([0, 0, 10, 10, 20]);
    expect(await t.app.operations.countDeadLetters()).toBe(5);
  });

  test("may be discarded", async () => {
    const { t } = await withDead(3);
    const [first] = await t.app.operations.deadLetters();
    expect(await t.app.operations.discard({ id: first?.id })).toBe(1);
    expect(await t.app.operations.discard({ handler: "insert" })).toBe(2);
  });
});

test("a declaration that comes to nothing is told when the app starts", async () => {
  const registry = createRegistry();
  registry.on("forgotten");
  class Lost {
    @registry.on("lost") lost() {}
  }
  class Found {
    @registry.on("found") found() {}
  }
  const told: string[] = [];
  const note = (_fields: object, message = ""): void => void told.push(message);
  const nothing = (): void => {};
  const log = {
    trace: nothing,
    debug: nothing,
    info: nothing,
    warn: note,
    error: note,
    fatal: note,
    child: () => log,
  };
  const app = createApp({ registry, handlers: [Found], engine: "memory:", env: {}, log });
  endings.push(() => app.stop());
  await app.start();
  expect(told).toEqual([
    'on("forgotten") has no effect: it was given no function. Write .execute(async (input, ctx) => …).',
    'on("lost") has no effect: its class was given to no app. Write createApp({ handlers: [TheClass] }).',
  ]);
  expect(new Lost()).toBeDefined();
});

describe("dead_letter", () => {
  test("is told to who listens in another process, once for each death, also after a replay", async () => {
    const store = new MemoryStore();
    const clock = new VirtualClock();
    const told: unknown[] = [];
    const app = async (declare: (registry: ReturnType<typeof createRegistry>) => void) => {
      const registry = createRegistry();
      declare(registry);
      const one = createApp({ registry, engine: memoryEngine({ store }), clock, log: "silent", env: {} });
      endings.push(() => one.stop());
      await one.start();
      return one;
    };
    await app(
      ({ on }) => void on("dead_letter", { name: "tell" }).execute((letter) => void told.push(letter)),
    );
    const worker = await app(({ on }) =>
      on(Row, { name: "work", retry: 1 }).execute(() => Promise.reject(new Error("no"))),
    );
    const id = await worker.publish(Row, { n: 1 });
    await clock.advance("5s");
    expect(told).toMatchObject([{ id, handler: "work", reason: "exhausted" }]);
    await worker.operations.replay({ id });
    await clock.advance("5s");
    expect(told).toHaveLength(2);
  });
});

test("publishAll says what is no publication", async () => {
  const t = await testApp(({ on }) => void on(Row, { name: "insert" }).execute(() => {}));
  for (const wrong of [[["row", { n: 1 }]], [null], ["row"]])
    await expect(t.app.publishAll(wrong as never)).rejects.toMatchObject({ code: "PUBLISH_OPTION_INVALID" });
});

test("of what falls due at one moment the smaller priority begins first, whichever handlers and tasks it is for", async () => {
  const order: string[] = [];
  const t = await testApp(({ on, timeOn }) => {
    timeOn("late", { every: "1m", priority: 5 }).execute(() => void order.push("late"));
    timeOn("soon", { every: "1m", priority: 1 }).execute(() => void order.push("soon"));
    for (const name of ["a", "b"]) on(`${name}.*`, { name }).execute(() => void order.push(name));
  });
  await t.advance("2m");
  expect(order).toEqual(["soon", "late", "soon", "late"]);
  await t.app.publish("a.x", {}, { priority: 2 });
  await t.app.publish("b.x", {}, { priority: 1 });
  await t.advance(0);
  expect(order.slice(4)).toEqual(["b", "a"]);
});
