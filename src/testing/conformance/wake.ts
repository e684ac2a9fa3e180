import { strict as assert } from "node:assert";
import type { Engine } from "../../engine.ts";
import type { Area } from "./area.ts";
import { type Cluster, LEASE } from "./cluster.ts";
import { claimOne, die, done, message, publish, publishEach, release } from "./work.ts";

/** Listens from now on, after what came before has been heard. */
async function listening(cluster: Cluster, engine: Engine): Promise<{ woken: number }> {
  await cluster.clock.advance(1_000);
  const count = { woken: 0 };
  engine.queue.onWake(() => count.woken++);
  return count;
}

export const waking: Area = {
  title: "wake",
  cases: {
    "a publish wakes every replica": async (cluster) => {
      const one = await cluster.replica({ h: "e" });
      const other = await cluster.replica();
      const heard = [await listening(cluster, one), await listening(cluster, other)];
      await publish(one, "e");
      await cluster.eventually("both wake", () => heard.every(({ woken }) => woken > 0));
    },

    "a message that can be claimed is there when the wake comes": async (cluster) => {
      const one = await cluster.replica({ h: "e" });
      const other = await cluster.replica();
      let found = 0;
      other.queue.onWake(
        () =>
          void other.queue.claim([{ handler: "h", limit: 1 }]).then(({ claims }) => (found += claims.length)),
      );
      await publish(one, "e");
      await cluster.eventually("it is claimed", () => found === 1);
    },

    "a delayed message wakes, so that its moment can be waited for": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const heard = await listening(cluster, engine);
      await publish(engine, "e", { due: engine.now() + 3_600_000 });
      await cluster.eventually("it wakes", () => heard.woken > 0);
    },

    "what is given back wakes the others": async (cluster) => {
      const one = await cluster.replica({ h: "e" });
      const other = await cluster.replica();
      await publish(one, "e");
      const taken = await claimOne(one, "h");
      const heard = await listening(cluster, other);
      await release(one, taken);
      await cluster.eventually("the other wakes", () => heard.woken > 0);
    },

    "a replay wakes": async (cluster) => {
      const one = await cluster.replica({ h: "e" });
      const other = await cluster.replica();
      await die(one, "e", "h");
      const heard = await listening(cluster, other);
      await one.deadLetters.replay({});
      await cluster.eventually("the other wakes", () => heard.woken > 0);
    },

    "a fired tick wakes": async (cluster) => {
      const engine = await cluster.replica({ t: undefined });
      const tick = engine.now();
      await engine.schedules.define({ task: "t", hash: "h", definition: "{}", next: tick });
      const heard = await listening(cluster, engine);
      await engine.schedules.fire("t", "h", tick, tick + 1, [message(engine, "tick", { to: "t" })]);
      await cluster.eventually("it wakes", () => heard.woken > 0);
    },

    "a replica that stops wakes the others to what it held": async (cluster) => {
      const leaving = await cluster.replica({ h: "e" });
      const staying = await cluster.replica();
      await publish(leaving, "e");
      await claimOne(leaving, "h");
      const heard = await listening(cluster, staying);
      await leaving.stop();
      await cluster.eventually("the other wakes", () => heard.woken > 0);
    },

    "a rescue wakes": async (cluster) => {
      const silent = await cluster.replica({ h: "e" });
      const [sweeper, other] = await cluster.replicas(2);
      assert.ok(sweeper && other);
      await publish(silent, "e");
      await claimOne(silent, "h");
      await cluster.pass(LEASE + 1, [sweeper, other]);
      const heard = await listening(cluster, other);
      await sweeper.presence.sweep();
      await cluster.eventually("the other wakes", () => heard.woken > 0);
    },

    "a settled head wakes the others to the next of its key": async (cluster) => {
      const one = await cluster.replica({ h: "e" });
      const other = await cluster.replica();
      await publishEach(one, "e", ["1", "2"], { key: "k" });
      const head = await claimOne(one, "h");
      const heard = await listening(cluster, other);
      await done(one, head);
      await cluster.eventually("the other wakes", () => heard.woken > 0);
    },

    "who has ended listening is not woken, and a wake never comes inside of publish": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const heard: string[] = [];
      let inside = false;
      const end = engine.queue.onWake(() => heard.push("ended"));
      engine.queue.onWake(() => heard.push(inside ? "inside" : "later"));
      end();
      inside = true;
      const publishing = publish(engine, "e");
      inside = false;
      await publishing;
      await cluster.eventually("it wakes", () => heard.length > 0);
      assert.deepEqual([...new Set(heard)], ["later"]);
    },

    "a thousand publishes at once wake far fewer times": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const heard = await listening(cluster, engine);
      await Promise.all(Array.from({ length: 1_000 }, () => publish(engine, "e")));
      await cluster.eventually("it wakes", () => heard.woken > 0);
      await cluster.clock.advance(1_000);
      assert.ok(heard.woken <= 500, `woken ${heard.woken} times`);
    },
  },
};
