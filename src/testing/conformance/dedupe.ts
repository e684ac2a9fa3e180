import { strict as assert } from "node:assert";
import type { Published } from "../../engine.ts";
import type { Area } from "./area.ts";
import { bury, claim, claimOne, done, message, numbered, publish } from "./work.ts";

const WINDOW = 60_000;

export const deduplicating: Area = {
  title: "dedupe",
  cases: {
    "a second message with a key is answered with the first one's id, and nothing is stored": async (
      cluster,
    ) => {
      const engine = await cluster.replica({ h: "e" });
      const dedupe = { key: "d", until: engine.now() + WINDOW };
      const [first] = await engine.queue.publish([message(engine, "e", { dedupe, payload: "1" })]);
      const [second] = await engine.queue.publish([message(engine, "e", { dedupe, payload: "2" })]);
      assert.deepEqual([first?.duplicate, second?.duplicate], [false, true]);
      assert.equal(second?.id, first?.id);
      assert.deepEqual(
        (await claim(engine, "h")).map(({ payload }) => payload),
        ["1"],
      );
    },

    "fifty publishes at once from five replicas store one message": async (cluster) => {
      const engines = await cluster.replicas(5);
      const [engine] = engines;
      assert.ok(engine);
      await engine.queue.subscribe([{ handler: "h", topic: "e" }]);
      const dedupe = { key: "d", until: engine.now() + WINDOW };
      const published = await Promise.all(
        numbered(50).map(async (n) => {
          const from = engines[Number(n) % 5] ?? engine;
          return (await from.queue.publish([message(from, "e", { dedupe })]))[0] as Published;
        }),
      );
      assert.equal(published.filter(({ duplicate }) => !duplicate).length, 1);
      assert.equal(new Set(published.map(({ id }) => id)).size, 1);
      assert.equal((await claim(engine, "h")).length, 1);
    },

    "two of one call are one message": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const dedupe = { key: "d", until: engine.now() + WINDOW };
      const [first, second] = await engine.queue.publish([
        message(engine, "e", { dedupe }),
        message(engine, "e", { dedupe }),
      ]);
      assert.deepEqual([second?.id, second?.duplicate], [first?.id, true]);
      assert.equal((await claim(engine, "h")).length, 1);
    },

    "the others of a call are stored though one of them is a duplicate": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const dedupe = { key: "d", until: engine.now() + WINDOW };
      await publish(engine, "e", { dedupe, payload: "1" });
      await engine.queue.publish([message(engine, "e", { dedupe }), message(engine, "e", { payload: "2" })]);
      assert.deepEqual(
        (await claim(engine, "h")).map(({ payload }) => payload),
        ["1", "2"],
      );
    },

    "the key holds until its window ends, though the message is done": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const until = engine.now() + WINDOW;
      const id = await publish(engine, "e", { dedupe: { key: "d", until } });
      await done(engine, await claimOne(engine, "h"));
      await cluster.clock.advance(WINDOW - 1);
      const late = { dedupe: { key: "d", until: engine.now() + WINDOW } };
      assert.equal(await publish(engine, "e", late), id);
      await cluster.clock.advance(1);
      assert.notEqual(await publish(engine, "e", late), id);
      assert.equal((await claim(engine, "h")).length, 1);
    },

    "a duplicate does not make the window longer": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const id = await publish(engine, "e", { dedupe: { key: "d", until: engine.now() + WINDOW } });
      await cluster.clock.advance(WINDOW / 2);
      await publish(engine, "e", { dedupe: { key: "d", until: engine.now() + WINDOW } });
      await cluster.clock.advance(WINDOW / 2);
      assert.notEqual(await publish(engine, "e", { dedupe: { key: "d", until: engine.now() + WINDOW } }), id);
    },

    "different keys, and messages without one, are different messages": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const until = engine.now() + WINDOW;
      for (const key of ["d", "D", "d "]) await publish(engine, "e", { dedupe: { key, until } });
      await publish(engine, "e");
      await publish(engine, "e");
      assert.equal((await claim(engine, "h")).length, 5);
    },

    "a duplicate of a message that died is a duplicate": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const dedupe = { key: "d", until: engine.now() + WINDOW };
      const id = await publish(engine, "e", { dedupe });
      await bury(engine, await claimOne(engine, "h"));
      assert.equal(await publish(engine, "e", { dedupe }), id);
      assert.equal((await claim(engine, "h")).length, 0);
    },
  },
};
