import { describe, expect, test } from "vitest";
import { startEngine } from "../engines/sqlite/data-dir.ts";
import { newFile, Worker } from "./worker-process.ts";

/** Short, so that a test may outlast it; a sign of life is given every third of it. */
const LEASE_MS = 600;

describe("a lease", () => {
  test("is lost by who holds up its event loop: what it then says is refused, and the message is done once", async () => {
    const path = newFile();
    const setup = { path, lease: LEASE_MS };
    const blocked = await Worker.start(setup);
    await blocked.publish([{ n: 1, ask: "block", ms: 10 * LEASE_MS }]);
    await blocked.says("began 1 1");
    const other = await Worker.start(setup);
    const { at: taken } = await other.says("began 1 2");
    const { at: late } = await blocked.says("ended 1 1");
    expect(taken).toBeLessThan(late);
    await blocked.says("log LEASE_LOST");
    const engine = await startEngine(path);
    expect(await engine.queue.list({})).toMatchObject([{ state: "running", attempt: 2 }]);
    other.tell({ do: "release" });
    await other.says("ended 1 2");
    await expect.poll(() => engine.queue.list({})).toEqual([]);
    for (const worker of [blocked, other]) worker.tell({ do: "count" });
    expect((await blocked.says(/^counted/)).text).toBe("counted 1 0");
    expect((await other.says(/^counted/)).text).toBe("counted 0 0");
    expect(await engine.deadLetters.count({})).toBe(0);

    // It is one of the living again.
    await blocked.publish([{ n: 2 }, { n: 3 }, { n: 4 }]);
    await expect.poll(() => blocked.count(/^ended [234]/) + other.count(/^ended [234]/)).toBe(3);
    expect(await engine.presence.instances()).toHaveLength(3);
  });

  test("is kept as long as its holder gives signs of life, however long the work takes", async () => {
    const path = newFile();
    const setup = { path, lease: 2 * LEASE_MS };
    const [holder, ...sweepers] = await Promise.all([1, 2, 3].map(() => Worker.start(setup)));
    if (!holder) throw new Error("three were started");
    const workers = [holder, ...sweepers];
    await holder.publish([1, 2, 3, 4, 5].map((n) => ({ n, ask: "last", ms: 10 * LEASE_MS })));
    await expect
      .poll(() => workers.reduce((ended, worker) => ended + worker.count(/^ended/), 0), { timeout: 15_000 })
      .toBe(5);
    expect(workers.reduce((begun, worker) => begun + worker.count(/^began/), 0)).toBe(5);
    expect(workers.reduce((lost, worker) => lost + worker.count(/LEASE_LOST/), 0)).toBe(0);
  }, 25_000);
});
