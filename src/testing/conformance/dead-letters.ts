import { strict as assert } from "node:assert";
import type { DeadReason } from "../../engine.ts";
import type { Area } from "./area.ts";
import {
  bury,
  claim,
  claimOne,
  die,
  messagesOf,
  numbered,
  publish,
  publishEach,
  retry,
  settle,
} from "./work.ts";

export const deadLetters: Area = {
  title: "dead letters",
  cases: {
    "a dead letter keeps the message, its steps and every attempt's error": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const fields = { payload: '{"a":1}', headers: '{"x":"y"}', priority: 3, key: "k" };
      const publishedAt = engine.now();
      const id = await publish(engine, "e", fields);
      await retry(engine, await claimOne(engine, "h"), 0, "first");
      const last = await claimOne(engine, "h");
      await engine.queue.saveStep(last, "charge", "42");
      await cluster.clock.advance(1_000);
      assert.equal(await bury(engine, last, "exhausted", "second"), true);
      const [letter, ...others] = await engine.deadLetters.list({});
      assert.ok(letter);
      const { steps, errors, ...rest } = letter;
      const fate = { attempt: 2, publishedAt, diedAt: publishedAt + 1_000, reason: "exhausted" };
      assert.deepEqual(rest, { id, handler: "h", event: "e", ...fields, ...fate });
      assert.deepEqual([JSON.parse(steps ?? ""), messagesOf(errors)], [{ charge: 42 }, ["first", "second"]]);
      assert.equal(others.length, 0);
    },

    "a dead letter is not claimed, found or listed among the living": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const id = await die(engine, "e", "h");
      assert.deepEqual(await claim(engine, "h"), []);
      assert.deepEqual(await engine.queue.find(id), []);
      assert.deepEqual(await engine.queue.list({}), []);
    },

    "every reason is kept as it was given": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const reasons: DeadReason[] = ["exhausted", "fatal", "invalid", "expired", "poison"];
      for (const reason of reasons) {
        await publish(engine, "e");
        await bury(engine, await claimOne(engine, "h"), reason);
      }
      assert.deepEqual(
        (await engine.deadLetters.list({})).map(({ reason }) => reason),
        reasons,
      );
      for (const reason of reasons) assert.equal(await engine.deadLetters.count({ reason }), 1);
    },

    "a death without an error adds none to the history": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      await retry(engine, await claimOne(engine, "h"), 0, "first");
      const taken = await claimOne(engine, "h");
      await settle(engine, { claim: taken, kind: "dead", reason: "poison", error: undefined });
      const [letter] = await engine.deadLetters.list({});
      assert.deepEqual(messagesOf(letter?.errors), ["first"]);
    },

    "they are listed oldest first, a hundred unless told": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publishEach(engine, "e", numbered(120));
      for (const taken of await claim(engine, "h")) await bury(engine, taken);
      const payloads = async (limit?: number) =>
        (await engine.deadLetters.list({ limit })).map(({ payload }) => payload);
      assert.deepEqual(await payloads(3), ["0", "1", "2"]);
      assert.deepEqual(await payloads(), numbered(100));
      assert.deepEqual(await payloads(1_000), numbered(120));
      assert.equal(await engine.deadLetters.count({ limit: 3 }), 120);
    },

    "they are found by id, handler, event and reason, alone and together": async (cluster) => {
      const engine = await cluster.replica({ a: "one", b: "one", c: "two" });
      const id = await die(engine, "one", "a");
      await bury(engine, await claimOne(engine, "b"), "exhausted");
      await die(engine, "two", "c");
      const { deadLetters: dead } = engine;
      assert.deepEqual(
        (await dead.list({ id })).map(({ handler }) => handler),
        ["a", "b"],
      );
      assert.deepEqual(
        (await dead.list({ handler: "c" })).map(({ event }) => event),
        ["two"],
      );
      assert.equal(await dead.count({ event: "one" }), 2);
      assert.equal(await dead.count({ reason: "fatal" }), 2);
      assert.equal(await dead.count({ id, handler: "b", event: "one", reason: "exhausted" }), 1);
      assert.equal(await dead.count({ id, handler: "b", reason: "fatal" }), 0);
      assert.equal(await dead.count({ id: "no-such-id" }), 0);
    },

    "every replica sees them": async (cluster) => {
      const one = await cluster.replica({ h: "e" });
      const other = await cluster.replica();
      await die(one, "e", "h");
      assert.equal(await other.deadLetters.count({}), 1);
    },

    "a replay makes it ready at once, with id, history and steps kept and attempts counted anew": async (
      cluster,
    ) => {
      const engine = await cluster.replica({ h: "e" });
      const fields = { payload: '{"a":1}', headers: '{"x":"y"}', priority: 3, key: "k" };
      const publishedAt = engine.now();
      const id = await publish(engine, "e", fields);
      const taken = await claimOne(engine, "h");
      await engine.queue.saveStep(taken, "charge", "42");
      await bury(engine, taken, "exhausted", "first");
      await cluster.clock.advance(1_000);
      assert.equal(await engine.deadLetters.replay({}), 1);
      assert.equal(await engine.deadLetters.count({}), 0);
      const { payload, headers, priority, key, steps, errors, ...again } = await claimOne(engine, "h");
      assert.deepEqual({ payload, headers, priority, key }, fields);
      assert.deepEqual([again.id, again.attempt, again.publishedAt], [id, 1, publishedAt]);
      assert.deepEqual([JSON.parse(steps ?? ""), messagesOf(errors)], [{ charge: 42 }, ["first"]]);
    },

    "one that dies again keeps the history from before its replay": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      for (const text of ["first", "second"]) {
        await bury(engine, await claimOne(engine, "h"), "fatal", text);
        if (text === "first") await engine.deadLetters.replay({});
      }
      const [letter] = await engine.deadLetters.list({});
      assert.deepEqual([letter?.attempt, messagesOf(letter?.errors)], [1, ["first", "second"]]);
    },

    "a replay takes what fits its filter, the oldest first, up to its limit": async (cluster) => {
      const engine = await cluster.replica({ a: "a", b: "b" });
      for (const payload of numbered(4)) await die(engine, "a", "a", { payload });
      await die(engine, "b", "b");
      assert.equal(await engine.deadLetters.replay({ handler: "a", limit: 3 }), 3);
      assert.deepEqual(
        (await claim(engine, "a")).map(({ payload }) => payload),
        ["0", "1", "2"],
      );
      assert.deepEqual(
        (await engine.deadLetters.list({})).map(({ event }) => event),
        ["a", "b"],
      );
      assert.equal(await engine.deadLetters.replay({ reason: "expired" }), 0);
    },

    "a replay of one subscription's letter does not reach the others": async (cluster) => {
      const engine = await cluster.replica({ h: "e", other: "e" });
      const id = await die(engine, "e", "h");
      await claimOne(engine, "other");
      assert.equal(await engine.deadLetters.replay({ id, handler: "h" }), 1);
      assert.equal((await claim(engine, "other")).length, 0);
      assert.equal((await claim(engine, "h")).length, 1);
    },

    "of replicas that replay at once, each letter is revived once": async (cluster) => {
      const engines = await cluster.replicas(4);
      const [engine] = engines;
      assert.ok(engine);
      await engine.queue.subscribe([{ handler: "h", topic: "e" }]);
      await publishEach(engine, "e", numbered(40));
      for (const taken of await claim(engine, "h")) await bury(engine, taken);
      const counts = await Promise.all(engines.map((replica) => replica.deadLetters.replay({ limit: 25 })));
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0),
        40,
      );
      assert.equal((await claim(engine, "h")).length, 40);
    },

    "discard removes what fits its filter, the oldest first, up to its limit": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const ids = [];
      for (const payload of numbered(4)) ids.push(await die(engine, "e", "h", { payload }));
      assert.equal(await engine.deadLetters.discard({ limit: 1 }), 1);
      assert.equal(await engine.deadLetters.discard({ id: ids[2] }), 1);
      assert.deepEqual(
        (await engine.deadLetters.list({})).map(({ payload }) => payload),
        ["1", "3"],
      );
      assert.equal(await engine.deadLetters.discard({}), 2);
      assert.equal(await engine.deadLetters.replay({}), 0);
    },
  },
};
