import { strict as assert } from "node:assert";
import type { Seal, StoredRecord } from "../../engine-transfer.ts";
import type { Engine } from "../../engine.ts";
import type { Area } from "./area.ts";
import {
  claim,
  claimOne,
  claimPayloads,
  die,
  done,
  message,
  numbered,
  publish,
  publishEach,
  release,
  retry,
  settle,
} from "./work.ts";

const SEALED = { code: "ENGINE_SEALED" };
const MOVING: Seal = { state: "moving", other: "redis://elsewhere", id: "1", carrier: "i" };

export const transfer: Area = {
  title: "dump, load and seal",
  cases: {
    "a new store is empty, and one that holds anything is not": async (cluster) => {
      const engine = await cluster.replica();
      assert.equal(await engine.transfer.isEmpty(), true);
      assert.deepEqual(await dump(engine), []);
      await engine.state.set("k", "v");
      assert.equal(await engine.transfer.isEmpty(), false);
    },

    "what is dumped, cleared and loaded is dumped the same again": async (cluster) => {
      const engine = await cluster.replica({ h: "e", other: "e", task: undefined });
      await fill(engine);
      const before = await dump(engine);
      assert.deepEqual(new Set(before.map(({ kind }) => kind)), new Set(KINDS));
      await engine.transfer.clear();
      assert.equal(await engine.transfer.isEmpty(), true);
      await engine.transfer.load(before);
      assert.deepEqual(sorted(await dump(engine)), sorted(before));
    },

    "a message that was loaded keeps its id, its attempts, its steps and its errors": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const id = await publish(engine, "e", { payload: '{"n":1}', headers: '{"a":"b"}' });
      const first = await claimOne(engine, "h");
      await engine.queue.saveStep(first, "charge", "1");
      await retry(engine, first, 0);
      await reload(engine);
      const again = await claimOne(engine, "h");
      assert.deepEqual(
        [again.id, again.attempt, again.payload, again.headers, again.steps],
        [id, 2, '{"n":1}', '{"a":"b"}', '{"charge":1}'],
      );
      assert.equal(JSON.parse(again.errors ?? "[]").length, 1);
      assert.deepEqual(
        (await engine.queue.find(id)).map(({ holder }) => holder !== undefined),
        [true],
      );
      assert.equal(await done(engine, again), true);
      assert.deepEqual(await engine.queue.find(id), []);
    },

    "one that runs is carried over as waiting, with its attempt counted, and its holder is refused": async (
      cluster,
    ) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e");
      const held = await claimOne(engine, "h");
      await reload(engine);
      assert.equal(await done(engine, held), false);
      assert.equal((await claimOne(engine, "h")).attempt, 2);
    },

    "moments stay what they were: what is not due is not claimed": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      await publish(engine, "e", { due: engine.now() + 60_000 });
      await publish(engine, "e", { expires: engine.now() + 90_000 });
      await retry(engine, await claimOne(engine, "h"), 30_000);
      await reload(engine);
      const { claims, nextDue } = await engine.queue.claim([{ handler: "h", limit: 10 }]);
      assert.deepEqual([claims.length, nextDue], [0, engine.now() + 30_000]);
      await cluster.clock.advance(30_000);
      const early = await claimOne(engine, "h");
      assert.equal(early.expires, engine.now() + 60_000);
      await cluster.clock.advance(30_000);
      assert.equal((await claim(engine, "h")).length, 1);
    },

    "order by priority, by publishing and by key is kept": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const publications = ["a1", "a2", "b1", "a3", "b2"].map((payload) => ({
        payload: JSON.stringify(payload),
        key: payload[0],
      }));
      for (const fields of publications) await publish(engine, "e", fields);
      await publish(engine, "e", { payload: '"first"', priority: 1 });
      await reload(engine);
      assert.deepEqual(await claimPayloads(engine, "h"), ['"first"', '"a1"', '"b1"']);
    },

    "the deliveries of one message stay together, and none comes twice": async (cluster) => {
      const engine = await cluster.replica({ a: "e", b: "e" });
      const id = await publish(engine, "e");
      await done(engine, await claimOne(engine, "a"));
      const second = await publish(engine, "e");
      await reload(engine);
      assert.deepEqual(
        (await claim(engine, "a")).map((each) => each.id),
        [second],
      );
      assert.deepEqual((await claim(engine, "b")).map((each) => each.id).sort(), [id, second].sort());
    },

    "dead letters, unrouted ones too, are replayed with their ids": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const dead = await die(engine, "e", "h");
      const lost = await publish(engine, "nobody");
      await reload(engine);
      assert.deepEqual((await engine.deadLetters.list({})).map(({ id }) => id).sort(), [dead, lost].sort());
      assert.equal(await engine.deadLetters.replay({ id: dead }), 1);
      assert.equal((await claimOne(engine, "h")).id, dead);
      await engine.queue.subscribe([{ handler: "late", topic: "nobody" }]);
      assert.equal(await engine.deadLetters.replay({ reason: "unrouted" }), 1);
      assert.equal((await claimOne(engine, "late")).id, lost);
    },

    "windows of dedupe and limits go on": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const until = engine.now() + 60_000;
      const id = await publish(engine, "e", { dedupe: { key: "d", until } });
      for (let use = 0; use < 2; use++) await engine.limits.take("t", 2, 60_000);
      await engine.limits.hit("t", 3, 60_000);
      await engine.limits.hit("t", 3, 60_000);
      await reload(engine);
      const [again] = await engine.queue.publish([message(engine, "e", { dedupe: { key: "d", until } })]);
      assert.deepEqual([again?.duplicate, again?.id], [true, id]);
      assert.equal((await engine.limits.take("t", 2, 60_000)).ok, false);
      assert.equal(await engine.limits.hit("t", 3, 60_000), true);
      await cluster.clock.advance(60_000);
      assert.equal((await engine.limits.take("t", 2, 60_000)).ok, true);
    },

    "a store that was loaded gives new messages new ids": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      const ids = [await publish(engine, "e"), await publish(engine, "e")];
      await reload(engine);
      for (let n = 0; n < 5; n++) ids.push(await publish(engine, "e"));
      assert.equal(new Set(ids).size, 7);
      assert.equal(new Set((await claim(engine, "h")).map(({ id }) => id)).size, 7);
    },

    "a sealed store refuses every change, by everybody, and is read and beats on": async (cluster) => {
      const [sealer, holder] = [await cluster.replica({ h: "e" }), await cluster.replica()];
      const id = await publish(holder, "e");
      await publish(holder, "e");
      const dead = await die(holder, "e", "h", { priority: 1 });
      const held = await claimOne(holder, "h");
      await sealer.transfer.seal(MOVING);
      assert.deepEqual(await holder.transfer.sealed(), MOVING);
      for (const engine of [sealer, holder]) {
        await assert.rejects(publish(engine, "e"), SEALED);
        await assert.rejects(claim(engine, "h"), SEALED);
        await assert.rejects(engine.queue.subscribe([{ handler: "new", topic: "e" }]), SEALED);
        await assert.rejects(engine.queue.unsubscribe("h"), SEALED);
        await assert.rejects(engine.deadLetters.replay({ id: dead }), SEALED);
        await assert.rejects(engine.state.set("k", "v"), SEALED);
        await assert.rejects(engine.limits.take("k", 1, 1_000), SEALED);
        await assert.rejects(engine.limits.hit("k", 1, 1_000), SEALED);
        await assert.rejects(
          engine.schedules.define({ task: "t", hash: "1", definition: "{}", next: 1 }),
          SEALED,
        );
        await assert.rejects(engine.check(), /redis:\/\/elsewhere/);
        assert.equal(await engine.presence.beat(), true);
        assert.equal((await engine.queue.find(id)).length, 1);
      }
      await assert.rejects(settle(holder, { claim: held, kind: "done" }), SEALED);
      await assert.rejects(holder.queue.saveStep(held, "s", "1"), SEALED);
      assert.equal((await dump(sealer)).filter(({ kind }) => kind === "delivery").length, 2);
      await sealer.transfer.unseal();
      assert.equal(await sealer.transfer.sealed(), undefined);
      assert.equal(await done(holder, held), true);
      await publish(sealer, "e");
    },

    "a sealed store is cleared and loaded by who fills it, and by nobody else": async (cluster) => {
      const source = await cluster.replica({ h: "e", other: "e", task: undefined });
      const app = await cluster.replica();
      await fill(source);
      const before = await dump(source);
      await source.transfer.seal({ ...MOVING, state: "filling" });
      await source.transfer.clear();
      assert.equal(await source.transfer.isEmpty(), true);
      await source.transfer.load([
        { kind: "subscription", handler: "new", topic: "e" },
        ...before.filter(({ kind }) => kind !== "subscription"),
      ]);
      assert.equal(await source.transfer.isEmpty(), false);
      for (const handler of ["h", "new"]) await assert.rejects(claim(app, handler), SEALED);
      await assert.rejects(publish(app, "e"), SEALED);
      await source.transfer.seal({ ...MOVING, state: "filling", id: "another" });
      assert.equal((await app.transfer.sealed())?.id, "another");
      await source.transfer.unseal();
      await publish(app, "e");
      assert.equal((await claim(app, "new")).length, 1);
    },

    "a fact whose name has no letters is dumped, too": async (cluster) => {
      const engine = await cluster.replica();
      await engine.state.set("", "empty");
      assert.deepEqual(await dump(engine), [{ kind: "state", key: "", value: "empty" }]);
    },

    "a dead letter that is replayed while others are dumped is in the dump": async (cluster) => {
      const engine = await cluster.replica({ h: "e" });
      for (let n = 0; n < 2_500; n += 500) await publishEach(engine, "e", numbered(500));
      const dead = await die(engine, "e", "h", { priority: 1 });
      const found: StoredRecord[] = [];
      for await (const piece of engine.transfer.dump()) {
        if (!found.some(({ kind }) => kind === "delivery"))
          assert.ok((await engine.deadLetters.replay({ id: dead })) <= 1);
        found.push(...piece);
      }
      const carried = found.filter(
        (record) => (record.kind === "delivery" || record.kind === "dead_letter") && record.id === dead,
      );
      assert.equal(carried.length, 1);
    },

    "a dump while others publish and settle misses nothing that was there all the time": async (cluster) => {
      const [engine, busy] = [await cluster.replica({ h: "e", work: "w" }), await cluster.replica()];
      const ids: string[] = [];
      for (let n = 0; n < 300; n++) ids.push(await publish(engine, "e"));
      let over = false;
      const working = (async () => {
        while (!over) {
          await publish(busy, "w");
          const [taken] = await claim(busy, "work", 1);
          if (taken) await (Math.random() < 0.5 ? done(busy, taken) : release(busy, taken));
        }
      })();
      const found = (await dump(engine)).flatMap((record) =>
        record.kind === "delivery" && record.handler === "h" ? [record.id] : [],
      );
      over = true;
      await working;
      assert.deepEqual(found.sort(), ids.sort());
    },
  },
};

const KINDS: readonly StoredRecord["kind"][] = [
  "subscription",
  "delivery",
  "dead_letter",
  "dedupe",
  "schedule",
  "limit",
  "state",
];

/** Everything that is stored, with no field that is undefined, as it comes out of a file. */
async function dump(engine: Engine): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  for await (const piece of engine.transfer.dump()) records.push(...piece);
  return JSON.parse(JSON.stringify(records)) as StoredRecord[]; // what dump gave, less what is undefined
}

/** Takes everything out and puts it in again. */
async function reload(engine: Engine): Promise<void> {
  const records = await dump(engine);
  await engine.transfer.clear();
  await engine.transfer.load(records);
}

function sorted(records: readonly StoredRecord[]): string[] {
  return records
    .map((record) => JSON.stringify(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))))
    .sort();
}

/** Something of each kind. */
async function fill(engine: Engine): Promise<void> {
  const now = engine.now();
  await publish(engine, "e", { payload: '"ü\\n"', headers: '{"x":"y"}', key: "k", expires: now + 90_000 });
  await publish(engine, "e", { key: "k", dedupe: { key: "d", until: now + 60_000 }, due: now + 5_000 });
  await retry(engine, await claimOne(engine, "h"), 10_000, "once");
  const stepped = await claimOne(engine, "other");
  await engine.queue.saveStep(stepped, "s", '{"a":1}');
  await release(engine, stepped);
  await die(engine, "e", "h", { priority: 1 });
  await publish(engine, "nobody", { to: "gone" });
  await engine.schedules.define({ task: "task", hash: "1", definition: "{}", next: now + 1_000 });
  await engine.schedules.fire("task", "1", now + 1_000, now + 2_000, [
    message(engine, "task", { to: "task" }),
  ]);
  const run = { tick: now + 1_000, startedAt: now, duration: 5, instance: "i", attempt: 1 };
  await engine.schedules.record("task", { ...run, outcome: "error", error: "once" });
  await engine.schedules.record("task", { ...run, outcome: "ok", attempt: 2 });
  await engine.limits.take("t", 3, 60_000);
  await engine.limits.hit("t", 3, 60_000);
  await engine.state.set("k", "v");
}
