import { CommandDispatcher } from "decorator-framework";
import { beforeEach, expect, test } from "vitest";
import { cachedCalculation, calculations } from "./cache.ts";

beforeEach(() => {
  cachedCalculation.clear();
  calculations.length = 0;
});

test("without a key the command asks for one", async () => {
  expect((await new CommandDispatcher().handle("/cache")).text).toBe("请提供缓存键");
});

test("the second call is answered from the cache", async () => {
  const dispatcher = new CommandDispatcher();
  const { text } = await dispatcher.handle("/cache orders");
  expect(text).toMatch(/^缓存结果: \d+$/);
  expect((await dispatcher.handle("/cache orders")).text).toBe(text);
  expect(calculations).toEqual(["orders"]);
});

test("calls that come together are calculated once", async () => {
  const dispatcher = new CommandDispatcher();
  await Promise.all(Array.from({ length: 20 }, () => dispatcher.handle("/cache users")));
  expect(calculations).toEqual(["users"]);
});

test("128 results are kept; one more pushes out the one unused for longest", async () => {
  for (let n = 0; n < 128; n++) await cachedCalculation(`key ${n}`);
  await cachedCalculation("key 0");
  await cachedCalculation("one more");
  expect(calculations).toHaveLength(129);
  await cachedCalculation("key 0");
  expect(calculations).toHaveLength(129);
  await cachedCalculation("key 1");
  expect(calculations).toHaveLength(130);
});
