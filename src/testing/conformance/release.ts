import { strict as assert } from "node:assert";
import type { Area } from "./area.ts";
import { LEASE } from "./cluster.ts";
import {
  claim,
  claimOne,
  claimPayloads,
  done,
  messagesOf,
  numbered,
  publish,
  publishEach,
  release,
  retry,
} from "./work.ts";

export const releasing: Area = {
  title: "giving back",
  cases: {
    "what is given back is ready at once, and its attempt is not counted": async (cluster) => {
      const one = await cluster.replica({ h: "e" });
      const other = await cluster.replica();
      await publish(one, "e");
      for (let round = 0; round < 10; round++) {
        const taken = await claimOne(round % 2 ? one : other, "h");
        assert.equal(taken.attempt, 1);
        assert.equal(await release(round % 2 ? one : other, taken), true);
      }
    },

    "what is given back keeps its place before what was published later": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publishEach(engine, "e", numbered(4));
      const [first, second] = await claim(engine, "h", 2);
      assert.ok(first && second);
      await release(engine, second);
      await release(engine, first);
      assert.deepEqual(await claimPayloads(engine, "h"), numbered(4));
    },

    "a release keeps the history of earlier attempts": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      await retry(engine, await claimOne(engine, "h"), 0, "first");
      await release(engine, await claimOne(engine, "h"));
      const taken = await claimOne(engine, "h");
      assert.deepEqual([taken.attempt, messagesOf(taken.errors)], [2, ["first"]]);
    },

    "a replica that stops gives back all it holds, at once and without spending attempts": async (
      cluster,
    ) => {
      const leaving = await cluster.replica({ h: "e" });
      const staying = await cluster.replica();
      await publishEach(leaving, "e", numbered(5));
      assert.equal((await claim(leaving, "h")).length, 5);
      await leaving.stop();
      const again = await claim(staying, "h");
      assert.deepEqual(
        again.map(({ payload, attempt }) => [payload, attempt]),
        numbered(5).map((n) => [n, 1]),
      );
    },

    "a replica that stops takes nothing from the others": async (cluster) => {
      const leaving = await cluster.replica({ h: "e" });
      const staying = await cluster.replica();
      await publishEach(leaving, "e", ["1", "2"]);
      await claimOne(leaving, "h");
      const kept = await claimOne(staying, "h");
      await leaving.stop();
      assert.deepEqual(await claimPayloads(staying, "h"), ["1"]);
      assert.equal(await done(staying, kept), true);
    },

    "a replica that was given up and then stops takes nothing from who took over": async (cluster) => {
      const silent = await cluster.replica({ h: "e" });
      const alive = await cluster.replica();
      await publish(silent, "e");
      await claimOne(silent, "h");
      await cluster.pass(LEASE + 1, [alive]);
      await alive.presence.sweep();
      const taken = await claimOne(alive, "h");
      await silent.stop();
      assert.equal((await claim(alive, "h")).length, 0);
      assert.equal(await done(alive, taken), true);
    },

    "a replica that stopped is not among the instances any more": async (cluster) => {
      const leaving = await cluster.replica({}, { id: "leaving" });
      const staying = await cluster.replica({}, { id: "staying" });
      await leaving.stop();
      assert.deepEqual(
        (await staying.presence.instances()).map(({ id }) => id),
        ["staying"],
      );
    },

    "what a stopping replica gave back is not claimed by it again while another of its host starts": async (
      cluster,
    ) => {
      const host = "same-host";
      const before = await cluster.replica({ h: "e" }, { host });
      await publish(before, "e");
      await claimOne(before, "h");
      const [, after] = await Promise.all([before.stop(), cluster.replica({}, { host })]);
      const taken = await claimOne(after, "h");
      assert.equal(taken.attempt, 1);
      assert.equal(await done(after, taken), true);
    },
  },
};
