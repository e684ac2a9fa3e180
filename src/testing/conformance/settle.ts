import { strict as assert } from "node:assert";
import type { Claim, Engine, Settlement } from "../../engine.ts";
import type { Area } from "./area.ts";
import { type Cluster, LEASE } from "./cluster.ts";
import {
  bury,
  claim,
  claimOne,
  done,
  message,
  numbered,
  publish,
  publishEach,
  release,
  retry,
  snooze,
} from "./work.ts";

/** One replica falls silent and is given up; its work runs at another. */
async function takenOver(
  cluster: Cluster,
): Promise<{ loser: Engine; old: Claim; winner: Engine; current: Claim }> {
  const loser = await cluster.replica({ h: "e" });
  const winner = await cluster.replica();
  await publish(loser, "e");
  const old = await claimOne(loser, "h");
  await cluster.pass(LEASE + 1_000, [winner]);
  await winner.presence.sweep();
  return { loser, old, winner, current: await claimOne(winner, "h") };
}

export const settling: Area = {
  title: "settle and fencing",
  cases: {
    "what is done never comes back": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const id = await publish(engine, "e");
      assert.equal(await done(engine, await claimOne(engine, "h")), true);
      await cluster.pass(LEASE * 3, [engine]);
      await engine.presence.sweep();
      assert.equal((await claim(engine, "h")).length, 0);
      assert.deepEqual(await engine.queue.find(id), []);
      assert.equal(await engine.deadLetters.count({}), 0);
    },

    "the settlements of one call are answered each, in the order given": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publishEach(engine, "e", numbered(3));
      const claims = await claim(engine, "h");
      await done(engine, claims[1] as Claim);
      const settlements: Settlement[] = claims.map((taken) => ({ claim: taken, kind: "done" }));
      assert.deepEqual(await engine.queue.settle(settlements), [true, false, true]);
      assert.deepEqual(await engine.queue.settle([]), []);
    },

    "of a hundred settled in one call each is answered for itself, whatever was said of it": async (
      cluster,
    ) => {
      const engine = await cluster.replica({ h: "e" });
      await engine.queue.publish(
        numbered(100).map((payload, n) =>
          message(engine, "e", { payload, priority: n % 3, ...(n % 10 === 0 && { key: `k${n}` }) }),
        ),
      );
      const claims = await claim(engine, "h", 100);
      assert.equal(claims.length, 100);
      const lost = claims.filter((_, n) => n % 20 === 7);
      for (const taken of lost) await done(engine, taken);
      const again = claims.filter((_, n) => n % 20 === 8);
      const answers = await engine.queue.settle(
        claims.map((taken) => ({ claim: taken, kind: again.includes(taken) ? "release" : "done" })),
      );
      assert.deepEqual(
        answers,
        claims.map((taken) => !lost.includes(taken)),
      );
      const back = await claim(engine, "h", 100);
      assert.deepEqual(
        back.map(({ payload }) => payload),
        again.map(({ payload }) => payload),
      );
      assert.ok(back.every(({ token }) => claims.every((taken) => taken.token !== token)));
    },

    "an attempt is settled once; what is said of it later is refused": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      const taken = await claimOne(engine, "h");
      const answers = await engine.queue.settle([
        { claim: taken, kind: "done" },
        { claim: taken, kind: "release" },
      ]);
      assert.deepEqual(answers, [true, false]);
      assert.equal(await bury(engine, taken), false);
      assert.equal((await claim(engine, "h")).length, 0);
      assert.equal(await engine.deadLetters.count({}), 0);
    },

    "a holder whose work runs elsewhere is refused, whatever it says": async (cluster) => {
      const { loser, old, winner, current } = await takenOver(cluster);
      for (const say of [done, bury, release]) assert.equal(await say(loser, old), false);
      for (const say of [retry, snooze]) assert.equal(await say(loser, old, 0), false);
      const [running] = await winner.queue.find(current.id);
      assert.deepEqual([running?.state, running?.attempt, running?.errors], ["running", 2, undefined]);
      assert.equal(await done(winner, current), true);
    },

    "a token that was lost never becomes valid again, though its holder claims the same delivery anew":
      async (cluster) => {
        const { loser, old, winner, current } = await takenOver(cluster);
        await loser.presence.beat();
        await release(winner, current);
        const again = await claimOne(loser, "h");
        assert.equal(await done(loser, old), false);
        assert.equal(await done(loser, again), true);
      },

    "a token is not valid any more after its attempt was given back": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      const tokens = new Set();
      for (let round = 0; round < 10; round++) {
        const taken = await claimOne(engine, "h");
        tokens.add(taken.token);
        assert.equal(await release(engine, taken), true);
        const next = await claimOne(engine, "h");
        assert.equal(await done(engine, taken), false);
        tokens.add(next.token);
        await release(engine, next);
      }
      assert.equal(tokens.size, 20);
    },

    "a replica cannot settle what another holds": async (cluster) => {
      const holder = await cluster.replica({ h: "e" });
      const other = await cluster.replica();
      await publish(holder, "e");
      const taken = await claimOne(holder, "h");
      assert.equal(await done(other, taken), false);
      assert.equal(await done(holder, taken), true);
    },

    "a token that was made up settles nothing": async (cluster) => {
      const engine = await cluster.replica({ h: "e", other: "e" });
      await publish(engine, "e");
      const taken = await claimOne(engine, "h");
      const token = typeof taken.token === "number" ? taken.token + 1 : `${taken.token}x`;
      assert.equal(await done(engine, { ...taken, token }), false);
      assert.equal(await done(engine, taken), true);
    },

    "one that was refused does not keep the others of its call from being settled": async (cluster) => {
      const { loser, old } = await takenOver(cluster);
      await loser.presence.beat();
      await publish(loser, "e");
      const fresh = await claimOne(loser, "h");
      const answers = await loser.queue.settle([
        { claim: old, kind: "done" },
        { claim: fresh, kind: "done" },
      ]);
      assert.deepEqual(answers, [false, true]);
    },

    "of two that settle the same attempt at once, one is believed": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      const taken = await claimOne(engine, "h");
      const answers = await Promise.all([done(engine, taken), done(engine, taken), release(engine, taken)]);
      assert.equal(answers.filter(Boolean).length, 1);
    },
  },
};
