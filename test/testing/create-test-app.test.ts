import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { delay } from "../../src/clock.ts";
import { createRegistry } from "../../src/declare/create-registry.ts";
import { defineEvent } from "../../src/declare/define-event.ts";
import { createTestApp } from "../../src/testing/create-test-app.ts";

const ROOT = join(import.meta.dirname, "../..");
const MINUTE = 60_000;

describe("handlers that wait for the clock", () => {
  test("a trigger that is retried in place goes on when time is moved", async () => {
    const registry = createRegistry();
    registry.on("e", { retry: { attempts: 3, delay: "1m", jitter: false } }).execute(function h(_, ctx) {
      if (ctx.attempt < 3) throw new Error("not yet");
      return ctx.now();
    });
    await using t = await createTestApp({ registry, now: 0 });
    const result = t.trigger("e");
    await t.advance("2m");
    expect(t.runs.map(({ attempt, at }) => `${attempt} at ${at}`)).toEqual(["1 at 0", `2 at ${MINUTE}`]);
    await t.advance("1m");
    expect(await result).toEqual([3 * MINUTE]);
  });

  test("a command that sleeps answers when time is moved, and the ticks in between are run", async () => {
    const registry = createRegistry();
    registry.commandOn("slow", "/slow").execute(async (_, ctx) => {
      await ctx.sleep("10m");
      return `at ${ctx.now()}`;
    });
    registry.timeOn("tick", { every: "1m" }).execute(() => {});
    await using t = await createTestApp({ registry, now: 0 });
    const reply = t.handle("/slow");
    await t.advance("10m");
    expect(await reply).toMatchObject({ status: "ok", text: `at ${10 * MINUTE}` });
    expect(t.runs.filter(({ handler }) => handler === "tick")).toHaveLength(10);
    expect(t.replies).toEqual([await reply]);
  });

  test("a delivery that waits does not hold up the others", async () => {
    const registry = createRegistry();
    const ended: string[] = [];
    let clock: Parameters<typeof delay>[0] | undefined;
    registry.on("wait").execute(async function waits(ms: number, ctx) {
      await delay(clock ?? expect.fail(), ms);
      ended.push(`${ms} at ${ctx.now()}`);
    });
    await using t = await createTestApp({ registry, now: 0 });
    ({ clock } = t);
    for (const ms of [3_000, 1_000, 2_000]) await t.publish("wait", ms);
    await t.advance("1h");
    expect(ended).toEqual(["1000 at 1000", "2000 at 2000", "3000 at 3000"]);
  });

  test("ctx.sleep of a delivery leaves the handler, and its finished steps are not run again", async () => {
    const registry = createRegistry();
    const log: string[] = [];
    registry.on("order").execute(async function remind(_, ctx) {
      await ctx.step("charge", () => log.push(`charged at ${ctx.now()}`));
      await ctx.sleep("1d");
      log.push(`reminded at ${ctx.now()}`);
    });
    await using t = await createTestApp({ registry, now: 0 });
    await t.publish("order");
    await t.advance("2d");
    expect(log).toEqual(["charged at 0", `reminded at ${24 * 60 * MINUTE}`]);
  });
});

test("time may be moved while a handler waits for the test", async () => {
  const registry = createRegistry();
  const gate = Promise.withResolvers<void>();
  registry.on("e").execute(async function h(_, ctx) {
    await gate.promise;
    return ctx.now();
  });
  await using t = await createTestApp({ registry, now: 0 });
  await t.publish("e");
  await t.advance("1h");
  expect(t.runs).toMatchObject([{ handler: "h", at: 0 }]);
  expect(t.runs[0]).not.toHaveProperty("result");
  gate.resolve();
  await t.advance(0);
  expect(t.runs[0]).toMatchObject({ result: 60 * MINUTE });
});

test("a handler that reads files ends before time moves on, however slow the machine is", async () => {
  const registry = createRegistry();
  const ended: number[] = [];
  registry.timeOn("reads", { every: "1m" }).execute(async (_, ctx) => {
    const at = ctx.now();
    const begun = performance.now();
    // Longer than a handler has for what nobody can see.
    while (performance.now() - begun < 60) await readFile(join(ROOT, "package.json"));
    ended.push(ctx.now() - at);
  });
  await using t = await createTestApp({ registry });
  await t.advance("3m");
  expect(ended).toEqual([0, 0, 0]);
});

test("advance in a handler is refused, and says so", async () => {
  const registry = createRegistry();
  await using t = await createTestApp({ registry });
  registry.timeOn("moves", { every: "1m", retry: false }).execute(() => t.advance("1m"));
  await t.advance("1m");
  expect(t.deadLetters).toMatchObject([
    { handler: "moves", error: expect.stringMatching(/another runs/) as string },
  ]);
});

test("what was published is typed by its event, and dead letters say why", async () => {
  const Paid = defineEvent("paid", z.object({ amount: z.number() }));
  const registry = createRegistry();
  registry.on(Paid, { retry: 2 }).execute(function refuses() {
    throw new Error("no money");
  });
  await using t = await createTestApp({ registry });
  const id = await t.publish(Paid, { amount: 3 }, { headers: { tenant: "a" }, key: "k" });
  await t.app.publish(defineEvent("unheard"), 1);
  await t.advance("1h");
  const published = t.published(Paid);
  expectTypeOf(published).toEqualTypeOf<{ amount: number }[]>();
  expect(published).toEqual([{ amount: 3 }]);
  expect(t.published()).toEqual([{ amount: 3 }, 1]);
  expect(t.messages("paid")).toMatchObject([{ id, key: "k", headers: { tenant: "a" } }]);
  expect(t.deadLetters).toMatchObject([
    { handler: "", event: "unheard", reason: "unrouted" },
    { id, handler: "refuses", payload: { amount: 3 }, attempt: 2, reason: "exhausted", error: "no money" },
  ]);
});

test("the same seed draws the same waits, another draws others", async () => {
  const waits = async (seed: number): Promise<number[]> => {
    const registry = createRegistry();
    registry.on("e", { retry: 5 }).execute(function fails() {
      throw new Error("again");
    });
    await using t = await createTestApp({ registry, seed });
    await t.publish("e");
    await t.advance("1h");
    return t.runs.map(({ at }) => at);
  };
  const first = await waits(7);
  expect(first).toHaveLength(5);
  expect(await waits(7)).toEqual(first);
  expect(await waits(8)).not.toEqual(first);
});

/** Runs files under node:test, which has neither vitest's nor jest's globals. */
async function runWithNode(sources: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "node-test-"));
  try {
    for (const [name, source] of Object.entries(sources)) {
      const bound = source
        .replaceAll(/"decorator-framework"/g, JSON.stringify(join(ROOT, "src/index.ts")))
        .replaceAll(/"decorator-framework\/testing"/g, JSON.stringify(join(ROOT, "src/testing/index.ts")));
      await writeFile(join(directory, name), bound);
    }
    const files = Object.keys(sources).map((name) => join(directory, name));
    // Without vitest's variables, so that nothing in the child could find a runner there.
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--test", "--test-reporter=tap", ...files],
      {
        env: { PATH: process.env["PATH"] },
      },
    );
    return stdout;
  } catch (error) {
    throw new Error(String((error as { stdout?: string }).stdout ?? error), { cause: error }); // node:test tells it there
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe("under node:test", () => {
  test("a file without any other runner passes", async () => {
    const source = await readFile(join(ROOT, "test/testing/fixtures/runner.ts"), "utf8");
    expect(await runWithNode({ "runner.test.ts": source })).toMatch(/^# pass 2\n# fail 0$/m);
  });

  test("every example of docs/testing.md passes", async () => {
    const page = await readFile(join(ROOT, "docs/testing.md"), "utf8");
    const blocks = [...page.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code = ""]) => code);
    expect(blocks.length).toBeGreaterThan(3);
    const out = await runWithNode(
      Object.fromEntries(blocks.map((code, at) => [`example-${at}.test.ts`, code])),
    );
    expect(Number(/^# pass (\d+)$/m.exec(out)?.[1])).toBeGreaterThanOrEqual(blocks.length);
    expect(out).toMatch(/^# fail 0$/m);
  });
});
