import { strict as assert } from "node:assert";
import type { SubscriptionInfo } from "../../engine.ts";
import type { Area } from "./area.ts";
import {
  bury,
  claim,
  claimOne,
  claimPayloads,
  done,
  message,
  publish,
  publishEach,
  release,
  retry,
} from "./work.ts";

export const subscribing: Area = {
  title: "subscriptions",
  cases: {
    "each subscription gets every message for itself": async (cluster) => {
      const engine = await cluster.replica({ mail: "e", audit: "e" });
      const id = await publish(engine, "e");
      await done(engine, await claimOne(engine, "mail"));
      assert.equal((await claimOne(engine, "audit")).id, id);
    },

    "subscriptions fail, retry and die separately": async (cluster) => {
      const engine = await cluster.replica({ good: "e", slow: "e", bad: "e" });
      await publish(engine, "e");
      await done(engine, await claimOne(engine, "good"));
      await retry(engine, await claimOne(engine, "slow"), 1_000);
      await bury(engine, await claimOne(engine, "bad"));
      const dead = await engine.deadLetters.list({});
      assert.deepEqual(
        dead.map(({ handler }) => handler),
        ["bad"],
      );
      await cluster.clock.advance(1_000);
      assert.equal((await claimOne(engine, "slow")).attempt, 2);
    },

    "`*` stands for one segment and `**` for any number, none included": async (cluster) => {
      const engine = await cluster.replica({
        exact: "a.b",
        one: "a.*",
        any: "a.**",
        all: "**",
        mid: "a.**.z",
      });
      const reached: Record<string, number> = {};
      for (const event of ["a", "a.b", "a.b.c", "a.z", "b.a"]) {
        const [published] = await engine.queue.publish([message(engine, event)]);
        reached[event] = published?.deliveries ?? 0;
      }
      assert.deepEqual(reached, { a: 2, "a.b": 4, "a.b.c": 2, "a.z": 4, "b.a": 1 });
    },

    "subscribing again with the same topic changes nothing": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      await (await cluster.replica()).queue.subscribe([{ handler: "h", topic: "e" }]);
      await publish(engine, "e");
      assert.equal((await claim(engine, "h")).length, 2);
      assert.equal((await engine.queue.subscriptions()).length, 1);
    },

    "subscribing again with another topic changes what comes, and keeps what waits": async (cluster) => {
      const engine = await cluster.replica({ h: "old" });
      await publish(engine, "old", { payload: "1" });
      await (await cluster.replica()).queue.subscribe([{ handler: "h", topic: "new" }]);
      await publish(engine, "old", { payload: "2" });
      await publish(engine, "new", { payload: "3" });
      assert.deepEqual(await claimPayloads(engine, "h"), ["1", "3"]);
    },

    "a message published before the subscription does not reach it": async (cluster) => {
      const engine = await cluster.replica();
      await publish(engine, "e");
      await engine.queue.subscribe([{ handler: "h", topic: "e" }]);
      assert.equal((await claim(engine, "h")).length, 0);
    },

    "a message published by another replica after subscribe resolved reaches it": async (cluster) => {
      const [one, other] = await cluster.replicas(2);
      assert.ok(one && other);
      await publish(other, "e");
      await one.queue.subscribe([{ handler: "h", topic: "e" }]);
      const [published] = await other.queue.publish([message(other, "e")]);
      assert.equal(published?.deliveries, 1);
    },

    "a subscription outlives the replica that made it": async (cluster) => {
      const other = await cluster.replica();
      const maker = await cluster.replica({ h: "e" });
      await maker.stop();
      await publish(other, "e", { payload: "1" });
      const later = await cluster.replica();
      assert.deepEqual(await claimPayloads(later, "h"), ["1"]);
    },

    "a subscription without a topic gets only what is sent to it": async (cluster) => {
      const engine = await cluster.replica({ tick: undefined });
      await publish(engine, "tick");
      await publish(engine, "any", { to: "tick", payload: "1" });
      assert.deepEqual(await claimPayloads(engine, "tick"), ["1"]);
    },

    "twenty replicas that subscribe at once make one subscription": async (cluster) => {
      const engines = await cluster.replicas(20);
      await Promise.all(engines.map((engine) => engine.queue.subscribe([{ handler: "h", topic: "e" }])));
      const [engine] = engines;
      assert.ok(engine);
      assert.deepEqual(
        (await engine.queue.subscriptions()).map(({ handler, topic }) => [handler, topic]),
        [["h", "e"]],
      );
      await publish(engine, "e");
      assert.equal((await claim(engine, "h")).length, 1);
    },

    "unsubscribe removes the subscription and what waits for it": async (cluster) => {
      const engine = await cluster.replica({ gone: "e", stays: "e" });
      const id = await publish(engine, "e");
      await publish(engine, "e", { due: engine.now() + 1_000 });
      assert.equal(await engine.queue.unsubscribe("gone"), true);
      assert.deepEqual(
        (await engine.queue.subscriptions()).map(({ handler }) => handler),
        ["stays"],
      );
      assert.deepEqual(
        (await engine.queue.find(id)).map(({ handler }) => handler),
        ["stays"],
      );
      await engine.queue.subscribe([{ handler: "gone", topic: "e" }]);
      await cluster.clock.advance(1_000);
      assert.equal((await claim(engine, "gone")).length, 0);
    },

    "unsubscribe answers false when there is no such subscription": async (cluster) => {
      const engine = await cluster.replica();
      assert.equal(await engine.queue.unsubscribe("nobody"), false);
    },

    "unsubscribe leaves a running delivery to its holder": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      const running = await claimOne(engine, "h");
      await engine.queue.unsubscribe("h");
      assert.equal(await done(engine, running), true);
    },

    "what ended or was given back is not counted as running": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publishEach(engine, "e", ["1", "2", "3", "4"]);
      const [one, two, three] = await claim(engine, "h");
      assert.ok(one && two && three);
      await done(engine, one);
      await release(engine, two);
      await retry(engine, three, 1_000);
      const [{ ready, waiting, running } = {}] = await engine.queue.subscriptions();
      assert.deepEqual({ ready, waiting, running }, { ready: 1, waiting: 1, running: 1 });
    },

    "every subscription is listed with what is ready, waits, runs and died": async (cluster) => {
      const engine = await cluster.replica({ h: "e", idle: undefined });
      await publish(engine, "e");
      await bury(engine, await claimOne(engine, "h"));
      await publish(engine, "e");
      await claimOne(engine, "h");
      await cluster.clock.advance(500);
      const oldest = engine.now();
      await publishEach(engine, "e", ["1", "2"], { priority: 9 });
      await cluster.clock.advance(500);
      await publish(engine, "e", { priority: 1 });
      await publish(engine, "e", { due: engine.now() + 1_000 });
      await publishEach(engine, "e", ["1", "2"], { key: "k" });
      const none = { ready: 0, waiting: 0, running: 0, dead: 0, oldest: undefined };
      assert.deepEqual(byHandler(await engine.queue.subscriptions()), [
        { handler: "h", topic: "e", ready: 4, waiting: 2, running: 1, dead: 1, oldest },
        { handler: "idle", topic: undefined, ...none },
      ]);
    },
  },
};

function byHandler(subscriptions: readonly SubscriptionInfo[]): SubscriptionInfo[] {
  return subscriptions.toSorted((a, b) => (a.handler < b.handler ? -1 : 1));
}
