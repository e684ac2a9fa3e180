import { expect, test } from "vitest";
import { HitCounter } from "../../src/patterns/hit-counter.ts";

function counter() {
  const clock = { time: 1_000 };
  return { clock, hits: new HitCounter(() => clock.time) };
}

test("every count-th hit within the window answers true", async () => {
  const { hits } = counter();
  const answers: boolean[] = [];
  for (let hit = 0; hit < 7; hit++) answers.push(await hits.hit("key", 3, 100));
  expect(answers).toEqual([false, false, true, false, false, true, false]);
});

test("the window slides: hits older than it do not count", async () => {
  const { clock, hits } = counter();
  const at = async (time: number) => ((clock.time = time), hits.hit("key", 3, 100));
  expect([await at(0), await at(60), await at(100), await at(159)]).toEqual([false, false, false, true]);
});

test("keys count apart, and those that fell silent are dropped", async () => {
  const { clock, hits } = counter();
  for (let key = 0; key < 1_000; key++) await hits.hit(`key ${key}`, 2, 100);
  expect(hits.size).toBe(1_000);
  clock.time += 100;
  expect(await hits.hit("another", 2, 100)).toBe(false);
  expect(hits.size).toBe(1);
});
