import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { createApp, createRegistry, defineEvent, type App } from "../src/index.ts";
import { createTestApp } from "../src/testing/index.ts";
import { z } from "zod";

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "app-"));
  endings.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function started(options: Parameters<typeof createApp>[0]): Promise<App> {
  const app = createApp({ log: "silent", env: {}, engine: "memory:", ...options });
  endings.push(() => app.stop());
  await app.start();
  return app;
}

describe("life", () => {
  test("stop is legal before start and twice; start after stop says what to do", async () => {
    const app = createApp({ registry: createRegistry(), log: "silent", env: {} });
    await app.stop();
    await app.stop();
    await expect(app.start()).rejects.toMatchObject({ code: "APP_STOPPED" });
    expect(app.state).toBe("stopped");
  });

  test("nothing works before start, and the error says so", async () => {
    const app = createApp({ registry: createRegistry(), log: "silent", env: {} });
    for (const call of [
      app.trigger("e"),
      app.publish("e"),
      app.handle("/x"),
      app.match("x"),
      app.metrics(),
      app.health(),
    ]) {
      await expect(call).rejects.toMatchObject({ code: "APP_NOT_STARTED" });
    }
    expect(() => app.engine).toThrow(/await app\.start\(\) first/);
    expect(await app.ready()).toMatchObject({ status: "down" });
  });

  test("starting twice is one start, also at once", async () => {
    const app = await started({ registry: createRegistry() });
    await Promise.all([app.start(), app.start()]);
    expect(app.state).toBe("running");
  });

  test("every mistake of the configuration is listed", async () => {
    const env = { PORT: "eighty", LOG_LEVEL: "loud", ENGINE_URL: "nothing" };
    const error = await createApp({ registry: createRegistry(), env })
      .start()
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "CONFIG_INVALID" });
    for (const name of Object.keys(env)) expect(String(error)).toContain(name);
  });

  test("an unknown engine is refused with those there are", async () => {
    const app = createApp({ registry: createRegistry(), engine: "oracle://x", log: "silent", env: {} });
    await expect(app.start()).rejects.toThrow(/no engine for "oracle:"[^]*sqlite:/);
  });

  test("an engine that is still to come says so, and what to use instead", async () => {
    const app = createApp({
      registry: createRegistry(),
      engine: "nats://localhost",
      log: "silent",
      env: {},
    });
    await expect(app.start()).rejects.toThrow(
      /"nats:" is not part of this version[^]*npm install @nats-io[^]*sqlite:data/,
    );
  });

  test("strict durability is refused where it cannot be kept, before anything is opened", async () => {
    const engine = `sqlite:${join(folder(), "app.db")}`;
    const strict = { registry: createRegistry(), log: "silent", env: {}, durability: "strict" } as const;
    await expect(createApp({ ...strict, engine }).start()).rejects.toMatchObject({
      code: "ENGINE_UNSUPPORTED",
    });
    const app = await started({ ...strict, engine: `${engine}?synchronous=full` });
    expect(app.state).toBe("running");
  });

  test("services start in order, are typed by the app, and end in reverse after the handlers", async () => {
    const events: string[] = [];
    const registry = createRegistry();
    registry.on("e").execute(async function use(_, ctx) {
      await Promise.resolve();
      events.push(
        `used ${String((ctx.services as unknown as Record<string, { id: string }>)["second"]?.id)}`,
      );
    });
    const service = (id: string) => ({ id, close: () => void events.push(`closed ${id}`) });
    const app = await started({
      registry,
      services: {
        first: () => (events.push("made first"), service("first")),
        second: {
          start: async () => (events.push("made second"), service("second")),
          stop: () => void events.push("stopped second"),
        },
      },
    });
    const run = app.trigger("e");
    await app.stop();
    await run;
    expect(events).toEqual(["made first", "made second", "used second", "stopped second", "closed first"]);
  });

  test("a service that fails to start ends those before it, and the start", async () => {
    const events: string[] = [];
    const app = createApp({
      registry: createRegistry(),
      engine: "memory:",
      log: "silent",
      env: {},
      services: {
        good: () => ({ close: () => void events.push("closed good") }),
        bad: () => {
          throw new Error("no connection");
        },
      },
    });
    await expect(app.start()).rejects.toThrow(/service "bad" could not be started: Error: no connection/);
    expect(events).toEqual(["closed good"]);
    expect(app.state).toBe("stopped");
  });

  test("stop waits for a running trigger, and aborts one that takes too long", async () => {
    const registry = createRegistry();
    registry.on("long").execute(function long(_, { signal }) {
      return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    });
    const app = await started({ registry, shutdownTimeout: 20 });
    const run = app.trigger("long").catch((error: AggregateError) => error.errors[0] as unknown);
    await app.stop();
    expect(await run).toMatchObject({ code: "CANCELLED" });
  });

  test("requests, deliveries and direct runs share one deadline", async () => {
    const registry = createRegistry();
    const begun = Promise.withResolvers<void>();
    let runs = 0;
    const aborted: number[] = [];
    registry.on("hangs").execute(function hangs(_, { signal }) {
      if (++runs === 4) begun.resolve();
      signal.addEventListener("abort", () => aborted.push(performance.now()));
      return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    });
    const app = await started({ registry, shutdownTimeout: 1_000, http: { port: 0 } });
    await app.publish("hangs");
    const direct = app.trigger("hangs").catch(() => "aborted");
    const asked = app.request("hangs").catch((error: { code: string }) => error.code);
    const over = fetch(`${app.url}/events/hangs?wait=true`, { method: "POST" }).then(
      () => "answered",
      () => "cut",
    );
    await begun.promise;
    await app.stop();
    // One after the other they would be a timeout apart.
    expect(aborted).toHaveLength(4);
    expect(Math.max(...aborted) - Math.min(...aborted)).toBeLessThan(900);
    expect(await direct).toBe("aborted");
    expect(await asked).toBe("CANCELLED");
    expect(["answered", "cut"]).toContain(await over);
  });

  test("await using stops the app", async () => {
    let app: App;
    {
      await using inner = await started({ registry: createRegistry() });
      app = inner;
    }
    expect(app.state).toBe("stopped");
  });
});

describe("classes", () => {
  const User = defineEvent("user", z.object({ email: z.email() }));
  const { on, timeOn, commandOn, reOn } = createRegistry();
  class Accounts {
    readonly #greeting: string;
    constructor(services: { greeting?: string }) {
      this.#greeting = services.greeting ?? "none";
    }
    @on(User) welcome(user: { email: string }) {
      return `${this.#greeting} ${user.email}`;
    }
    @timeOn("nightly", { cron: "0 3 * * *", timezone: "Asia/Shanghai" }) nightly() {}
    @commandOn("hello", "/hello <name>") hello({ name }: { name: string }) {
      return `hello ${name}`;
    }
    @reOn("errors", "content", /ERROR (?<what>.*)/) seen(match: {
      groups: Readonly<Record<string, string>>;
    }) {
      return match.groups["what"];
    }
  }

  test("all four kinds as methods, on an instance made with the app's services", async () => {
    const app = await started({
      registry: createRegistry(),
      handlers: [Accounts],
      services: { greeting: () => "hi" },
    });
    expect(await app.trigger(User, { email: "ann@example.com" })).toEqual(["hi ann@example.com"]);
    expect(await app.handle("/hello world")).toMatchObject({ status: "ok", text: "hello world" });
    expect(await app.match("an ERROR disk full")).toMatchObject([
      { handler: "errors", status: "ok", value: "disk full" },
    ]);
    expect(app.registry.list().map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "event Accounts.welcome",
      "time nightly",
      "command hello",
      "pattern errors",
    ]);
  });

  test("two apps at once do not see each other's", async () => {
    const registry = createRegistry();
    const one = await started({ registry, handlers: [Accounts], services: { greeting: () => "one" } });
    const two = await started({ registry, handlers: [Accounts], services: { greeting: () => "two" } });
    expect(await one.trigger(User, { email: "ann@example.com" })).toEqual(["one ann@example.com"]);
    expect(await two.trigger(User, { email: "ann@example.com" })).toEqual(["two ann@example.com"]);
  });
});

test("plugins and middleware", async () => {
  const registry = createRegistry();
  registry.on("e").execute(() => "inner");
  const app = await started({
    registry,
    use: [async (_, next) => `first(${String(await next())})`],
    plugins: [(to) => void to.use(async (_, next) => `second(${String(await next())})`)],
  });
  expect(await app.trigger("e")).toEqual(["first(second(inner))"]);
  expect(() => app.use(async (_, next) => next())).toThrow(/before the app starts/);
});

test("handlers may be declared and removed while the app runs", async () => {
  const registry = createRegistry();
  const t = await createTestApp({ registry });
  endings.push(() => t.stop());
  const got: unknown[] = [];
  registry.on("late").execute(function late(payload) {
    got.push(payload);
  });
  await t.advance(0);
  await t.publish("late", 1);
  expect(got).toEqual([1]);
  registry.remove("late");
  // It is still subscribed: its messages wait for a replica that knows it.
  await t.app.engine.queue.publish([{ event: "late", payload: "2", priority: 0, due: t.now() }]);
  await t.advance("1h");
  expect(got).toEqual([1]);
  expect((await t.app.engine.queue.subscriptions())[0]).toMatchObject({ handler: "late", ready: 1 });
});

test("a dead letter is an event that a handler may subscribe to; its own failures are not announced", async () => {
  const registry = createRegistry();
  const told: unknown[] = [];
  registry.on("fails", { retry: false }).execute(function fails() {
    throw new Error("no");
  });
  registry.on("dead_letter", { retry: false }).execute(function reporter(letter) {
    told.push(letter);
    throw new Error("the reporter fails, too");
  });
  await using t = await createTestApp({ registry });
  const id = await t.publish("fails", { n: 1 });
  await t.advance("1h");
  expect(told).toEqual([
    {
      id,
      handler: "fails",
      event: "fails",
      attempt: 1,
      reason: "exhausted",
      error: "no",
      payload: { n: 1 },
    },
  ]);
  expect(t.deadLetters.map(({ handler }) => handler)).toEqual(["fails", "reporter"]);
});

describe("health and metrics", () => {
  test("an app that runs is live and ready, and shows its replica", async () => {
    const app = await started({ registry: createRegistry() });
    expect(app.live()).toEqual({ status: "ok", problems: [] });
    expect(await app.ready()).toEqual({ status: "ok", problems: [] });
    expect(await app.health()).toMatchObject({
      status: "ok",
      state: "running",
      engine: { name: "memory", status: "ok" },
    });
    await app.stop();
    expect(await app.ready()).toMatchObject({ status: "down" });
  });

  test("what ran is counted under the names of the guide's alert rules", async () => {
    const registry = createRegistry();
    registry.on("good").execute(function good() {});
    registry.on("bad").execute(function bad() {
      throw new Error("no");
    });
    const app = await started({ registry });
    await app.trigger("good");
    await app.trigger("bad").catch(() => {});
    const { text } = await app.metrics();
    expect(text).toMatch(/^framework_events_total\{event="good",handler="good",status="ok"\} 1$/m);
    expect(text).toMatch(/^framework_events_total\{event="bad",handler="bad",status="error"\} 1$/m);
  });
});

test("on the SQLite file: delivered, and nothing is left when it stops", async () => {
  const registry = createRegistry();
  const got: unknown[] = [];
  const all = Promise.withResolvers<void>();
  registry.on("e").execute(function count(payload) {
    if (got.push(payload) === 100) all.resolve();
  });
  const engine = `sqlite:${join(folder(), "deep/data/app.db")}`;
  const app = await started({ registry, engine });
  await app.publishAll(Array.from({ length: 100 }, (_, at) => ({ event: "e", payload: at })));
  await all.promise;
  await app.stop();
  expect([...got].sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 100 }, (_, at) => at));
  const again = await started({ registry: createRegistry(), engine });
  expect(await again.engine.queue.list({})).toEqual([]);
});

test("a followed log feeds the patterns, and the next app goes on where this one stopped", async () => {
  const { appendFileSync } = await import("node:fs");
  const path = folder();
  const log = join(path, "x.log");
  appendFileSync(log, "ERROR one\nfine\nERROR two\n");
  const seen: string[] = [];
  const registry = createRegistry();
  registry
    .reOn("errors", "content", /ERROR (?<what>.*)/)
    .execute((m) => void seen.push(m.groups["what"] ?? ""));
  const options = { registry, engine: `sqlite:${join(path, "app.db")}` };
  const first = await started(options);
  await (await first.follow({ file: log, fromStart: true })).caughtUp();
  await first.stop();
  appendFileSync(log, "ERROR three\n");
  const second = await started(options);
  await (await second.follow({ file: log, fromStart: true })).caughtUp();
  expect(seen).toEqual(["one", "two", "three"]);
});
