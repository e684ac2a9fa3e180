import { strict as assert } from "node:assert";
import type { Area } from "./area.ts";
import { claim, claimOne, claimPayloads, done, message, numbered, publish, publishEach } from "./work.ts";

export const claiming: Area = {
  title: "claim",
  cases: {
    "smaller priority comes first, then what was published first": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      for (const [payload, priority] of [
        ["c", 5],
        ["a", -1],
        ["d", 5],
        ["b", 0],
      ] as const) {
        await publish(engine, "e", { payload, priority });
      }
      assert.deepEqual(await claimPayloads(engine, "h"), ["a", "b", "c", "d"]);
    },

    "a later message of smaller priority overtakes what waits": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publishEach(engine, "e", ["1", "2"]);
      assert.deepEqual(await claimPayloads(engine, "h", 1), ["1"]);
      await publish(engine, "e", { payload: "0", priority: 1 });
      assert.deepEqual(await claimPayloads(engine, "h", 1), ["0"]);
    },

    "no more than the limit is taken, for each handler of one call": async (cluster) => {
      const engine = await cluster.replica({ a: "e", b: "e", c: "e" });
      await publishEach(engine, "e", numbered(10));
      const { claims } = await engine.queue.claim([
        { handler: "a", limit: 3 },
        { handler: "b", limit: 0 },
        { handler: "c", limit: 100 },
      ]);
      const taken = (handler: string) =>
        claims.filter((found) => found.handler === handler).map(({ payload }) => payload);
      assert.deepEqual([taken("a"), taken("b"), taken("c")], [numbered(3), [], numbered(10)]);
    },

    "a handler that nobody subscribed, and no handler at all, get nothing": async (cluster) => {
      const engine = await cluster.replica();
      assert.deepEqual(await engine.queue.claim([{ handler: "nobody", limit: 5 }]), {
        claims: [],
        nextDue: undefined,
      });
      assert.deepEqual(await engine.queue.claim([]), { claims: [], nextDue: undefined });
    },

    "a claimed delivery is given to nobody else, its holder included": async (cluster) => {
      const [one, other] = await cluster.replicas(2);
      assert.ok(one && other);
      await one.queue.subscribe([{ handler: "h", topic: "e" }]);
      await publish(one, "e");
      await claimOne(one, "h");
      assert.equal((await claim(one, "h")).length, 0);
      assert.equal((await claim(other, "h")).length, 0);
    },

    "of many replicas that claim at once, each delivery goes to one": async (cluster) => {
      const engines = await cluster.replicas(8);
      const [first] = engines;
      assert.ok(first);
      await first.queue.subscribe([{ handler: "h", topic: "e" }]);
      await publishEach(first, "e", numbered(200));
      const seen: string[] = [];
      await Promise.all(
        engines.map(async (engine) => {
          for (
            let found = await claim(engine, "h", 7);
            found.length > 0;
            found = await claim(engine, "h", 7)
          ) {
            seen.push(...found.map(({ payload }) => payload));
          }
        }),
      );
      assert.deepEqual(
        seen.map(Number).toSorted((a, b) => a - b),
        numbered(200).map(Number),
      );
    },

    "while publishers, claimers and settlers work at once, each message is handled once": async (cluster) => {
      const engines = await cluster.replicas(4);
      await engines[0]?.queue.subscribe([{ handler: "h", topic: "e" }]);
      const handled: string[] = [];
      const publishing = engines.map(async (engine, at) => {
        for (let n = 0; n < 30; n++) await publish(engine, "e", { payload: `"${at}-${n}"` });
      });
      const working = engines.map(async (engine) => {
        while (handled.length < 120) {
          for (const found of await claim(engine, "h", 3)) {
            handled.push(found.payload);
            assert.equal(await done(engine, found), true);
          }
        }
      });
      await Promise.all([...publishing, ...working]);
      assert.equal(new Set(handled).size, 120);
      assert.equal(handled.length, 120);
    },

    "every claim has a token of its own": async (cluster) => {
      const engine = await cluster.replica({ a: "e", b: "e" });
      await publishEach(engine, "e", numbered(50));
      const claims = [...(await claim(engine, "a")), ...(await claim(engine, "b"))];
      assert.equal(new Set(claims.map(({ token }) => token)).size, 100);
    },

    "a claim tells when the next delivery falls due": async (cluster) => {
      const engine = await cluster.replica({ h: "e", other: "f" });
      const now = engine.now();
      await engine.queue.publish(
        [3_000, 1_000, 2_000].map((wait) => message(engine, "e", { due: now + wait })),
      );
      assert.equal((await engine.queue.claim([{ handler: "h", limit: 10 }])).nextDue, now + 1_000);
      await cluster.clock.advance(1_000);
      const second = await engine.queue.claim([{ handler: "h", limit: 10 }]);
      assert.deepEqual([second.claims.length, second.nextDue], [1, now + 2_000]);
    },

    "a claim tells no next moment when nothing waits for one": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publishEach(engine, "e", ["1", "2"]);
      const { claims, nextDue } = await engine.queue.claim([{ handler: "h", limit: 1 }]);
      assert.deepEqual([claims.length, nextDue], [1, undefined]);
    },

    "the earliest moment counts over all handlers of one call": async (cluster) => {
      const engine = await cluster.replica({ a: "a", b: "b" });
      const now = engine.now();
      await publish(engine, "a", { due: now + 4_000 });
      await publish(engine, "b", { due: now + 9_000 });
      const { nextDue } = await engine.queue.claim([
        { handler: "a", limit: 1 },
        { handler: "b", limit: 1 },
      ]);
      assert.equal(nextDue, now + 4_000);
    },
  },
};
