import { strict as assert } from "node:assert";
import type { Engine } from "../../engine.ts";
import type { Area } from "./area.ts";
import { numbered } from "./work.ts";

const MINUTE = 60_000;

/** Takes `count` times, one after the other; answers how many were counted. */
async function takeTimes(engine: Engine, count: number, limit: number, key = "k"): Promise<number> {
  let counted = 0;
  for (let n = 0; n < count; n++) if ((await engine.limits.take(key, limit, MINUTE)).ok) counted++;
  return counted;
}

export const limits: Area = {
  title: "limits",
  cases: {
    "uses are counted up to the limit, and the next is refused": async (cluster) => {
      const engine = await cluster.replica();
      for (let n = 0; n < 3; n++) {
        assert.deepEqual(await engine.limits.take("k", 3, MINUTE), { ok: true, retryAfter: 0 });
      }
      assert.equal((await engine.limits.take("k", 3, MINUTE)).ok, false);
    },

    "replicas that take at once never get one too many together": async (cluster) => {
      const engines = await cluster.replicas(5);
      const takes = engines.flatMap((engine) => numbered(20).map(() => engine.limits.take("k", 37, MINUTE)));
      const taken = await Promise.all(takes);
      assert.equal(taken.filter(({ ok }) => ok).length, 37);
    },

    "a refusal tells when the next use may be counted, to the millisecond": async (cluster) => {
      const engine = await cluster.replica();
      await engine.limits.take("k", 2, MINUTE);
      await cluster.clock.advance(10_000);
      await engine.limits.take("k", 2, MINUTE);
      await cluster.clock.advance(5_000);
      const refused = await engine.limits.take("k", 2, MINUTE);
      assert.deepEqual(refused, { ok: false, retryAfter: MINUTE - 15_000 });
      await cluster.clock.advance(refused.retryAfter - 1);
      assert.deepEqual(await engine.limits.take("k", 2, MINUTE), { ok: false, retryAfter: 1 });
      await cluster.clock.advance(1);
      assert.equal((await engine.limits.take("k", 2, MINUTE)).ok, true);
      assert.equal((await engine.limits.take("k", 2, MINUTE)).retryAfter, 10_000);
    },

    "a limit that was lowered is refused until enough uses have left the window": async (cluster) => {
      const engine = await cluster.replica();
      for (let n = 0; n < 3; n++) {
        await engine.limits.take("k", 3, MINUTE);
        await cluster.clock.advance(10_000);
      }
      const refused = await engine.limits.take("k", 1, MINUTE);
      assert.deepEqual(refused, { ok: false, retryAfter: MINUTE - 10_000 });
    },

    "the window slides: no window of its length ever holds more than the limit": async (cluster) => {
      const engine = await cluster.replica();
      const counted: number[] = [];
      for (let step = 0; step < 300; step++) {
        if ((await engine.limits.take("k", 4, 10_000)).ok) counted.push(engine.now());
        await cluster.clock.advance(step % 7 === 0 ? 1_700 : 400);
      }
      for (const [at, time] of counted.entries()) {
        const fifth = counted[at + 4];
        if (fifth !== undefined) assert.ok(fifth - time >= 10_000, `five uses within ${fifth - time} ms`);
      }
      assert.ok(counted.length > 40, "the limit was not used up");
    },

    "a refused use is not counted: it does not put off the next": async (cluster) => {
      const engine = await cluster.replica();
      await takeTimes(engine, 1, 1);
      for (let n = 0; n < 59; n++) {
        await cluster.clock.advance(1_000);
        assert.equal((await engine.limits.take("k", 1, MINUTE)).ok, false);
      }
      await cluster.clock.advance(1_000);
      assert.equal((await engine.limits.take("k", 1, MINUTE)).ok, true);
    },

    "a use that is given back may be counted again": async (cluster) => {
      const engine = await cluster.replica();
      const other = await cluster.replica();
      assert.equal(await takeTimes(engine, 3, 3), 3);
      await other.limits.giveBack("k");
      assert.equal(await takeTimes(engine, 3, 3), 1);
    },

    "the latest use is the one that is given back": async (cluster) => {
      const engine = await cluster.replica();
      await takeTimes(engine, 1, 2);
      await cluster.clock.advance(20_000);
      await takeTimes(engine, 1, 2);
      await engine.limits.giveBack("k");
      await takeTimes(engine, 1, 2);
      assert.equal((await engine.limits.take("k", 2, MINUTE)).retryAfter, 40_000);
    },

    "giving back what was never taken does nothing": async (cluster) => {
      const engine = await cluster.replica();
      await engine.limits.giveBack("k");
      assert.equal(await takeTimes(engine, 3, 2), 2);
    },

    "keys do not touch each other": async (cluster) => {
      const engine = await cluster.replica();
      assert.equal(await takeTimes(engine, 2, 1, "a"), 1);
      assert.equal(await takeTimes(engine, 2, 1, "b"), 1);
      await engine.limits.giveBack("a");
      assert.equal(await takeTimes(engine, 1, 1, "b"), 0);
    },

    "the counted hit within the window answers true, and forgets them all": async (cluster) => {
      const engine = await cluster.replica();
      const hits = [];
      for (let n = 0; n < 7; n++) hits.push(await engine.limits.hit("k", 3, MINUTE));
      assert.deepEqual(hits, [false, false, true, false, false, true, false]);
    },

    "hits that left the window do not count": async (cluster) => {
      const engine = await cluster.replica();
      await engine.limits.hit("k", 3, MINUTE);
      await cluster.clock.advance(MINUTE / 2);
      await engine.limits.hit("k", 3, MINUTE);
      await cluster.clock.advance(MINUTE / 2);
      assert.equal(await engine.limits.hit("k", 3, MINUTE), false);
      assert.equal(await engine.limits.hit("k", 3, MINUTE), true);
    },

    "replicas that hit at once answer true once for each full count": async (cluster) => {
      const engines = await cluster.replicas(5);
      const hits = engines.flatMap((engine) => numbered(10).map(() => engine.limits.hit("k", 10, MINUTE)));
      assert.equal((await Promise.all(hits)).filter(Boolean).length, 5);
    },

    "a count of one answers true at every hit": async (cluster) => {
      const engine = await cluster.replica();
      assert.deepEqual(
        [await engine.limits.hit("k", 1, MINUTE), await engine.limits.hit("k", 1, MINUTE)],
        [true, true],
      );
    },
  },
};
