import { strict as assert } from "node:assert";
import type { Area } from "./area.ts";
import { LEASE } from "./cluster.ts";
import { claimOne, publish, release, retry, snooze } from "./work.ts";

export const steps: Area = {
  title: "steps",
  cases: {
    "the results of steps come with every later attempt": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      const first = await claimOne(engine, "h");
      assert.equal(await engine.queue.saveStep(first, "charge", '{"receipt":"r1"}'), true);
      assert.equal(await engine.queue.saveStep(first, "mail", "null"), true);
      await retry(engine, first, 0);
      const second = await claimOne(engine, "h");
      assert.deepEqual(JSON.parse(second.steps ?? ""), { charge: { receipt: "r1" }, mail: null });
      await snooze(engine, second, 0);
      const third = await claimOne(engine, "h");
      await release(engine, third);
      assert.equal((await claimOne(engine, "h")).steps, second.steps);
    },

    "a step is stored once it is acknowledged, though its replica dies": async (cluster) => {
      const silent = await cluster.replica({ h: "e" });
      const alive = await cluster.replica();
      await publish(silent, "e");
      await silent.queue.saveStep(await claimOne(silent, "h"), "charge", "1");
      await cluster.pass(LEASE + 1_000, [alive]);
      await alive.presence.sweep();
      assert.deepEqual(JSON.parse((await claimOne(alive, "h")).steps ?? ""), { charge: 1 });
    },

    "a step of an attempt that was lost is refused and not stored": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      const lost = await claimOne(engine, "h");
      await release(engine, lost);
      assert.equal(await engine.queue.saveStep(lost, "late", "1"), false);
      const current = await claimOne(engine, "h");
      assert.equal(await engine.queue.saveStep(lost, "late", "1"), false);
      assert.equal(current.steps, undefined);
      assert.equal((await engine.queue.find(current.id))[0]?.steps, undefined);
    },

    "a step stored again has its last result": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      const taken = await claimOne(engine, "h");
      for (const result of ["1", "2"]) await engine.queue.saveStep(taken, "s", result);
      await release(engine, taken);
      assert.deepEqual(JSON.parse((await claimOne(engine, "h")).steps ?? ""), { s: 2 });
    },

    "the steps of two subscriptions of one message do not meet": async (cluster) => {
      const engine = await cluster.replica({ a: "e", b: "e" });
      await publish(engine, "e");
      await engine.queue.saveStep(await claimOne(engine, "a"), "s", "1");
      assert.equal((await claimOne(engine, "b")).steps, undefined);
    },

    "names of steps may hold any character": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      const taken = await claimOne(engine, "h");
      const names = ['say "hi"', "a.b[0]", "$.x", "支付", "__proto__", "", "it's"];
      for (const [at, name] of names.entries()) await engine.queue.saveStep(taken, name, String(at));
      await release(engine, taken);
      const stored: unknown = JSON.parse((await claimOne(engine, "h")).steps ?? "");
      assert.deepEqual(
        Object.entries(stored as object),
        names.map((name, at) => [name, at]),
      );
    },

    "concurrent steps of one attempt are all stored": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      const taken = await claimOne(engine, "h");
      await Promise.all(
        Array.from({ length: 20 }, (_, n) => engine.queue.saveStep(taken, `s${n}`, String(n))),
      );
      await release(engine, taken);
      const stored: unknown = JSON.parse((await claimOne(engine, "h")).steps ?? "");
      assert.equal(Object.keys(stored as object).length, 20);
    },
  },
};
