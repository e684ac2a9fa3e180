import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Program, startCli } from "../cli/program-runs.ts";
import { startEngine } from "../engines/sqlite/data-dir.ts";
import { newFile, Worker } from "./worker-process.ts";

describe("a handler that never returns", () => {
  test("is counted when its time is up, and its message goes on without it", async () => {
    const path = newFile();
    const worker = await Worker.start({ path, timeout: 200, attempts: 2, shutdownTimeout: 300 });
    await worker.publish([{ n: 1, ask: "hang" }]);
    await worker.says("began 1 2");
    await worker.says("aborted 1 TIMEOUT");
    const engine = await startEngine(path);
    await expect.poll(() => engine.deadLetters.count({ reason: "exhausted" }), { timeout: 5_000 }).toBe(1);
    worker.tell({ do: "count" });
    expect((await worker.says(/^counted/)).text).toBe("counted 0 2");
    // It holds nothing up any more.
    await worker.publish([{ n: 2 }]);
    await worker.says("ended 2 1");
    expect(await worker.kill("SIGTERM")).toBe(0);
  });

  test("does not hold up the end: its message is given back, without an attempt spent", async () => {
    const path = newFile();
    const worker = await Worker.start({ path, shutdownTimeout: 300 });
    await worker.publish([{ n: 1, ask: "hang" }]);
    await worker.says("began 1 1");
    worker.child.kill("SIGTERM");
    await worker.says("aborted 1 CANCELLED");
    await worker.says("stopped"); // the usual timeout would be longer than the test waits
    // Nothing is left that would keep the process.
    expect(await worker.exit()).toBe(0);
    const next = await Worker.start({ path });
    await next.says("began 1 1");
  });
});

describe("a process that is told to stop", () => {
  test("takes nothing more, though it still runs and another is there: what it gives back is the other's", async () => {
    const path = newFile();
    const old = await Worker.start({ path, concurrency: 2, shutdownTimeout: 500 });
    await old.publish([1, 2, 3, 4].map((n) => ({ n, ask: n === 2 ? "hang" : "wait" })));
    await old.saysTimes(/^began/, 2);
    const fresh = await Worker.start({ path });
    await fresh.says("began 3 1");
    old.child.kill("SIGTERM");
    await old.says("stopping");
    await fresh.publish([{ n: 5 }, { n: 6 }]);
    await fresh.says("ended 6 1");
    await fresh.saysTimes(/^began [12] 1$/, 2);
    expect(await old.exit()).toBe(0);
    expect(old.count(/^began/)).toBe(2);
    expect(fresh.count(/^began/)).toBe(6);
  });

  test("lets what runs come to its end, and leaves nothing behind", async () => {
    const path = newFile();
    const worker = await Worker.start({ path });
    await worker.publish([{ n: 1, ask: "wait" }]);
    await worker.says("began 1 1");
    worker.child.kill("SIGTERM");
    await worker.says("stopping");
    worker.tell({ do: "release" });
    await worker.says("ended 1 1");
    expect(await worker.exit()).toBe(0);
    const engine = await startEngine(path);
    expect(await engine.queue.list({})).toEqual([]);
    expect(await engine.presence.instances()).toHaveLength(1);
  });
});

describe("the program", () => {
  test("SIGTERM: a delivery that runs ends within the time it is given, and the exit code is 0", async () => {
    const { path, program, publish } = await startProgram("30s");
    await publish({ n: 1, ask: "last", ms: 300 });
    await program.says(/began 1 1/);
    program.child.kill("SIGTERM");
    expect(await program.exit()).toBe(0);
    expect(program.stdout).toMatch(/ended 1 1/);
    expect(await left(path)).toEqual([]);
  });

  test("SIGTERM: what does not end in time is given back, without an attempt spent, and the exit code is 0", async () => {
    const { path, program, publish } = await startProgram("300ms");
    await publish({ n: 1, ask: "hang" });
    await program.says(/began 1 1/);
    program.child.kill("SIGTERM");
    expect(await program.exit()).toBe(0); // it is given 20 s; the usual timeout is longer
    expect(await left(path)).toEqual([{ state: "ready", attempt: 0 }]);
    await (await Worker.start({ path })).says("began 1 1");
  });

  test("a second signal: it ends at once with 143, and what it held is tried again, with the attempt counted", async () => {
    const { path, program, publish } = await startProgram("10m");
    await publish({ n: 1, ask: "hang" });
    await program.says(/began 1 1/);
    program.child.kill("SIGTERM");
    await program.says(/asked to stop/);
    // What comes within half a second is taken for the same signal.
    await expect
      .poll(() => program.child.exitCode !== null || (program.child.kill("SIGTERM"), false), {
        timeout: 5_000,
      })
      .toBe(true);
    expect(await program.exit()).toBe(143);
    await (await Worker.start({ path })).says("began 1 2");
  });
});

/** Runs an app with `start`, and publishes to it from another process. */
async function startProgram(
  shutdownTimeout: string,
): Promise<{ path: string; program: Program; publish: (task: object) => Promise<unknown> }> {
  const path = newFile();
  const env = { ENGINE_URL: `sqlite:${path}`, SHUTDOWN_TIMEOUT: shutdownTimeout };
  const program = await startCli(["start", join(import.meta.dirname, "program.ts")], { env });
  await program.says(/is ready/);
  const publisher = await Worker.start({ path, idle: true });
  return { path, program, publish: (task) => publisher.publish([{ n: 0, ...task }]) };
}

async function left(path: string): Promise<{ state: string; attempt: number }[]> {
  const engine = await startEngine(path);
  return (await engine.queue.list({})).map(({ state, attempt }) => ({ state, attempt }));
}
