import { strict as assert } from "node:assert";
import type { Engine } from "../../engine.ts";
import type { Area } from "./area.ts";
import { LEASE } from "./cluster.ts";
import { bury, claim, claimOne, done, message, numbered, publish, publishEach } from "./work.ts";

export const presence: Area = {
  title: "presence and rescue",
  cases: {
    "every instance is listed with what it is and how much it runs": async (cluster) => {
      const one = await cluster.replica({ h: "e" }, { id: "one", host: "alpha" });
      const other = await cluster.replica({}, { id: "two", host: "beta" });
      await publishEach(one, "e", numbered(3));
      await claim(one, "h", 2);
      await cluster.clock.advance(1_000);
      await one.presence.beat();
      const started = one.now() - 1_000;
      const seen = (await other.presence.instances()).toSorted((a, b) => (a.id < b.id ? -1 : 1));
      const both = { pid: 1, version: "1.0.0", startedAt: started };
      assert.deepEqual(seen, [
        { id: "one", host: "alpha", ...both, lastSeen: started + 1_000, running: 2 },
        { id: "two", host: "beta", ...both, lastSeen: started, running: 0 },
      ]);
    },

    "what a silent instance held is claimed again once its lease has passed, and the attempt counts": async (
      cluster,
    ) => {
      const silent = await cluster.replica({ h: "e" });
      const alive = await cluster.replica();
      const id = await publish(silent, "e");
      await claimOne(silent, "h");
      await cluster.pass(LEASE + 1, [alive]);
      assert.equal(await alive.presence.sweep(), 1);
      const again = await claimOne(alive, "h");
      assert.deepEqual([again.id, again.attempt], [id, 2]);
    },

    "nothing is taken before the lease has passed": async (cluster) => {
      const silent = await cluster.replica({ h: "e" });
      const alive = await cluster.replica();
      await publish(silent, "e");
      const taken = await claimOne(silent, "h");
      await cluster.clock.advance(LEASE - 1);
      assert.equal(await alive.presence.sweep(), 0);
      assert.equal((await claim(alive, "h")).length, 0);
      assert.equal(await done(silent, taken), true);
    },

    "a beat renews the lease on all that is held": async (cluster) => {
      const worker = await cluster.replica({ h: "e" });
      const alive = await cluster.replica();
      await publishEach(worker, "e", numbered(3));
      const held = await claim(worker, "h");
      await cluster.clock.advance(LEASE - 1);
      assert.equal(await worker.presence.beat(), true);
      await cluster.clock.advance(LEASE - 1);
      assert.equal(await alive.presence.sweep(), 0);
      for (const taken of held) assert.equal(await done(worker, taken), true);
    },

    "a job ten times longer than the lease is never taken from thirty replicas that beat": async (
      cluster,
    ) => {
      const engines = await cluster.replicas(30);
      const [first] = engines;
      assert.ok(first);
      await first.queue.subscribe([{ handler: "h", topic: "e" }]);
      await publishEach(first, "e", numbered(30));
      const held = [];
      for (const engine of engines) held.push(await claimOne(engine, "h"));
      for (let third = 0; third < 30; third++) {
        await cluster.pass(LEASE / 3, engines);
        assert.equal(await (engines[third] as Engine).presence.sweep(), 0);
      }
      assert.equal((await claim(first, "h")).length, 0);
      for (const [at, taken] of held.entries()) assert.equal(await done(engines[at] as Engine, taken), true);
    },

    "one that was given up learns it from its next beat, and is registered anew": async (cluster) => {
      const silent = await cluster.replica({ h: "e" }, { id: "silent" });
      const alive = await cluster.replica();
      await publishEach(silent, "e", ["1", "2"]);
      const lost = await claimOne(silent, "h");
      await cluster.pass(LEASE + 1_000, [alive]);
      await alive.presence.sweep();
      const names = async () => (await alive.presence.instances()).map(({ id }) => id);
      assert.ok(!(await names()).includes("silent"));
      assert.equal(await silent.presence.beat(), false);
      assert.ok((await names()).includes("silent"));
      assert.equal(await silent.presence.beat(), true);
      assert.equal(await done(silent, lost), false);
      assert.equal((await claim(silent, "h")).length, 2);
    },

    "a restarted host does not hide what its last incarnation held": async (cluster) => {
      const host = "same-host";
      const before = await cluster.replica({ h: "e" }, { id: "incarnation-1", host });
      await publish(before, "e");
      await claimOne(before, "h");
      const after = await cluster.replica({}, { id: "incarnation-2", host });
      assert.equal((await claim(after, "h")).length, 0);
      await cluster.pass(LEASE + 1, [after]);
      assert.equal(await after.presence.sweep(), 1);
      assert.equal((await claimOne(after, "h")).attempt, 2);
    },

    "one orphan is found among ten thousand that run for long": async (cluster) => {
      const busy = await cluster.replica({ h: "e" });
      const silent = await cluster.replica();
      await busy.queue.publish(numbered(10_000).map((payload) => message(busy, "e", { payload })));
      assert.equal((await claim(busy, "h", 10_000)).length, 10_000);
      await publish(busy, "e", { payload: '"orphan"' });
      await claimOne(silent, "h");
      await cluster.pass(LEASE + 1, [busy]);
      assert.equal(await busy.presence.sweep(), 1);
      assert.equal((await claimOne(busy, "h")).payload, '"orphan"');
    },

    "of replicas that sweep at once, each delivery is rescued once": async (cluster) => {
      const silent = await cluster.replica({ h: "e" });
      const alive = await cluster.replicas(5);
      await publishEach(silent, "e", numbered(20));
      await claim(silent, "h");
      await cluster.pass(LEASE + 1, alive);
      const rescued = await Promise.all(alive.map((engine) => engine.presence.sweep()));
      assert.equal(
        rescued.reduce((sum, count) => sum + count, 0),
        20,
      );
      const claimed = await Promise.all(alive.map((engine) => claim(engine, "h", 20)));
      assert.equal(claimed.flat().length, 20);
      assert.ok(claimed.flat().every(({ attempt }) => attempt === 2));
    },

    "a message whose replica dies each time is counted each time": async (cluster) => {
      const alive = await cluster.replica({ h: "e" });
      await publish(alive, "e");
      for (let attempt = 1; attempt <= 4; attempt++) {
        const victim = await cluster.replica();
        assert.equal((await claimOne(victim, "h")).attempt, attempt);
        await cluster.pass(LEASE + 1, [alive]);
        await alive.presence.sweep();
      }
      const last = await claimOne(alive, "h");
      assert.equal(last.attempt, 5);
      assert.equal(await bury(alive, last, "poison"), true);
    },

    "what one claims after it was given up, and before it beats, is not lost with it": async (cluster) => {
      const silent = await cluster.replica({ h: "e" });
      const alive = await cluster.replica();
      await cluster.pass(LEASE + 1, [alive]);
      await alive.presence.sweep();
      await publish(silent, "e");
      await claim(silent, "h");
      await cluster.pass(LEASE + 1, [alive]);
      await alive.presence.sweep();
      assert.equal((await claim(alive, "h")).length, 1);
    },

    "one that sweeps late does not give up itself": async (cluster) => {
      const late = await cluster.replica({ h: "e" });
      await publish(late, "e");
      const taken = await claimOne(late, "h");
      await cluster.clock.advance(LEASE * 2);
      assert.equal(await late.presence.sweep(), 0);
      assert.equal(await done(late, taken), true);
    },

    "a machine's clock that is set forward, or a laptop that slept, gives up no replica that beats": async (
      cluster,
    ) => {
      const worker = await cluster.replica({ h: "e" });
      const [sweeper, other] = await cluster.replicas(2);
      assert.ok(sweeper && other);
      await publish(worker, "e");
      const taken = await claimOne(worker, "h");
      await cluster.pass(LEASE / 3, [worker, sweeper, other]);
      cluster.clock.jump(3_600_000);
      assert.equal(await sweeper.presence.sweep(), 0);
      await cluster.pass(LEASE * 2, [worker, sweeper, other]);
      assert.equal(await other.presence.sweep(), 0);
      assert.equal(await done(worker, taken), true);
    },

    "each instance has the lease it was started with": async (cluster) => {
      const patient = await cluster.replica({ h: "e" }, { lease: LEASE * 4 });
      const hasty = await cluster.replica({}, { lease: LEASE / 10 });
      const alive = await cluster.replica();
      await publishEach(alive, "e", ["1", "2"]);
      await claimOne(patient, "h");
      await claimOne(hasty, "h");
      await cluster.pass(LEASE, [alive]);
      assert.equal(await alive.presence.sweep(), 1);
      assert.equal((await claimOne(alive, "h")).payload, "2");
    },
  },
};
