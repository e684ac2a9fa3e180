import { strict as assert } from "node:assert";
import type { Area } from "./area.ts";
import { numbered } from "./work.ts";

export const state: Area = {
  title: "state",
  cases: {
    "a value is read by every replica as it was set": async (cluster) => {
      const one = await cluster.replica();
      const other = await cluster.replica();
      assert.equal(await other.state.get("k"), undefined);
      for (const value of ["1", "", "你好\n\u0000", "x".repeat(100_000)]) {
        await one.state.set("k", value);
        assert.equal(await other.state.get("k"), value);
      }
    },

    "a deleted value is gone, and deleting one that is not there does nothing": async (cluster) => {
      const engine = await cluster.replica();
      await engine.state.set("k", "1");
      await engine.state.delete("k");
      await engine.state.delete("k");
      assert.equal(await engine.state.get("k"), undefined);
    },

    "swap sets only what still is as expected": async (cluster) => {
      const { state: facts } = await cluster.replica();
      assert.equal(await facts.swap("k", "1", "2"), false);
      assert.equal(await facts.get("k"), undefined);
      assert.equal(await facts.swap("k", undefined, "1"), true);
      assert.equal(await facts.swap("k", undefined, "2"), false);
      assert.equal(await facts.swap("k", "1", "2"), true);
      assert.equal(await facts.get("k"), "2");
    },

    "of replicas that swap at once, one succeeds": async (cluster) => {
      const engines = await cluster.replicas(10);
      for (let round = 0; round < 10; round++) {
        const expected = round === 0 ? undefined : String(round - 1);
        const swapped = await Promise.all(
          engines.map(({ state: facts }) => facts.swap("k", expected, String(round))),
        );
        assert.equal(swapped.filter(Boolean).length, 1);
      }
    },

    "an increment by swap from many replicas loses none": async (cluster) => {
      const engines = await cluster.replicas(4);
      await Promise.all(
        engines.map(async ({ state: facts }) => {
          for (let done = 0; done < 10;) {
            const value = await facts.get("k");
            if (await facts.swap("k", value, String(Number(value ?? 0) + 1))) done++;
          }
        }),
      );
      assert.equal(await engines[0]?.state.get("k"), "40");
    },

    "list gives all keys that start so, with their values, in order": async (cluster) => {
      const { state: facts } = await cluster.replica();
      for (const key of ["b", "a:2", "a:10", "a", "A:1", "a%", "a_", "a:1"]) await facts.set(key, `v${key}`);
      const keys = async (prefix: string) => (await facts.list(prefix)).map(([key]) => key);
      assert.deepEqual(await facts.list("a:"), [
        ["a:1", "va:1"],
        ["a:10", "va:10"],
        ["a:2", "va:2"],
      ]);
      assert.deepEqual(await keys("a%"), ["a%"]);
      assert.deepEqual(await keys("a_"), ["a_"]);
      assert.deepEqual(await keys(""), ["A:1", "a", "a%", "a:1", "a:10", "a:2", "a_", "b"]);
      assert.deepEqual(await keys("none"), []);
    },

    "many keys written at once are all there": async (cluster) => {
      const engines = await cluster.replicas(3);
      await Promise.all(
        engines.flatMap(({ state: facts }, at) => numbered(30).map((n) => facts.set(`${at}:${n}`, n))),
      );
      assert.equal((await engines[0]?.state.list(""))?.length, 90);
    },
  },
};
