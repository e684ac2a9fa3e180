import { strict as assert } from "node:assert";
import type { Area } from "./area.ts";
import { claim, claimOne, die, done, historyOf, numbered, publish, publishEach, retry } from "./work.ts";

export const operations: Area = {
  title: "find, list and cancel",
  cases: {
    "a message is found with each of its deliveries, as they stand": async (cluster) => {
      const runner = await cluster.replica({ runs: "e", retries: "e", waits: "e" }, { id: "runner" });
      const other = await cluster.replica();
      const fields = { payload: '{"a":1}', headers: '{"x":"y"}', priority: 3, key: "k" };
      const now = runner.now();
      const id = await publish(runner, "e", { ...fields, expires: now + 99 });
      await retry(runner, await claimOne(runner, "retries"), 5_000, "first");
      const running = await claimOne(runner, "runs");
      await runner.queue.saveStep(running, "s", "1");
      const found = (await other.queue.find(id)).toSorted((a, b) => (a.handler < b.handler ? -1 : 1));
      const plain = { steps: undefined, errors: undefined };
      const [retries, runs, waits] = found.map((info) => ({ ...info, ...plain }));
      const same = { ...plain, id, event: "e", ...fields, publishedAt: now, expires: now + 99 };
      const free = { ...same, holder: undefined };
      assert.deepEqual(retries, {
        ...free,
        handler: "retries",
        state: "waiting",
        attempt: 1,
        due: now + 5_000,
      });
      assert.deepEqual(runs, {
        ...same,
        handler: "runs",
        state: "running",
        attempt: 1,
        due: now,
        holder: "runner",
      });
      assert.deepEqual(waits, { ...free, handler: "waits", state: "ready", attempt: 0, due: now });
      assert.equal(historyOf(found[0]?.errors)[0]?.message, "first");
      assert.deepEqual(JSON.parse(found[1]?.steps ?? ""), { s: 1 });
    },

    "a message that is done or never was is found with no deliveries": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const id = await publish(engine, "e");
      await done(engine, await claimOne(engine, "h"));
      assert.deepEqual(await engine.queue.find(id), []);
      assert.deepEqual(await engine.queue.find("no-such-id"), []);
    },

    "deliveries are listed oldest first, a hundred unless told": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publishEach(engine, "e", numbered(120), { priority: 5 });
      await publish(engine, "e", { priority: 1, payload: "120" });
      const payloads = async (limit?: number) =>
        (await engine.queue.list({ limit })).map(({ payload }) => payload);
      assert.deepEqual(await payloads(3), ["0", "1", "2"]);
      assert.deepEqual(await payloads(), numbered(100));
      assert.deepEqual(await payloads(1_000), numbered(121));
    },

    "a replayed delivery is listed by when it was published": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await die(engine, "e", "h", { payload: "1" });
      await cluster.clock.advance(1_000);
      await publish(engine, "e", { payload: "2" });
      await engine.deadLetters.replay({});
      assert.deepEqual(
        (await engine.queue.list({})).map(({ payload }) => payload),
        ["1", "2"],
      );
    },

    "deliveries are listed by handler, event and state, alone and together": async (cluster) => {
      const engine = await cluster.replica({ a: "*", b: "two" });
      await publishEach(engine, "one", ["1", "2"]);
      await publish(engine, "two", { due: engine.now() + 1_000 });
      await claimOne(engine, "a");
      const count = async (filter: Parameters<typeof engine.queue.list>[0]) =>
        (await engine.queue.list(filter)).length;
      assert.equal(await count({}), 4);
      assert.equal(await count({ handler: "a" }), 3);
      assert.equal(await count({ event: "two" }), 2);
      assert.equal(await count({ state: "running" }), 1);
      assert.equal(await count({ state: "ready" }), 1);
      assert.equal(await count({ state: "waiting", handler: "a" }), 1);
      await cluster.clock.advance(1_000);
      assert.equal(await count({ state: "waiting" }), 0);
      assert.equal(await count({ state: "ready", event: "two", handler: "b" }), 1);
    },

    "one behind another of its key is listed as waiting": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publishEach(engine, "e", ["1", "2"], { key: "k" });
      assert.deepEqual(
        (await engine.queue.list({})).map(({ state }) => state),
        ["ready", "waiting"],
      );
    },

    "cancel removes what waits, for all subscriptions, and answers how many": async (cluster) => {
      const engine = await cluster.replica({ a: "e", b: "e" });
      const id = await publish(engine, "e");
      const kept = await publish(engine, "e");
      assert.equal(await (await cluster.replica()).queue.cancel(id), 2);
      assert.equal(await engine.queue.cancel(id), 0);
      for (const handler of ["a", "b"]) {
        assert.deepEqual(
          (await claim(engine, handler)).map((taken) => taken.id),
          [kept],
        );
      }
      assert.equal(await engine.deadLetters.count({}), 0);
    },

    "cancel removes one subscription's delivery when it is named": async (cluster) => {
      const engine = await cluster.replica({ a: "e", b: "e" });
      const id = await publish(engine, "e", { due: engine.now() + 1_000 });
      assert.equal(await engine.queue.cancel(id, "a"), 1);
      assert.deepEqual(
        (await engine.queue.find(id)).map(({ handler }) => handler),
        ["b"],
      );
    },

    "cancel leaves what runs to its holder": async (cluster) => {
      const engine = await cluster.replica({ a: "e", b: "e" });
      const id = await publish(engine, "e");
      const running = await claimOne(engine, "a");
      assert.equal(await engine.queue.cancel(id), 1);
      assert.equal(await done(engine, running), true);
      assert.equal(await engine.queue.cancel("no-such-id"), 0);
    },

    "what cancel and claim both want goes to one of them": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const other = await cluster.replica();
      for (let round = 0; round < 20; round++) {
        const id = await publish(engine, "e");
        const [cancelled, taken] = await Promise.all([other.queue.cancel(id), claim(engine, "h")]);
        assert.equal(cancelled + taken.length, 1);
      }
    },
  },
};
