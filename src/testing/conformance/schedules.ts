import { strict as assert } from "node:assert";
import { type Engine, RUNS_KEPT, type TaskRun } from "../../engine.ts";
import type { Area } from "./area.ts";
import { claim, claimOne, message, publish } from "./work.ts";

/** Defines a task that fires a minute from now, and answers that moment. */
async function defined(engine: Engine, task = "t"): Promise<number> {
  const tick = engine.now() + 60_000;
  await engine.schedules.define({ task, hash: "h1", definition: '{"every":"1m"}', next: tick });
  return tick;
}

async function only(engine: Engine) {
  const [schedule, ...others] = await engine.schedules.list();
  assert.ok(schedule);
  assert.equal(others.length, 0);
  return schedule;
}

function run(tick: number, fields: Partial<TaskRun> = {}): TaskRun {
  const usual = { startedAt: tick + 2, duration: 15, outcome: "ok", instance: "i-1", attempt: 1 } as const;
  return { tick, ...usual, error: undefined, ...fields };
}

/** An engine may leave out what is undefined. */
function plain({ error, ...fields }: TaskRun): TaskRun {
  return error === undefined ? fields : { ...fields, error };
}

export const schedules: Area = {
  title: "schedules",
  cases: {
    "a new task is stored as it was defined": async (cluster) => {
      const engine = await cluster.replica();
      const next = engine.now() + 60_000;
      const definition = { task: "t", hash: "h1", definition: '{"every":"1m"}', next };
      const stored = await engine.schedules.define(definition);
      assert.deepEqual(stored, {
        ...definition,
        paused: false,
        lastTick: undefined,
        lastSuccess: undefined,
        fired: 0,
      });
      assert.deepEqual(await only(await cluster.replica()), stored);
    },

    "a task defined again with the same hash keeps its next moment": async (cluster) => {
      const engine = await cluster.replica();
      const tick = await defined(engine);
      const again = { task: "t", hash: "h1", definition: "{}", next: tick + 5 };
      const stored = await (await cluster.replica()).schedules.define(again);
      assert.deepEqual([stored.next, stored.definition], [tick, '{"every":"1m"}']);
    },

    "a task defined with another hash gets the new definition and next moment": async (cluster) => {
      const engine = await cluster.replica();
      const tick = await defined(engine);
      const stored = await engine.schedules.define({
        task: "t",
        hash: "h2",
        definition: "{}",
        next: tick + 5,
      });
      assert.deepEqual([stored.hash, stored.definition, stored.next], ["h2", "{}", tick + 5]);
      assert.deepEqual(await only(engine), stored);
    },

    "twenty replicas that define a task at once agree on what one of them wrote": async (cluster) => {
      const engines = await cluster.replicas(20);
      const now = cluster.clock.now();
      const stored = await Promise.all(
        engines.map((engine, at) =>
          engine.schedules.define({ task: "t", hash: "h1", definition: "{}", next: now + at }),
        ),
      );
      assert.equal(new Set(stored.map(({ next }) => next)).size, 1);
      assert.equal((await only(engines[0] as Engine)).next, stored[0]?.next);
    },

    "of many replicas that fire a tick at once, one does, and its messages are published once": async (
      cluster,
    ) => {
      const engines = await cluster.replicas(10);
      const [first] = engines;
      assert.ok(first);
      await first.queue.subscribe([{ handler: "t", topic: undefined }]);
      let tick = await defined(first);
      for (let round = 0; round < 20; round++) {
        const next = tick + 60_000;
        const fired = await Promise.all(
          engines.map((engine) =>
            engine.schedules.fire("t", "h1", tick, next, [message(engine, "tick", { to: "t" })]),
          ),
        );
        assert.equal(fired.filter(Boolean).length, 1);
        assert.equal((await only(first)).lastTick, tick);
        tick = next;
      }
      assert.equal((await claim(first, "t")).length, 20);
    },

    "a tick that was fired is not fired again, by whoever is late": async (cluster) => {
      const engine = await cluster.replica({ t: undefined });
      const late = await cluster.replica();
      const tick = await defined(engine);
      assert.equal(
        await engine.schedules.fire("t", "h1", tick, tick + 1, [message(engine, "tick", { to: "t" })]),
        true,
      );
      await engine.stop();
      assert.equal(
        await late.schedules.fire("t", "h1", tick, tick + 1, [message(late, "tick", { to: "t" })]),
        false,
      );
      assert.equal((await claim(late, "t")).length, 1);
    },

    "a machine's clock that is set back does not fire a tick again": async (cluster) => {
      const engine = await cluster.replica({ t: undefined });
      const tick = await defined(engine);
      await cluster.pass(60_000, [engine]);
      assert.equal(await engine.schedules.fire("t", "h1", tick, tick + 60_000, []), true);
      cluster.clock.jump(-90_000);
      const again = [message(engine, "tick", { to: "t" })];
      assert.equal(await engine.schedules.fire("t", "h1", tick, tick + 60_000, again), false);
      assert.equal((await claim(engine, "t")).length, 0);
      assert.equal((await only(engine)).next, tick + 60_000);
    },

    "a refused fire publishes nothing and changes nothing": async (cluster) => {
      const engine = await cluster.replica({ t: undefined });
      const tick = await defined(engine);
      const before = await only(engine);
      const messages = [message(engine, "tick", { to: "t" })];
      assert.equal(await engine.schedules.fire("t", "other", tick, tick + 1, messages), false);
      assert.equal(await engine.schedules.fire("t", "h1", tick + 1, tick + 2, messages), false);
      assert.equal(await engine.schedules.fire("nobody", "h1", tick, tick + 1, messages), false);
      assert.deepEqual(await only(engine), before);
      assert.equal((await claim(engine, "t")).length, 0);
    },

    "a fired tick's messages are published like others: due, priority and dedupe count": async (cluster) => {
      const engine = await cluster.replica({ t: undefined });
      const tick = await defined(engine);
      const dedupe = { key: `t@${tick}`, until: engine.now() + 3_600_000 };
      const id = await publish(engine, "tick", { to: "t", dedupe, payload: "1" });
      const again = message(engine, "tick", { to: "t", dedupe, payload: "2" });
      const later = message(engine, "tick", { to: "t", due: engine.now() + 1_000, payload: "3" });
      assert.equal(await engine.schedules.fire("t", "h1", tick, tick + 1, [again, later]), true);
      assert.deepEqual(
        (await claim(engine, "t")).map((taken) => taken.id),
        [id],
      );
      await cluster.clock.advance(1_000);
      assert.equal((await claimOne(engine, "t")).payload, "3");
    },

    "several ticks may be published in one step, and none": async (cluster) => {
      const engine = await cluster.replica({ t: undefined });
      const tick = await defined(engine);
      const messages = [1, 2, 3].map((n) => message(engine, "tick", { to: "t", payload: String(n) }));
      assert.equal(await engine.schedules.fire("t", "h1", tick, tick + 1, messages), true);
      assert.equal(await engine.schedules.fire("t", "h1", tick + 1, tick + 2, []), true);
      assert.deepEqual(
        (await claim(engine, "t")).map(({ payload }) => payload),
        ["1", "2", "3"],
      );
    },

    "a task that has fired its last tick has no next moment and is not fired again": async (cluster) => {
      const engine = await cluster.replica();
      const tick = await defined(engine);
      assert.equal(await engine.schedules.fire("t", "h1", tick, undefined, []), true);
      assert.equal((await only(engine)).next, undefined);
      assert.equal(await engine.schedules.fire("t", "h1", tick, undefined, []), false);
    },

    "a paused task is not fired, by any replica; resumed it is, from the moment given": async (cluster) => {
      const engine = await cluster.replica();
      const other = await cluster.replica();
      const tick = await defined(engine);
      assert.equal(await engine.schedules.pause("t", true), true);
      assert.equal((await only(other)).paused, true);
      assert.equal(await other.schedules.fire("t", "h1", tick, tick + 1, []), false);
      assert.equal(await other.schedules.pause("t", false, tick + 500), true);
      const resumed = await only(engine);
      assert.deepEqual([resumed.paused, resumed.next], [false, tick + 500]);
      assert.equal(await engine.schedules.fire("t", "h1", tick + 500, tick + 1_000, []), true);
    },

    "a pause outlives a start that defines the task anew": async (cluster) => {
      const engine = await cluster.replica();
      const tick = await defined(engine);
      await engine.schedules.pause("t", true);
      const definition = { task: "t", definition: "{}", next: tick };
      assert.equal((await engine.schedules.define({ ...definition, hash: "h1" })).paused, true);
      assert.equal((await engine.schedules.define({ ...definition, hash: "h2" })).paused, true);
    },

    "fired counts the ticks that were published, over all definitions": async (cluster) => {
      const engine = await cluster.replica({ t: undefined });
      const tick = await defined(engine);
      const messages = [1, 2, 3].map(() => message(engine, "tick", { to: "t" }));
      await engine.schedules.fire("t", "h1", tick, tick + 1, messages);
      await engine.schedules.fire("t", "h1", tick + 1, tick + 2, []);
      await engine.schedules.fire("t", "h1", tick, tick + 1, messages);
      assert.equal((await only(await cluster.replica())).fired, 3);
      const again = { task: "t", hash: "h2", definition: "{}", next: tick + 5 };
      assert.equal((await engine.schedules.define(again)).fired, 3);
      await engine.schedules.fire("t", "h2", tick + 5, undefined, messages.slice(1));
      assert.equal((await only(engine)).fired, 5);
    },

    "the last success is kept beside the last tick; an earlier one and a failure do not touch it": async (
      cluster,
    ) => {
      const engine = await cluster.replica();
      const tick = await defined(engine);
      await engine.schedules.fire("t", "h1", tick, tick + 60_000, []);
      await cluster.pass(60_000, [engine]);
      await engine.schedules.record("t", run(tick));
      await engine.schedules.record("t", run(tick - 1));
      for (const outcome of ["error", "timeout", "cancelled"] as const) {
        await engine.schedules.record("t", run(tick + 1, { outcome }));
      }
      const { lastTick, lastSuccess } = await only(engine);
      assert.deepEqual([lastTick, lastSuccess], [tick, tick]);
    },

    "runs are kept as they were recorded, newest first, for all to see": async (cluster) => {
      const engine = await cluster.replica();
      const other = await cluster.replica();
      const tick = await defined(engine);
      assert.deepEqual(await engine.schedules.runs("t"), []);
      const failed = run(tick, { outcome: "error", error: 'no "disk", né', duration: 7 });
      const again = run(tick, { attempt: 2, startedAt: tick + 9, instance: "another" });
      await engine.schedules.record("t", failed);
      await other.schedules.record("t", again);
      assert.deepEqual((await engine.schedules.runs("t")).map(plain), [again, failed].map(plain));
    },

    "a history keeps the last runs, and each task has its own": async (cluster) => {
      const engine = await cluster.replica();
      const tick = await defined(engine);
      await defined(engine, "other");
      await engine.schedules.record("other", run(tick));
      const count = RUNS_KEPT * 2 + 3;
      for (let at = 0; at < count; at++) await engine.schedules.record("t", run(tick + at));
      const ticks = (await engine.schedules.runs("t")).map((kept) => kept.tick - tick);
      assert.deepEqual(
        ticks,
        Array.from({ length: RUNS_KEPT }, (_, at) => count - 1 - at),
      );
      assert.equal((await engine.schedules.runs("other")).length, 1);
    },

    "runs that are recorded at once by many replicas are all kept": async (cluster) => {
      const engines = await cluster.replicas(10);
      const [first] = engines;
      assert.ok(first);
      const tick = await defined(first);
      await Promise.all(engines.map((engine, at) => engine.schedules.record("t", run(tick + at))));
      const ticks = (await first.schedules.runs("t")).map((kept) => kept.tick - tick);
      assert.deepEqual(
        ticks.sort((a, b) => a - b),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      );
      assert.equal((await only(first)).lastSuccess, tick + 9);
    },

    "a task that is defined anew keeps its history; one that is removed loses it, and one that is not there has none":
      async (cluster) => {
        const engine = await cluster.replica();
        const tick = await defined(engine);
        await engine.schedules.record("t", run(tick));
        await engine.schedules.define({ task: "t", hash: "h2", definition: "{}", next: tick });
        assert.equal((await engine.schedules.runs("t")).length, 1);
        await engine.schedules.remove("t");
        assert.deepEqual(await engine.schedules.runs("t"), []);
        await engine.schedules.record("t", run(tick));
        assert.deepEqual(await engine.schedules.runs("t"), []);
        assert.deepEqual(await engine.schedules.list(), []);
        await defined(engine);
        assert.deepEqual(await engine.schedules.runs("t"), []);
        const { lastSuccess, fired } = await only(engine);
        assert.deepEqual([lastSuccess, fired], [undefined, 0]);
      },

    "a removed task is gone for all; removing or pausing one that is not there answers false": async (
      cluster,
    ) => {
      const engine = await cluster.replica();
      const other = await cluster.replica();
      const tick = await defined(engine);
      assert.equal(await other.schedules.remove("t"), true);
      assert.deepEqual(await engine.schedules.list(), []);
      assert.equal(await engine.schedules.fire("t", "h1", tick, tick + 1, []), false);
      assert.equal(await engine.schedules.remove("t"), false);
      assert.equal(await engine.schedules.pause("t", true), false);
    },

    "tasks do not touch each other": async (cluster) => {
      const engine = await cluster.replica();
      const tick = await defined(engine, "a");
      await defined(engine, "b");
      await engine.schedules.fire("a", "h1", tick, tick + 1, []);
      await engine.schedules.pause("a", true);
      const b = (await engine.schedules.list()).find(({ task }) => task === "b");
      assert.deepEqual([b?.next, b?.paused, b?.lastTick], [tick, false, undefined]);
    },
  },
};
