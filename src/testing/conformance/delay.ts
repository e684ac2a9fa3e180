import { strict as assert } from "node:assert";
import type { Area } from "./area.ts";
import { claim, claimOne, done, historyOf, messagesOf, publish, retry, snooze } from "./work.ts";

export const delaying: Area = {
  title: "delay, retry and snooze",
  cases: {
    "a delayed message is not claimed before its moment, and is at its moment": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const due = engine.now() + 60_000;
      await publish(engine, "e", { due });
      await cluster.clock.advance(59_999);
      assert.equal((await claim(engine, "h")).length, 0);
      await cluster.clock.advance(1);
      const taken = await claimOne(engine, "h");
      assert.deepEqual([taken.due, taken.publishedAt], [due, due - 60_000]);
    },

    "what fell due while waiting comes in the order of priority, then of publishing": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const now = engine.now();
      await publish(engine, "e", { payload: "2", due: now + 20 });
      await publish(engine, "e", { payload: "3", due: now + 10 });
      await publish(engine, "e", { payload: "1", due: now + 30, priority: 1 });
      await cluster.clock.advance(30);
      assert.deepEqual(
        (await claim(engine, "h")).map(({ payload }) => payload),
        ["1", "2", "3"],
      );
    },

    "a failed attempt comes again at its moment, with its error, and is counted": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      const first = await claimOne(engine, "h");
      const failedAt = engine.now();
      assert.equal(await retry(engine, first, 5_000, "broken"), true);
      await cluster.clock.advance(4_999);
      assert.equal((await claim(engine, "h")).length, 0);
      await cluster.clock.advance(1);
      const second = await claimOne(engine, "h");
      assert.deepEqual([second.id, second.attempt, second.due], [first.id, 2, first.due]);
      const error = {
        attempt: 1,
        at: failedAt,
        name: "Error",
        message: "broken",
        code: "TEST",
        stack: "Error: broken",
      };
      assert.deepEqual(historyOf(second.errors), [error]);
    },

    "every failed attempt adds to the history, in order": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      for (const text of ["first", "second", "third"])
        await retry(engine, await claimOne(engine, "h"), 0, text);
      const last = await claimOne(engine, "h");
      assert.equal(last.attempt, 4);
      assert.deepEqual(messagesOf(last.errors), ["first", "second", "third"]);
      assert.deepEqual(
        historyOf(last.errors).map(({ attempt }) => attempt),
        [1, 2, 3],
      );
    },

    "a retry at a moment that has passed is ready at once": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      await retry(engine, await claimOne(engine, "h"), -1_000);
      assert.equal((await claimOne(engine, "h")).attempt, 2);
    },

    "another replica may run the next attempt": async (cluster) => {
      const one = await cluster.replica({ h: "e" });
      const other = await cluster.replica();
      await publish(one, "e");
      await retry(one, await claimOne(one, "h"), 100, "at one");
      await cluster.clock.advance(100);
      const taken = await claimOne(other, "h");
      assert.deepEqual([taken.attempt, messagesOf(taken.errors)], [2, ["at one"]]);
    },

    "a snoozed delivery comes again at its moment, and its attempt is not counted": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      for (let round = 0; round < 3; round++) {
        const taken = await claimOne(engine, "h");
        assert.deepEqual([taken.attempt, taken.errors], [1, undefined]);
        assert.equal(await snooze(engine, taken, 1_000), true);
        await cluster.clock.advance(999);
        assert.equal((await claim(engine, "h")).length, 0);
        await cluster.clock.advance(1);
      }
      assert.equal(await done(engine, await claimOne(engine, "h")), true);
    },

    "a snooze forgets neither earlier attempts nor their errors": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      await retry(engine, await claimOne(engine, "h"), 0, "first");
      await snooze(engine, await claimOne(engine, "h"), 0);
      const taken = await claimOne(engine, "h");
      assert.deepEqual([taken.attempt, messagesOf(taken.errors)], [2, ["first"]]);
    },

    "a claim tells when a retried or snoozed delivery falls due": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const now = engine.now();
      await publish(engine, "e");
      await publish(engine, "e");
      const [one, other] = await claim(engine, "h");
      assert.ok(one && other);
      await retry(engine, one, 7_000);
      await snooze(engine, other, 3_000);
      assert.equal((await engine.queue.claim([{ handler: "h", limit: 5 }])).nextDue, now + 3_000);
    },

    "a message that has expired is still handed out, with its end: the runner judges it": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const expires = engine.now() + 1_000;
      await publish(engine, "e", { expires });
      await cluster.clock.advance(5_000);
      assert.equal((await claimOne(engine, "h")).expires, expires);
    },

    "a hundred days are waited for as exactly as a second": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const wait = 100 * 86_400_000;
      await publish(engine, "e", { due: engine.now() + wait });
      await cluster.clock.advance(wait - 1);
      assert.equal((await claim(engine, "h")).length, 0);
      await cluster.clock.advance(1);
      await engine.presence.beat();
      assert.equal((await claim(engine, "h")).length, 1);
    },
  },
};
