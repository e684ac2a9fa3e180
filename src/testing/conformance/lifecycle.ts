import { strict as assert } from "node:assert";
import { VirtualClock } from "../virtual-clock.ts";
import type { Area } from "./area.ts";
import { bury, claim, claimOne, die, messagesOf, numbered, publish, publishEach, retry } from "./work.ts";

export const lifecycle: Area = {
  title: "start and stop",
  cases: {
    "stop is legal before start": async (cluster) => {
      const engine = cluster.engine();
      await engine.stop();
      await cluster.start(engine);
      await engine.check();
    },

    "stop is legal twice, and at the same time": async (cluster) => {
      const engine = await cluster.replica();
      await Promise.all([engine.stop(), engine.stop()]);
      await engine.stop();
    },

    "check resolves while the engine is started": async (cluster) => {
      const engine = await cluster.replica();
      await engine.check();
    },

    "check rejects before start and after stop": async (cluster) => {
      const engine = cluster.engine();
      await assert.rejects(async () => engine.check());
      await cluster.start(engine);
      await engine.stop();
      await assert.rejects(async () => engine.check());
    },

    "a publish after stop is refused, never swallowed": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await engine.stop();
      await assert.rejects(async () =>
        engine.queue.publish([{ event: "e", payload: "{}", priority: 1, due: 0 }]),
      );
      const other = await cluster.replica();
      assert.equal((await claim(other, "h")).length, 0);
    },

    "a start that failed leaves an engine that can be stopped": async (cluster) => {
      const engine = await cluster.replica({}, { id: "taken" });
      await assert.rejects(cluster.start(engine, { id: "again" }));
      await engine.stop();
    },

    "all replicas share one time, which the clock moves": async (cluster) => {
      const [one, other] = await cluster.replicas(2);
      assert.ok(one && other);
      const before = one.now();
      assert.equal(other.now(), before);
      await cluster.clock.advance(12_345);
      assert.deepEqual([one.now(), other.now()], [before + 12_345, before + 12_345]);
    },

    "a replica whose own clock is wrong goes by the engine's time": async (cluster) => {
      const right = await cluster.replica({ h: "e" });
      const clock = new VirtualClock(cluster.clock.now() + 90_000);
      const wrong = await cluster.replica({}, { clock });
      assert.deepEqual([right.now(), wrong.now()], [cluster.clock.now(), cluster.clock.now()]);
      await publish(right, "e", { due: right.now() + 60_000 });
      assert.equal((await claim(wrong, "h")).length, 0);
      assert.equal(await wrong.presence.sweep(), 0);
      assert.equal(await right.presence.beat(), true);
    },

    "it says what it is and what it can do": async (cluster) => {
      const engine = cluster.engine();
      assert.match(engine.name, /^[a-z][a-z0-9+.-]*$/);
      assert.ok(engine.location.startsWith(`${engine.name}:`), engine.location);
      const { durable, shared, strict } = engine.capabilities;
      for (const capability of [durable, shared, strict]) assert.equal(typeof capability, "boolean");
      assert.ok(durable || !strict, "strict without durable makes no sense");
    },

    "nothing handed out can be used to change what is stored": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      const taken = await claimOne(engine, "h");
      tamper(taken);
      await retry(engine, { ...taken, attempt: 1 }, 0);
      for (const info of await engine.queue.list({})) tamper(info);
      const again = await claimOne(engine, "h");
      assert.deepEqual([again.payload, again.priority, again.attempt], ["{}", 100, 2]);
      await bury(engine, again);
      for (const letter of await engine.deadLetters.list({})) tamper(letter);
      assert.equal((await engine.deadLetters.list({}))[0]?.payload, "{}");
    },

    "what is durable is there when all replicas have stopped and one starts again": async (cluster) => {
      const before = await cluster.replica({ h: "e", d: "f" });
      if (!before.capabilities.durable) return;
      const now = before.now();
      await publishEach(before, "e", numbered(3));
      await retry(before, await claimOne(before, "h"), 5_000, "first");
      await publish(before, "g", { dedupe: { key: "d", until: now + 60_000 } });
      await die(before, "f", "d");
      await before.schedules.define({ task: "t", hash: "h", definition: "{}", next: now + 1 });
      await before.schedules.pause("t", true);
      await before.limits.take("l", 1, 60_000);
      await before.state.set("k", "v");
      await before.stop();
      const after = await cluster.replica();
      assert.equal((await after.queue.subscriptions()).length, 2);
      assert.deepEqual(
        (await claim(after, "h")).map(({ payload }) => payload),
        ["1", "2"],
      );
      await cluster.clock.advance(5_000);
      assert.deepEqual(messagesOf((await claimOne(after, "h")).errors), ["first"]);
      const [again] = await after.queue.publish([
        { event: "g", payload: "{}", priority: 1, due: now, dedupe: { key: "d", until: now + 60_000 } },
      ]);
      assert.equal(again?.duplicate, true);
      assert.deepEqual(await Promise.all([after.deadLetters.count({}), after.state.get("k")]), [2, "v"]);
      assert.equal((await after.schedules.list())[0]?.paused, true);
      assert.equal((await after.limits.take("l", 1, 60_000)).ok, false);
    },
  },
};

/** Does to an object what careless code does. */
function tamper(object: object): void {
  for (const field of ["payload", "attempt", "priority"]) Reflect.set(object, field, "tampered");
}
