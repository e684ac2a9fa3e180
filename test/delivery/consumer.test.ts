import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { createRegistry } from "../../src/declare/create-registry.ts";
import { defineEvent } from "../../src/declare/define-event.ts";
import { Consumer } from "../../src/delivery/consumer.ts";
import type { Death } from "../../src/delivery/settler.ts";
import { Publisher } from "../../src/delivery/publisher.ts";
import { memoryEngine } from "../../src/engines/memory/engine.ts";
import { MemoryStore } from "../../src/engines/memory/store.ts";
import { Fatal } from "../../src/errors.ts";
import { EventDispatcher } from "../../src/events/event-dispatcher.ts";
import { cancel, snooze } from "../../src/outcome.ts";
import { bareEnvironment } from "../../src/pipeline/environment.ts";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

async function setup(declare: (registry: ReturnType<typeof createRegistry>) => void) {
  const clock = new VirtualClock();
  const registry = createRegistry();
  declare(registry);
  const store = new MemoryStore();
  const engine = memoryEngine({ store });
  const instance = { id: "test", host: "h", pid: 1, version: "0", startedAt: clock.now() };
  await engine.start({ clock, instance, lease: 30_000 });
  const pipeline = new Pipeline({ ...bareEnvironment(), clock, random: () => 1, limits: engine.limits });
  const events = new EventDispatcher({ registry, pipeline });
  const publisher = new Publisher(engine, (event) => events.handlersOf(event));
  pipeline.environment.publish = publisher.publish.bind(publisher);
  const deaths: Death[] = [];
  const consumer = new Consumer(engine, pipeline, {
    dying: async (death) => void deaths.push(death),
    ran: async () => {},
    ended: async () => {},
  });
  const handlers = registry.list().filter((handler) => handler.kind === "event");
  await engine.queue.subscribe(handlers.map(({ name, topic }) => ({ handler: name, topic })));
  for (const handler of handlers) consumer.add(handler);
  consumer.start();
  endings.push(async () => {
    consumer.pause();
    await engine.stop();
  });
  const stats = (name: string) => pipeline.runner(registry.get(name) as never).stats;
  return { clock, registry, engine, store, publisher, consumer, deaths, stats };
}

test("a published event reaches each of its handlers", async () => {
  const got: string[] = [];
  const { publisher, clock, engine } = await setup(({ on }) => {
    on("e", { name: "one" }).execute((payload) => void got.push(`one ${JSON.stringify(payload)}`));
    on("*", { name: "two" }).execute((_, ctx) => void got.push(`two ${ctx.event} ${ctx.headers["tenant"]}`));
  });
  const id = await publisher.publish("e", { n: 1 }, { headers: { Tenant: "a" } });
  await clock.advance(0);
  expect(id).toMatch(/\S/);
  expect(got.sort()).toEqual(['one {"n":1}', "two e a"]);
  expect((await engine.queue.subscriptions()).map(({ ready, running }) => ready + running)).toEqual([0, 0]);
});

describe("retry", () => {
  test("a failure comes again after its wait, with its attempt counted, until it succeeds", async () => {
    const attempts: string[] = [];
    const { publisher, clock, stats } = await setup(({ on }) => {
      on("e", { name: "h", retry: { delay: "10s" } }).execute((_, ctx) => {
        attempts.push(`${ctx.id} ${ctx.attempt} at ${ctx.now()}`);
        if (ctx.attempt < 3) throw new Error("not yet");
      });
    });
    const start = clock.now();
    const id = await publisher.publish("e");
    await clock.advance("1h");
    expect(attempts).toEqual([
      `${id} 1 at ${start}`,
      `${id} 2 at ${start + 10_000}`,
      `${id} 3 at ${start + 30_000}`,
    ]);
    expect(stats("h")).toMatchObject({ ok: 1, error: 2, retries: 2, dead: 0 });
  });

  test("attempts used up: dead letter with the whole history, and it is told", async () => {
    const { publisher, clock, engine, deaths } = await setup(({ on }) => {
      on("e", { name: "h", retry: 2 }).execute((_, ctx) => {
        throw new TypeError(`attempt ${ctx.attempt}`, { cause: new Error("why") });
      });
    });
    const id = await publisher.publish("e", { n: 1 });
    await clock.advance("1h");
    const [letter] = await engine.deadLetters.list({});
    expect(letter).toMatchObject({
      id,
      handler: "h",
      event: "e",
      reason: "exhausted",
      attempt: 2,
      payload: '{"n":1}',
    });
    const errors = JSON.parse(letter?.errors ?? "[]") as { message: string; stack: string; name: string }[];
    expect(errors.map(({ message }) => message)).toEqual(["attempt 1", "attempt 2"]);
    expect(errors[0]?.stack).toMatch(/TypeError: attempt 1[^]*consumer\.test\.ts[^]*caused by Error: why/);
    expect(deaths).toHaveLength(1);
  });

  test("Fatal ends it at once; deadLetter: false drops it", async () => {
    const { publisher, clock, engine } = await setup(({ on }) => {
      on("fatal", { name: "fatal" }).execute(() => {
        throw new Fatal("never");
      });
      on("dropped", { name: "dropped", retry: false, deadLetter: false }).execute(() => {
        throw new Error("whatever");
      });
    });
    await publisher.publish("fatal");
    await publisher.publish("dropped");
    await clock.advance("1h");
    expect(await engine.deadLetters.list({})).toMatchObject([
      { handler: "fatal", reason: "fatal", attempt: 1 },
    ]);
  });

  test("anything may be thrown", async () => {
    const thrown = [undefined, null, "text", 42, { circular: undefined as unknown }, Symbol("s")];
    (thrown[4] as { circular: unknown }).circular = thrown[4];
    let next = 0;
    const { publisher, clock, engine } = await setup(({ on }) => {
      on("e", { name: "h", retry: false }).execute(() => {
        throw thrown[next++];
      });
    });
    for (const _ of thrown) await publisher.publish("e");
    await clock.advance(0);
    expect(await engine.deadLetters.count({})).toBe(thrown.length);
  });
});

test("outcomes: snooze spends no attempt, cancel is done", async () => {
  const attempts: number[] = [];
  const { publisher, clock, engine } = await setup(({ on }) => {
    on("later", { name: "later" }).execute((_, ctx) => {
      attempts.push(ctx.attempt);
      return attempts.length < 10 ? snooze("1m") : "done";
    });
    on("pointless", { name: "pointless" }).execute(() => cancel("nobody wants it"));
  });
  await publisher.publish("later");
  await publisher.publish("pointless");
  await clock.advance("1h");
  expect(attempts).toEqual(Array.from({ length: 10 }, () => 1));
  expect(await engine.queue.list({})).toEqual([]);
  expect(await engine.deadLetters.count({})).toBe(0);
});

describe("what cannot be run", () => {
  const Order = defineEvent("order", z.object({ amount: z.number() }));

  test("a stored payload that does not fit goes to the dead letters with its reason", async () => {
    let ran = false;
    const { clock, engine } = await setup(({ on }) => {
      on(Order, { name: "h" }).execute(() => (ran = true));
    });
    const message = { event: "order", priority: 0, due: clock.now() };
    await engine.queue.publish([
      { ...message, payload: '{"amount":"ten"}' },
      { ...message, payload: "{broken" },
    ]);
    await clock.advance(0);
    const letters = await engine.deadLetters.list({});
    expect(letters.map(({ reason }) => reason)).toEqual(["invalid", "invalid"]);
    expect(letters[0]?.errors).toContain("amount");
    expect(ran).toBe(false);
  });

  test("an expired one is not delivered and not lost", async () => {
    let ran = 0;
    const { publisher, clock, engine } = await setup(({ on }) => {
      on("e", { name: "h" }).execute(() => ran++);
    });
    await publisher.publish("e", 1, { delay: "10s", expires: "5s" });
    await publisher.publish("e", 2, { delay: "10s", expires: "15s" });
    await clock.advance("1m");
    expect(ran).toBe(1);
    expect(await engine.deadLetters.list({})).toMatchObject([{ reason: "expired", payload: "1" }]);
  });

  test("one whose process died in each attempt is poison", async () => {
    let ran = false;
    const { clock, engine, store, publisher, consumer } = await setup(({ on }) => {
      on("e", { name: "h", retry: 2 }).execute(() => (ran = true));
    });
    consumer.pause();
    await publisher.publish("e");
    for (const id of ["first", "second"]) {
      const doomed = memoryEngine({ store });
      await doomed.start({
        clock,
        lease: 30_000,
        instance: { id, host: "h", pid: 2, version: "0", startedAt: 0 },
      });
      expect((await doomed.queue.claim([{ handler: "h", limit: 1 }])).claims).toHaveLength(1);
      // Killed without settling: it gives no more signs of life, and its neighbour finds out.
      await clock.advance("20s");
      await engine.presence.beat();
      await clock.advance("20s");
      await engine.presence.beat();
      expect(await engine.presence.sweep()).toBe(1);
    }
    consumer.start();
    await clock.advance(0);
    expect(await engine.deadLetters.list({})).toMatchObject([{ reason: "poison", handler: "h" }]);
    expect(ran).toBe(false);
  });
});

test("a delayed event is delivered when it is due, an earlier one before it", async () => {
  const got: string[] = [];
  const { publisher, clock } = await setup(({ on }) => {
    on("e", { name: "h" }).execute(
      (payload, ctx) => void got.push(`${String(payload)} ${(ctx.now() - start) / 1_000}`),
    );
  });
  const start = clock.now();
  await publisher.publish("e", "hour", { delay: "1h" });
  await publisher.publish("e", "minute", { at: start + 60_000 });
  await publisher.publish("e", "now");
  await clock.advance("2h");
  expect(got).toEqual(["now 0", "minute 60", "hour 3600"]);
});

test("no more than `concurrency` run at a time, and none waits when there is room", async () => {
  const running = new Set<() => void>();
  let most = 0;
  const { publisher, clock, stats } = await setup(({ on }) => {
    on("e", { name: "h", concurrency: 3 }).execute(
      () =>
        new Promise<void>((resolve) => {
          const end = () => {
            running.delete(end);
            resolve();
          };
          running.add(end);
          most = Math.max(most, running.size);
        }),
    );
  });
  await publisher.publishAll(Array.from({ length: 10 }, () => ({ event: "e" })));
  for (let done = 0; done < 10; done++) {
    await clock.advance(0);
    expect(running.size).toBe(Math.min(3, 10 - done));
    [...running][0]?.();
  }
  await clock.advance(0);
  expect(most).toBe(3);
  expect(stats("h").ok).toBe(10);
});

test("a rate limit delays deliveries and spends no attempt", async () => {
  const at: number[] = [];
  const attempts = new Set<number>();
  const { publisher, clock } = await setup(({ on }) => {
    on("e", { name: "h", rateLimit: { limit: 2, per: "10s" } }).execute((_, ctx) => {
      at.push(ctx.now());
      attempts.add(ctx.attempt);
    });
  });
  await publisher.publishAll(Array.from({ length: 6 }, () => ({ event: "e" })));
  await clock.advance("5m");
  expect(at).toHaveLength(6);
  for (let third = 2; third < 6; third++)
    expect((at[third] ?? 0) - (at[third - 2] ?? 0)).toBeGreaterThanOrEqual(10_000);
  expect([...attempts]).toEqual([1]);
});

test("finished steps are not run again", async () => {
  const charges: string[] = [];
  const { publisher, clock } = await setup(({ on }) => {
    on("e", { name: "h", retry: { delay: 1 } }).execute(async (_, { step, attempt }) => {
      const receipt = await step("charge", () => {
        charges.push(`attempt ${attempt}`);
        return { receipt: 7 };
      });
      if (attempt < 3) throw new Error("after the charge");
      charges.push(`receipt ${receipt.receipt}`);
    });
  });
  await publisher.publish("e");
  await clock.advance("1m");
  expect(charges).toEqual(["attempt 1", "receipt 7"]);
});

describe("drain", () => {
  test("waits for what runs and claims nothing more", async () => {
    let end: () => void = () => {};
    const ran: unknown[] = [];
    const { publisher, clock, consumer, engine } = await setup(({ on }) => {
      on("e", { name: "h", concurrency: 1 }).execute((payload) => {
        ran.push(payload);
        return new Promise<void>((resolve) => (end = resolve));
      });
    });
    await publisher.publishAll([1, 2].map((payload) => ({ event: "e", payload })));
    await clock.advance(0);
    const drained = consumer.drain(10_000);
    end();
    await drained;
    expect(ran).toEqual([1]);
    expect(await engine.queue.list({})).toMatchObject([{ payload: "2", state: "ready", attempt: 0 }]);
  });

  test("after the timeout the signal is aborted and what is left is given back, its attempt not spent", async () => {
    let aborted = false;
    const { publisher, clock, consumer, engine } = await setup(({ on }) => {
      on("obeys", { name: "obeys" }).execute(
        (_, { signal }) =>
          new Promise((_resolve, reject) =>
            signal.addEventListener("abort", () => {
              aborted = true;
              reject(signal.reason);
            }),
          ),
      );
      on("ignores", { name: "ignores" }).execute(() => new Promise(() => {}));
    });
    await publisher.publish("obeys");
    await publisher.publish("ignores");
    await clock.advance(0);
    await consumer.drain(10);
    expect(aborted).toBe(true);
    expect(consumer.held).toBe(0);
    expect(
      (await engine.queue.list({}))
        .map(({ handler, state, attempt }) => `${handler} ${state} ${attempt}`)
        .sort(),
    ).toEqual(["ignores ready 0", "obeys ready 0"]);
  });
});

test("one wrong publish does not fail those that are made in the same turn", async () => {
  const { publisher, engine } = await setup(({ on }) => {
    on("e", { name: "h" }).execute(() => {});
  });
  const publishes = [
    publisher.publish("e", 1),
    publisher.publish("e", 2, { key: {} as string }),
    publisher.publish("e", 3),
  ];
  expect((await Promise.allSettled(publishes)).map(({ status }) => status)).toEqual([
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  expect((await engine.queue.subscriptions())[0]?.ready).toBe(2);
});

test("a rate limit whose key cannot be told fails the attempt, and in the end the message", async () => {
  const { publisher, clock, engine } = await setup(({ on }) => {
    on("e", {
      name: "h",
      retry: { attempts: 2, delay: "1s" },
      rateLimit: {
        limit: 1,
        per: "1s",
        by: () => {
          throw new Error("no tenant");
        },
      },
    }).execute(() => {});
  });
  await publisher.publish("e");
  await clock.advance("1m");
  expect(await engine.deadLetters.list({})).toMatchObject([{ reason: "exhausted", attempt: 2 }]);
});

describe("publishing", () => {
  const Order = defineEvent("order", z.object({ amount: z.number() }));

  test("what JSON cannot hold, or the schema refuses, is refused before anything is stored", async () => {
    const { publisher, engine } = await setup(({ on }) => {
      on(Order, { name: "h" }).execute(() => {});
    });
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    for (const payload of [{ amount: "ten" }, circular, { amount: 1n }, () => {}]) {
      await expect(publisher.publish("order", payload)).rejects.toMatchObject({ code: "PAYLOAD_INVALID" });
    }
    await expect(publisher.publish(Order, { amount: new Date() })).rejects.toThrow(/amount/);
    expect(await engine.queue.list({})).toEqual([]);
  });

  test("a name that nobody handles is refused, and the nearest is named", async () => {
    const { publisher } = await setup(({ on }) => {
      on("user.created", { name: "h" }).execute(() => {});
    });
    await expect(publisher.publish("user.creatd")).rejects.toThrow(
      /subscribed to the event "user\.creatd"\. Did you mean "user\.created"\?/,
    );
  });

  test("an event that is defined but not handled yet is kept among the dead letters", async () => {
    const { publisher, engine } = await setup(() => {});
    const id = await publisher.publish(Order, { amount: 1 });
    expect(await engine.deadLetters.list({})).toMatchObject([{ id, reason: "unrouted", handler: "" }]);
  });

  test.each([
    [{ delay: "1s", at: 1 }, /either delay or at/],
    [{ priority: 1.5 }, /priority must be a whole number/],
    [{ key: "" }, /key must be a string that is not empty/],
    [{ dedupe: "" }, /dedupe needs a key/],
    [{ headers: { a: 1 } }, /header "a" must be a string/],
    [{ at: new Date(Number.NaN) }, /at is not a valid moment/],
    [{ delay: "soon" }, /delay: "soon" is not a duration/],
    [{ key: {} }, /key must be a string/],
    [{ at: 1e300 }, /at is not a valid moment/],
    [{ headers: "x" }, /headers must be an object/],
    [{ dedupe: { key: "a" } }, /dedupe must be a key, or/],
    [{ dely: "1s" }, /there is no option "dely"\. Did you mean "delay"\?/],
  ])("wrong options are refused: %j", async (options, message) => {
    const { publisher } = await setup(({ on }) => {
      on("e", { name: "h" }).execute(() => {});
    });
    await expect(publisher.publish("e", 1, options as never)).rejects.toThrow(message);
  });
});
