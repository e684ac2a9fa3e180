import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import type { StoredRecord } from "../../src/engine-transfer.ts";
import type { Engine } from "../../src/engine.ts";
import { engineOf } from "../../src/engines.ts";
import { migrate } from "../../src/transfer/transfer.ts";
import { STORES } from "../processes/stores.ts";

/* From one engine to the next while others publish to it and work it off: what was acknowledged is there, once. */

const absent = STORES.map((store) => store.absent).join("");

describe(`a move from engine to engine under load${absent}`, () => {
  test.skipIf(absent !== "")(
    "SQLite to Postgres to Redis to SQLite loses nothing and doubles nothing",
    async () => {
      const [sqlite, redis, postgres] = STORES;
      if (!sqlite || !redis || !postgres) throw new Error("there are three engines that processes share");
      const way = await Promise.all([sqlite, postgres, redis, sqlite].map((store) => store.create()));
      const load = new Load();
      await load.begin(await started(way[0] ?? ""));
      const kept = await rest(load.engine);
      for (const to of way.slice(1)) {
        await load.acknowledged(300);
        const from = load.engine;
        await migrate({ from: load.url, to });
        // Whoever was in the middle of something there is refused, and told where to go.
        await load.sealed();
        await expect(from.state.set("k", "late")).rejects.toMatchObject({ code: "ENGINE_SEALED" });
        load.goOn(await started(to));
      }
      await load.acknowledged(100);
      await load.end();
      const left = (await load.engine.queue.list({ handler: "work", limit: Infinity })).map(({ id }) => id);
      const open = load.published.filter((id) => !load.done.has(id));
      // One whose settlement was under way when the store was sealed may be there or not: nobody was told.
      const sure = open.filter((id) => !load.unsure.has(id));
      expect(sure.filter((id) => !left.includes(id))).toEqual([]);
      expect(left.filter((id) => load.done.has(id))).toEqual([]);
      expect(new Set(left).size).toBe(left.length);
      expect(await rest(load.engine)).toEqual(kept);
      console.log(
        `${load.published.length} published and ${load.done.size} done on the way over ${way.length} stores`,
      );
    },
    120_000,
  );
});

/** All that the load does not touch: it must come out as it went in. */
async function rest(engine: Engine): Promise<string[]> {
  const records: StoredRecord[] = [];
  for await (const piece of engine.transfer.dump()) records.push(...piece);
  return records
    .filter((record) => !("handler" in record && record.handler === "work" && record.kind === "delivery"))
    .map((record) => JSON.stringify(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))))
    .sort();
}

let instances = 0;

async function started(url: string): Promise<{ url: string; engine: Engine }> {
  const engine = await engineOf(url);
  const instance = {
    id: `round-trip-${process.pid}-${++instances}`,
    host: "h",
    pid: process.pid,
    version: "1",
    startedAt: 0,
  };
  await engine.start({ clock: systemClock, lease: 30_000, instance });
  onTestFinished(() => engine.stop());
  return { url, engine };
}

/** Publishes and works off without end, and keeps book of what it was told. */
class Load {
  readonly published: string[] = [];
  readonly done = new Set<string>();
  readonly unsure = new Set<string>();
  url = "";
  #engine: Engine | undefined;
  #running = false;
  #stopped = Promise.withResolvers<void>();
  #lanes: Promise<unknown> = Promise.resolve();

  get engine(): Engine {
    if (!this.#engine) throw new Error("the load has no engine");
    return this.#engine;
  }

  async begin({ url, engine }: { url: string; engine: Engine }): Promise<void> {
    const now = engine.now();
    await engine.queue.subscribe([
      { handler: "work", topic: "work" },
      { handler: "still", topic: "still" },
      { handler: "task", topic: undefined },
    ]);
    const still = { event: "still", payload: '"ü\\u2028"', priority: 3 };
    await engine.queue.publish([
      { ...still, due: now + 86_400_000, key: "k", headers: '{"a":"b"}', expires: now + 90_000_000 },
      { ...still, due: now, key: "k", dedupe: { key: "d", until: now + 86_400_000 } },
      { ...still, due: now, event: "nobody" },
      { ...still, due: now, payload: '"dies"' },
    ]);
    const { claims } = await engine.queue.claim([{ handler: "still", limit: 1 }]);
    const [claim] = claims;
    if (!claim) throw new Error("nothing was ready");
    const error = { attempt: 1, at: now, name: "Error", message: "no" };
    await engine.queue.settle([{ claim, kind: "dead", reason: "fatal", error }]);
    await engine.schedules.define({ task: "task", hash: "1", definition: "{}", next: now + 86_400_000 });
    await engine.schedules.record("task", {
      tick: now,
      startedAt: now,
      duration: 1,
      outcome: "ok",
      instance: "i",
      attempt: 1,
    });
    await engine.limits.take("l", 5, 86_400_000);
    await engine.limits.hit("h", 5, 86_400_000);
    await engine.state.set("k", "v");
    this.goOn({ url, engine });
  }

  goOn({ url, engine }: { url: string; engine: Engine }): void {
    this.url = url;
    this.#engine = engine;
    this.#running = true;
    this.#stopped = Promise.withResolvers();
    this.#lanes = Promise.all([this.#publish(engine), this.#publish(engine), this.#workOff(engine)]);
  }

  /** Waits until the engine has refused all of it. */
  async sealed(): Promise<void> {
    await this.#stopped.promise;
    await this.#lanes;
  }

  async end(): Promise<void> {
    this.#running = false;
    await this.#lanes;
  }

  /** Waits for so many publishes more. */
  async acknowledged(more: number): Promise<void> {
    const wanted = this.published.length + more;
    const deadline = performance.now() + 20_000;
    while (this.published.length < wanted) {
      if (performance.now() > deadline) throw new Error(`${more} more publishes did not come`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #publish(engine: Engine): Promise<void> {
    while (this.#running) {
      try {
        const [stored] = await engine.queue.publish([
          { event: "work", payload: "{}", priority: 0, due: engine.now() },
        ]);
        if (stored) this.published.push(stored.id);
      } catch (error) {
        this.#refused(error);
      }
    }
  }

  async #workOff(engine: Engine): Promise<void> {
    while (this.#running) {
      try {
        const { claims } = await engine.queue.claim([{ handler: "work", limit: 3 }]);
        for (const claim of claims.slice(1)) {
          this.unsure.add(claim.id);
          const [held] = await engine.queue.settle([{ claim, kind: "done" }]);
          this.unsure.delete(claim.id);
          if (held) this.done.add(claim.id);
        }
        const [first] = claims;
        if (first) await engine.queue.settle([{ claim: first, kind: "snooze", at: engine.now() + 60_000 }]);
      } catch (error) {
        this.#refused(error);
      }
    }
  }

  #refused(error: unknown): void {
    if ((error as { code?: string }).code !== "ENGINE_SEALED") throw error;
    this.#running = false;
    this.#stopped.resolve();
  }
}
