import { strict as assert } from "node:assert";
import type { Area } from "./area.ts";
import { numbered } from "./work.ts";

export const signals: Area = {
  title: "signals",
  cases: {
    "a word is heard by all that listen to its channel, the sender's replica included": async (cluster) => {
      const engines = await cluster.replicas(3);
      const heard: string[] = [];
      for (const [at, engine] of engines.entries())
        engine.signals.listen("c", (body) => heard.push(`${at}:${body}`));
      await engines[1]?.signals.send("c", "hi");
      await cluster.eventually("all hear", () => heard.length >= 3);
      assert.deepEqual(heard.toSorted(), ["0:hi", "1:hi", "2:hi"]);
    },

    "words of one sender are heard in the order sent, as they were": async (cluster) => {
      const [one, other] = await cluster.replicas(2);
      assert.ok(one && other);
      const heard: string[] = [];
      other.signals.listen("c", (body) => heard.push(body));
      const bodies = [...numbered(20), "", '{"a":"你好\\n"}'];
      for (const body of bodies) await one.signals.send("c", body);
      await cluster.eventually("all are heard", () => heard.length >= bodies.length);
      assert.deepEqual(heard, bodies);
    },

    "another channel's words are not heard": async (cluster) => {
      const engine = await cluster.replica();
      const heard: string[] = [];
      engine.signals.listen("c", (body) => heard.push(body));
      await engine.signals.send("d", "not this");
      await engine.signals.send("c", "this");
      await cluster.eventually("the word is heard", () => heard.length > 0);
      assert.deepEqual(heard, ["this"]);
    },

    "who has ended listening hears no more, and others of the channel still do": async (cluster) => {
      const engine = await cluster.replica();
      const heard: string[] = [];
      const end = engine.signals.listen("c", (body) => heard.push(`ended:${body}`));
      engine.signals.listen("c", (body) => heard.push(body));
      const sending = engine.signals.send("c", "1");
      end();
      end();
      await sending;
      await cluster.eventually("the word is heard", () => heard.length > 0);
      assert.deepEqual(heard, ["1"]);
    },

    "nothing is stored for the absent": async (cluster) => {
      const engine = await cluster.replica();
      const passed: string[] = [];
      engine.signals.listen("other", (body) => passed.push(body));
      await engine.signals.send("c", "before");
      // What comes behind it has come by: it is not on its way any more.
      await engine.signals.send("other", "behind");
      await cluster.eventually("the word behind it is heard", () => passed.length > 0);
      const heard: string[] = [];
      await cluster.clock.advance(1_000);
      engine.signals.listen("c", (body) => heard.push(body));
      await engine.signals.send("c", "after");
      await cluster.eventually("the word is heard", () => heard.length > 0);
      assert.deepEqual(heard, ["after"]);
    },

    "a replica that stopped hears no more": async (cluster) => {
      const [one, other] = await cluster.replicas(2);
      assert.ok(one && other);
      const heard: string[] = [];
      one.signals.listen("c", () => heard.push("one"));
      other.signals.listen("c", () => heard.push("other"));
      await one.stop();
      await other.signals.send("c", "x");
      await cluster.eventually("the word is heard", () => heard.length > 0);
      assert.deepEqual(heard, ["other"]);
    },
  },
};
