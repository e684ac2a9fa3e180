import { strict as assert } from "node:assert";
import type { Area } from "./area.ts";
import { bury, claim, claimOne, die, publish } from "./work.ts";

export const unrouted: Area = {
  title: "dead letters without a subscription",
  cases: {
    "a message nobody is subscribed to is kept as unrouted, with no handler": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const fields = { payload: '{"a":1}', headers: '{"x":"y"}', priority: 3, key: "k" };
      const id = await publish(engine, "f", fields);
      const now = engine.now();
      const [{ steps, errors, ...letter } = {}] = await engine.deadLetters.list({ reason: "unrouted" });
      const fate = { handler: "", attempt: 0, publishedAt: now, diedAt: now, reason: "unrouted" };
      assert.deepEqual(letter, { id, event: "f", ...fields, ...fate });
      assert.deepEqual([steps, errors], [undefined, undefined]);
      assert.equal(await engine.deadLetters.count({ handler: "" }), 1);
    },

    "an unrouted message is replayed to everyone who is subscribed now": async (cluster) => {
      const engine = await cluster.replica();
      const id = await publish(engine, "e", { payload: "7" });
      await engine.queue.subscribe([
        { handler: "a", topic: "e" },
        { handler: "b", topic: "*" },
      ]);
      assert.equal(await engine.deadLetters.replay({}), 1);
      for (const handler of ["a", "b"]) {
        const taken = await claimOne(engine, handler);
        assert.deepEqual([taken.id, taken.payload, taken.attempt], [id, "7", 1]);
      }
      assert.equal(await engine.deadLetters.count({}), 0);
    },

    "an unrouted message stays while still nobody is subscribed": async (cluster) => {
      const engine = await cluster.replica();
      await publish(engine, "e");
      assert.equal(await engine.deadLetters.replay({}), 0);
      assert.equal(await engine.deadLetters.count({ reason: "unrouted" }), 1);
    },

    "those that must stay do not hide others from a replay with a limit": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      for (let n = 0; n < 5; n++) await publish(engine, "nobody");
      await die(engine, "e", "h");
      assert.equal(await engine.deadLetters.replay({ limit: 2 }), 1);
      assert.equal((await claim(engine, "h")).length, 1);
    },

    "one that was sent to a subscription is replayed to that one only": async (cluster) => {
      const engine = await cluster.replica();
      await publish(engine, "e", { to: "late" });
      await engine.queue.subscribe([{ handler: "other", topic: "e" }]);
      assert.equal(await engine.deadLetters.replay({}), 0);
      await engine.queue.subscribe([{ handler: "late", topic: undefined }]);
      assert.equal(await engine.deadLetters.replay({}), 1);
      assert.equal((await claim(engine, "late")).length, 1);
      assert.equal((await claim(engine, "other")).length, 0);
    },

    "a dead letter whose subscription was removed stays until it is back": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      await bury(engine, await claimOne(engine, "h"));
      await engine.queue.unsubscribe("h");
      assert.equal(await engine.deadLetters.replay({}), 0);
      await engine.queue.subscribe([{ handler: "h", topic: "e" }]);
      assert.equal(await engine.deadLetters.replay({}), 1);
      assert.equal((await claim(engine, "h")).length, 1);
    },
  },
};
