import { strict as assert } from "node:assert";
import type { Claim, Engine } from "../../engine.ts";
import type { Area } from "./area.ts";
import { LEASE } from "./cluster.ts";
import {
  bury,
  claim,
  claimOne,
  claimPayloads,
  done,
  message,
  numbered,
  publish,
  publishEach,
  release,
  retry,
  snooze,
} from "./work.ts";

export const ordering: Area = {
  title: "order by key",
  cases: {
    "messages of one key run one at a time, in the order published": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publishEach(engine, "e", numbered(5), { key: "k" });
      for (const payload of numbered(5)) {
        const [head, ...others] = await claim(engine, "h");
        assert.ok(head);
        assert.deepEqual([head.payload, others.length], [payload, 0]);
        await done(engine, head);
      }
      assert.equal((await claim(engine, "h")).length, 0);
    },

    "within a key the order of publishing goes before priority": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e", { key: "k", payload: "1", priority: 9 });
      await publish(engine, "e", { key: "k", payload: "2", priority: 1 });
      assert.deepEqual(await claimPayloads(engine, "h"), ["1"]);
    },

    "other keys, and messages without one, are not held up": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      for (const [payload, key] of [
        ["a1", "a"],
        ["a2", "a"],
        ["b1", "b"],
        ["free", undefined],
        ["b2", "b"],
      ]) {
        await engine.queue.publish([message(engine, "e", { payload: String(payload), key })]);
      }
      assert.deepEqual(await claimPayloads(engine, "h"), ["a1", "b1", "free"]);
    },

    "a long run of one held-up key does not hide what stands behind it": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publishEach(engine, "e", numbered(2_000), { key: "busy" });
      await publish(engine, "e", { key: "other", payload: '"other"' });
      assert.deepEqual(await claimPayloads(engine, "h", 2), ["0", '"other"']);
    },

    "a key orders each subscription by itself": async (cluster) => {
      const engine = await cluster.replica({ a: "e", b: "e" });
      await publishEach(engine, "e", ["1", "2"], { key: "k" });
      const first = await claimOne(engine, "a");
      assert.deepEqual(await claimPayloads(engine, "b"), ["1"]);
      await done(engine, first);
      assert.deepEqual(await claimPayloads(engine, "a"), ["2"]);
      assert.deepEqual(await claimPayloads(engine, "b"), []);
    },

    "a retrying head keeps its place: nothing of its key overtakes it": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publishEach(engine, "e", ["1", "2"], { key: "k" });
      await retry(engine, await claimOne(engine, "h"), 1_000);
      assert.deepEqual(await claimPayloads(engine, "h"), []);
      await cluster.clock.advance(1_000);
      await done(engine, await onlyOne(engine, "1"));
      await onlyOne(engine, "2");
    },

    "a snoozed head keeps its place": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publishEach(engine, "e", ["1", "2"], { key: "k" });
      await snooze(engine, await claimOne(engine, "h"), 1_000);
      assert.deepEqual(await claimPayloads(engine, "h"), []);
      await cluster.clock.advance(1_000);
      await onlyOne(engine, "1");
    },

    "a delayed head keeps its place": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e", { key: "k", payload: "1", due: engine.now() + 1_000 });
      await publish(engine, "e", { key: "k", payload: "2" });
      assert.deepEqual(await claimPayloads(engine, "h"), []);
      await cluster.clock.advance(1_000);
      await done(engine, await onlyOne(engine, "1"));
      await onlyOne(engine, "2");
    },

    "a head that is given back comes first again": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publishEach(engine, "e", ["1", "2"], { key: "k" });
      await release(engine, await claimOne(engine, "h"));
      await onlyOne(engine, "1");
    },

    "a head that died lets the next of its key run": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publishEach(engine, "e", ["1", "2"], { key: "k" });
      await bury(engine, await claimOne(engine, "h"));
      await onlyOne(engine, "2");
    },

    "a head that was cancelled lets the next of its key run": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const id = await publish(engine, "e", { key: "k", payload: "1", due: engine.now() + 1_000 });
      await publish(engine, "e", { key: "k", payload: "2" });
      assert.equal(await engine.queue.cancel(id), 1);
      await onlyOne(engine, "2");
    },

    "one behind the head may be cancelled without changing the order": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e", { key: "k", payload: "1" });
      const id = await publish(engine, "e", { key: "k", payload: "2" });
      await publish(engine, "e", { key: "k", payload: "3" });
      assert.equal(await engine.queue.cancel(id), 1);
      await done(engine, await onlyOne(engine, "1"));
      await onlyOne(engine, "3");
    },

    "one behind the head that is itself not due yet waits for both": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e", { key: "k", payload: "1" });
      await publish(engine, "e", { key: "k", payload: "2", due: engine.now() + 1_000 });
      await done(engine, await onlyOne(engine, "1"));
      assert.deepEqual(await claimPayloads(engine, "h"), []);
      await cluster.clock.advance(1_000);
      await onlyOne(engine, "2");
    },

    "a head whose replica died runs again before the next of its key": async (cluster) => {
      const silent = await cluster.replica({ h: "e" });
      const alive = await cluster.replica();
      await publishEach(silent, "e", ["1", "2"], { key: "k" });
      await claimOne(silent, "h");
      await cluster.pass(LEASE + 1_000, [alive]);
      assert.deepEqual(await claimPayloads(alive, "h"), []);
      await alive.presence.sweep();
      await onlyOne(alive, "1");
    },

    "a replayed dead letter is ordered with its key": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publishEach(engine, "e", ["1", "2"], { key: "k" });
      await bury(engine, await claimOne(engine, "h"));
      const second = await claimOne(engine, "h");
      await engine.deadLetters.replay({});
      assert.deepEqual(await claimPayloads(engine, "h"), []);
      await done(engine, second);
      await onlyOne(engine, "1");
    },

    "keys made of odd characters are different keys": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      for (const key of ["", " ", "k", "K", "k:", "ключ", "__proto__"]) await publish(engine, "e", { key });
      assert.equal((await claim(engine, "h")).length, 7);
    },

    "across replicas that claim and fail at random, no key runs twice at once or out of order": async (
      cluster,
    ) => {
      const engines = await cluster.replicas(4);
      await engines[0]?.queue.subscribe([{ handler: "h", topic: "e" }]);
      for (let n = 0; n < 60; n++)
        await publish(engines[n % 4] as Engine, "e", { key: `k${n % 5}`, payload: String(n) });
      const log = new KeyLog();
      let left = 60;
      await Promise.all(
        engines.map(async (engine, at) => {
          for (let round = at; left > 0; round++) {
            for (const taken of await claim(engine, "h", 2)) {
              log.begin(taken);
              await Promise.resolve();
              log.end(taken);
              const fails = round % 3 === 0 && taken.attempt < 3;
              assert.equal(await (fails ? retry(engine, taken, 0) : done(engine, taken)), true);
              if (!fails) log.finish(taken);
              if (!fails) left--;
            }
          }
        }),
      );
      assert.equal(log.finished, 60);
    },
  },
};

/** Claims all there is, which must be this one message. */
async function onlyOne(engine: Engine, payload: string): Promise<Claim> {
  const [found, ...others] = await claim(engine, "h");
  assert.ok(found, `message ${payload} is ready`);
  assert.deepEqual([found.payload, others.length], [payload, 0]);
  return found;
}

/** Watches that a key runs one at a time and in order. */
class KeyLog {
  finished = 0;
  readonly #running = new Set<string | undefined>();
  readonly #last = new Map<string | undefined, number>();

  begin({ key, payload }: Claim): void {
    assert.ok(!this.#running.has(key), `key ${key} runs twice at once`);
    assert.ok((this.#last.get(key) ?? -1) < Number(payload), `key ${key} runs out of order`);
    this.#running.add(key);
  }

  end({ key }: Claim): void {
    this.#running.delete(key);
  }

  finish({ key, payload }: Claim): void {
    this.finished++;
    this.#last.set(key, Math.max(this.#last.get(key) ?? -1, Number(payload)));
  }
}
