import { describe, expect, test } from "vitest";
import { Hands } from "./jobs.ts";
import type { Limit } from "./setup.ts";
import { EACH_ENGINE, onEachEngine } from "./stores.ts";
import type { Worker } from "./worker-process.ts";

/* Ten thousand uses of each limit from three processes at once: never one over, and none too few. */

const EACH = 3_334;
const HOUR = 3_600_000;

describe(`limits that three processes share, ${EACH_ENGINE}`, () => {
  test(
    "a cooldown, a rate limit and a threshold let through what they say, of 10,002 uses each, and no window holds one too many",
    () =>
      onEachEngine(async (store) => {
        const crew = await Hands.on(store);
        // One has a clock that is an hour ahead, where the server's counts.
        const skew = store.clock === "server" ? HOUR : 0;
        const hands = await Promise.all([crew.start(), crew.start({ skew }), crew.start()]);
        // Each process calls for the same users, of whom each is let through once.
        expect(await use(hands, "cooldown", EACH)).toBe(EACH);
        expect(await use(hands, "rate limit", EACH)).toBe(4_321);
        // Thirteen addresses, each counted for itself: see hand.ts.
        const ofOne = Array.from({ length: 13 }, (_, ip) => Math.floor((EACH - 1 - ip) / 13) + 1);
        const full = ofOne.reduce((sum, hits) => sum + Math.floor((3 * hits) / 7), 0);
        expect(await use(hands, "threshold", EACH)).toBe(full);
        await use(hands, "sliding window", 400);
        expect(tooClose(hands, 50, 500)).toEqual([]);
      }),
    60_000,
  );

  test(
    "of the 10,002 messages of twenty keys one at a time is handled of each key, once",
    () =>
      onEachEngine(async (store) => {
        // So few at a time that no process can have all keys.
        const crew = await Hands.on(store, { concurrency: 5 });
        const hands = await Promise.all([1, 2, 3].map(() => crew.start()));
        for (const [at, hand] of hands.entries()) {
          hand.tell({ do: "publish", from: at * EACH, jobs: EACH, keys: 20 });
        }
        await crew.ended(3 * EACH);
        const running = new Map<string, number>();
        const wrong: string[] = [];
        for (const { what, n, key } of crew.read()) {
          if (what === "began" && running.has(key)) wrong.push(`${n} began while ${running.get(key)} ran`);
          if (what === "began") running.set(key, n);
          else running.delete(key);
        }
        expect(wrong).toEqual([]);
        const begun = crew.read().filter(({ what }) => what === "began");
        expect(begun).toHaveLength(3 * EACH);
        expect(new Set(begun.map(({ pid }) => pid)).size).toBeGreaterThan(1);
      }),
    90_000,
  );
});

/** Has all of them use a limit at once; answers how often they were let through. */
async function use(hands: readonly Worker[], limit: Limit, times: number): Promise<number> {
  const before = hands.map(({ lines }) => lines.length);
  for (const hand of hands) hand.tell({ do: "use", limit, times });
  const ends = await Promise.all(hands.map((hand, at) => hand.says(/^let/, before[at])));
  return ends.reduce((sum, { text }) => sum + Number(text.split(" ")[1]), 0);
}

/** Each row of one more use than the limit that was let through within a window. */
function tooClose(hands: readonly Worker[], limit: number, window: number): string[] {
  // By the clock that all processes of the machine share: a use was counted between its call and its answer.
  const granted = hands
    .flatMap(({ lines }) => lines)
    .filter(({ text }) => text.startsWith("granted"))
    .map(({ text, at }) => ({ from: Number(BigInt(text.split(" ")[1] ?? 0) / 1_000n) / 1_000, to: at }))
    .toSorted((one, other) => one.to - other.to);
  expect(granted.length).toBeGreaterThan(3 * limit);
  return granted.flatMap(({ to }, last) => {
    if (last < limit) return [];
    const first = Math.min(...granted.slice(last - limit, last + 1).map(({ from }) => from));
    // The engine counts in whole milliseconds.
    return to - first < window - 2 ? [`${limit + 1} within ${to - first} ms`] : [];
  });
}
