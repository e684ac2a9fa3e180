import { expect, test } from "vitest";
import type { Limits } from "../../src/engine.ts";
import type { PatternMatch, PatternOptions } from "../../src/handler.ts";
import { silentLogger } from "../../src/log.ts";
import { PatternCooldown } from "../../src/patterns/cooldown.ts";
import { PatternDispatcher } from "../../src/patterns/pattern-dispatcher.ts";
import { bareEnvironment } from "../../src/pipeline/environment.ts";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import { HandlerRegistry } from "../../src/registry.ts";
import { createTestApp } from "../../src/testing/create-test-app.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { createRegistry } from "../../src/declare/create-registry.ts";
import { patternHandler } from "./pattern-setup.ts";

function setUp(options: PatternOptions, fn: (match: PatternMatch) => unknown = () => "fired") {
  const clock = new VirtualClock();
  const registry = new HandlerRegistry();
  const patterns = new PatternDispatcher({
    registry,
    pipeline: new Pipeline({ ...bareEnvironment(), clock, log: silentLogger }),
  });
  registry.add(patternHandler("alert", /failed for (?<user>\w+)/, { ...options, fn }));
  const fires = async (text = "failed for ann"): Promise<boolean> => (await patterns.match(text)).length > 0;
  return { clock, fires };
}

test("fires once, and again when the time is over", async () => {
  const { clock, fires } = setUp({ cooldown: "5m" });
  expect([await fires(), await fires()]).toEqual([true, false]);
  await clock.advance(5 * 60_000 - 1);
  expect(await fires()).toBe(false);
  await clock.advance(1);
  expect([await fires(), await fires()]).toEqual([true, false]);
});

test("what is kept quiet does not put off the next", async () => {
  const { clock, fires } = setUp({ cooldown: { every: "1m" } });
  await fires();
  for (let n = 0; n < 59; n++) {
    await clock.advance(1_000);
    expect(await fires()).toBe(false);
  }
  await clock.advance(1_000);
  expect(await fires()).toBe(true);
});

test("keeps quiet for each key of its own, which is the threshold's unless told", async () => {
  const by = (match: PatternMatch) => match.groups["user"];
  const own = setUp({ cooldown: { every: "1m", by } });
  expect([await own.fires(), await own.fires("failed for bob"), await own.fires()]).toEqual([
    true,
    true,
    false,
  ]);
  const counted = setUp({ cooldown: "1m", threshold: { count: 2, within: "1m", by } });
  const texts = [
    "failed for ann",
    "failed for bob",
    "failed for ann",
    "failed for ann",
    "failed for ann",
    "failed for bob",
  ];
  const fired: boolean[] = [];
  for (const text of texts) fired.push(await counted.fires(text));
  expect(fired).toEqual([false, false, true, false, false, true]);
});

test("a run that failed does not count", async () => {
  let fails = true;
  const { fires } = setUp({ cooldown: "1h" }, () => {
    if (fails) throw new Error("the pager is down");
  });
  expect([await fires(), await fires()]).toEqual([true, true]); // two results, both of failures
  fails = false;
  expect([await fires(), await fires()]).toEqual([true, false]);
});

test("replicas keep quiet together, and the engine is not asked while it is", async () => {
  const calls: unknown[] = [];
  const limits: Limits = {
    take: async (...call) => ({ ok: calls.push(call) === 1, retryAfter: 500 }),
    giveBack: async (key) => void calls.push(["giveBack", key]),
    hit: () => Promise.reject(new Error("not asked for")),
  };
  const clock = new VirtualClock();
  const replica = () =>
    new PatternCooldown("alert", "1m", undefined, { ...bareEnvironment(), clock, limits });
  const [one, other] = [replica(), replica()];
  const match: PatternMatch = { text: "", groups: {}, captures: [], index: 0, field: "content", message: {} };
  expect(await one.take(match)).toBe("quiet:alert:");
  for (let n = 0; n < 5; n++)
    expect([await one.take(match), await other.take(match)]).toEqual([undefined, undefined]);
  expect(calls).toEqual([
    ["quiet:alert:", 1, 60_000],
    ["quiet:alert:", 1, 60_000],
  ]);
  // The other asks again when the turn it knows of is over: it may have been given back.
  await clock.advance(500);
  await other.take(match);
  expect(calls).toHaveLength(3);
  await one.giveBack("quiet:alert:");
  expect(calls.at(-1)).toEqual(["giveBack", "quiet:alert:"]);
});

test("with an app it is kept in the engine's limits", async () => {
  const registry = createRegistry();
  registry.reOn("alert", "content", /down/, { cooldown: "1m" }).execute(() => "paged");
  await using t = await createTestApp({ registry });
  const values = async () => (await t.app.match("it is down")).map(({ value }) => value);
  expect([await values(), await values()]).toEqual([["paged"], []]);
  await t.advance("1m");
  expect(await values()).toEqual(["paged"]);
});

test.each([{ every: 0 }, 0, { every: "1m", by: "ip" }])("refuses %j", (cooldown) => {
  const options = cooldown as NonNullable<PatternOptions["cooldown"]>; // what a JavaScript user may write
  expect(() => setUp({ cooldown: options })).toThrow(expect.objectContaining({ code: "COOLDOWN_INVALID" }));
});
