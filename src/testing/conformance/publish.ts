import { strict as assert } from "node:assert";
import type { Area } from "./area.ts";
import { claim, claimOne, claimPayloads, message, numbered, publish, publishEach } from "./work.ts";

export const publishing: Area = {
  title: "publish",
  cases: {
    "a message is claimed with everything it was published with": async (cluster) => {
      const engine = await cluster.replica({ mail: "user.registered" });
      const now = engine.now();
      const fields = {
        payload: '{"a":1}',
        headers: '{"trace":"x"}',
        priority: 7,
        key: "k",
        expires: now + 9,
      };
      const id = await publish(engine, "user.registered", fields);
      const { event, handler, payload, headers, priority, key, expires, ...rest } = await claimOne(
        engine,
        "mail",
      );
      assert.deepEqual({ payload, headers, priority, key, expires }, fields);
      assert.deepEqual({ event, handler, id: rest.id }, { event: "user.registered", handler: "mail", id });
      assert.deepEqual([rest.publishedAt, rest.due, rest.attempt], [now, now, 1]);
      assert.deepEqual([rest.steps, rest.errors], [undefined, undefined]);
    },

    "what was not given stays undefined": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      const { headers, key, expires } = await claimOne(engine, "h");
      assert.deepEqual([headers, key, expires], [undefined, undefined, undefined]);
    },

    "text comes back as it was: Unicode, quotes, line breaks, a NUL escape, a megabyte": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const texts = ["你好 🚀 é", 'it\'s "quoted" \\ ;--', "a\r\nb\tc", "nul \u0000", "x".repeat(1 << 20)];
      const payloads = texts.map((text) => JSON.stringify(text));
      await publishEach(engine, "e", payloads);
      assert.deepEqual(await claimPayloads(engine, "h"), payloads);
    },

    "JSON that somebody has written in several lines comes back as it was, alone and among others": async (
      cluster,
    ) => {
      const engine = await cluster.replica({ h: "e" });
      const payloads = ['{\n  "a": 1\n}', "1", "[\r\n]", "2\n"];
      for (const payload of payloads) await publish(engine, "e", { payload });
      await publishEach(engine, "e", payloads);
      assert.deepEqual(await claimPayloads(engine, "h"), [...payloads, ...payloads]);
    },

    "the messages of one call are answered and delivered in the order given": async (cluster) => {
      const engine = await cluster.replica({ a: "one.*", b: "**" });
      const events = ["one.x", "two.y", "one.z"];
      const published = await engine.queue.publish(events.map((event) => message(engine, event)));
      assert.deepEqual(
        published.map(({ deliveries }) => deliveries),
        [2, 1, 2],
      );
      const claims = await claim(engine, "b");
      assert.deepEqual(
        claims.map(({ id }) => id),
        published.map(({ id }) => id),
      );
      assert.deepEqual(
        claims.map(({ event }) => event),
        events,
      );
    },

    "publishing no messages answers none": async (cluster) => {
      const engine = await cluster.replica();
      assert.deepEqual(await engine.queue.publish([]), []);
    },

    "the messages of one call are stored together: another replica sees all of them or none": async (
      cluster,
    ) => {
      const writer = await cluster.replica({ h: "e" });
      const reader = await cluster.replica();
      const writing = publishEach(writer, "e", numbered(500));
      const found = [];
      for (let look = 0; look < 5; look++) found.push((await claim(reader, "h")).length);
      await writing;
      found.push((await claim(reader, "h")).length);
      assert.deepEqual(
        found.filter((count) => count !== 0),
        [500],
      );
    },

    "an acknowledged message can be claimed at once by any replica": async (cluster) => {
      const [one, ...others] = await cluster.replicas(4);
      assert.ok(one);
      await one.queue.subscribe([{ handler: "h", topic: "e" }]);
      for (const other of others) {
        const id = await publish(one, "e");
        assert.equal((await claimOne(other, "h")).id, id);
      }
    },

    "ids are unique, whichever replica published": async (cluster) => {
      const engines = await cluster.replicas(5);
      const ids = await Promise.all(
        engines.flatMap((engine) => numbered(40).map(() => publish(engine, "e"))),
      );
      assert.equal(new Set(ids).size, 200);
    },

    "concurrent publishes are all stored": async (cluster) => {
      const engines = await cluster.replicas(3);
      const [first] = engines;
      assert.ok(first);
      await first.queue.subscribe([{ handler: "h", topic: "e" }]);
      await Promise.all(
        engines.flatMap((engine) => numbered(100).map((payload) => publish(engine, "e", { payload }))),
      );
      assert.equal((await claim(first, "h")).length, 300);
    },

    "messages published one after the other are delivered in that order, whichever replica published": async (
      cluster,
    ) => {
      const one = await cluster.replica({ h: "e" });
      const other = await cluster.replica();
      for (const payload of numbered(20)) await publish(Number(payload) % 2 ? one : other, "e", { payload });
      assert.deepEqual(await claimPayloads(one, "h"), numbered(20));
    },

    "a message sent to one subscription reaches it alone, whatever its topic": async (cluster) => {
      const engine = await cluster.replica({ target: "something.else", bystander: "e" });
      const [published] = await engine.queue.publish([message(engine, "e", { to: "target" })]);
      assert.equal(published?.deliveries, 1);
      assert.equal((await claim(engine, "target")).length, 1);
      assert.equal((await claim(engine, "bystander")).length, 0);
    },

    "a message for nobody is acknowledged with no deliveries": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const published = await engine.queue.publish([
        message(engine, "f"),
        message(engine, "e", { to: "nobody" }),
      ]);
      assert.deepEqual(
        published.map(({ deliveries, duplicate }) => [deliveries, duplicate]),
        [
          [0, false],
          [0, false],
        ],
      );
    },
  },
};
