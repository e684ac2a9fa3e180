import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { createApp, createRegistry } from "../../src/index.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";

const ROUNDS = 12;
const EACH = 200;

const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0).reverse()) end();
});

test("kill -9 at any moment: what was acknowledged is handled, and only what had begun is handled twice", async () => {
  const seed = Date.now() % 1_000_000;
  console.log(`crash seed ${seed}`);
  const random = seededRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), "crash-"));
  endings.push(() => rmSync(folder, { recursive: true, force: true }));

  for (let round = 0; round < ROUNDS; round++) {
    const worker = start(folder, round * EACH, (round + 1) * EACH);
    // Killed once it has acknowledged a random part of its work, which is in the middle of all it does.
    const enough = numbers(folder, "acked").length + Math.floor(random() * EACH);
    await until(() => numbers(folder, "acked").length >= enough || worker.exitCode !== null);
    worker.kill("SIGKILL");
    await exited(worker);
  }

  const last = start(folder, 0, 0);
  const acked = new Set(numbers(folder, "acked"));
  await until(() => {
    const handled = new Set(numbers(folder, "handled"));
    return [...acked].every((n) => handled.has(n));
  });
  last.kill("SIGTERM");
  await exited(last);

  expect(acked.size).toBeGreaterThan(ROUNDS);
  const [started, handled] = [count(numbers(folder, "started")), count(numbers(folder, "handled"))];
  for (const [n, times] of handled) expect(times, `message ${n}`).toBeLessThanOrEqual(started.get(n) ?? 0);
  // Whatever began in a process that was killed may run again; nothing else does, so no number is started more often
  // than there were processes, and most are started once.
  for (const times of started.values()) expect(times).toBeLessThanOrEqual(ROUNDS + 1);
  const twice = [...started.values()].filter((times) => times > 1).length;
  expect(twice).toBeLessThanOrEqual(ROUNDS * 100);

  const app = createApp({
    engine: `sqlite:${join(folder, "app.db")}`,
    registry: createRegistry(),
    log: "silent",
    env: {},
  });
  await app.start({ consume: false });
  expect(await app.engine.deadLetters.count({})).toBe(0);
  await app.stop();
}, 120_000);

test("a restarted process takes over what its predecessor held within a second", async () => {
  const folder = mkdtempSync(join(tmpdir(), "crash-"));
  endings.push(() => rmSync(folder, { recursive: true, force: true }));
  const first = start(folder, 0, 50);
  await until(() => numbers(folder, "started").length > 0);
  first.kill("SIGKILL");
  await exited(first);
  const began = performance.now();
  const second = start(folder, 0, 0);
  await until(() => numbers(folder, "acked").every((n) => numbers(folder, "handled").includes(n)));
  // The start of a process included.
  expect(performance.now() - began).toBeLessThan(5_000);
  second.kill("SIGTERM");
  await exited(second);
});

function start(folder: string, from: number, to: number): ChildProcess {
  const worker = spawn(
    process.execPath,
    [join(import.meta.dirname, "worker.ts"), folder, String(from), String(to)],
    {
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  endings.push(() => worker.kill("SIGKILL"));
  return worker;
}

/** What a worker has noted; the last line may have been cut by the kill. */
function numbers(folder: string, file: string): number[] {
  const path = join(folder, file);
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8").split("\n").slice(0, -1).map(Number);
}

function count(list: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const n of list) counts.set(n, (counts.get(n) ?? 0) + 1);
  return counts;
}

async function until(done: () => boolean, ms = 60_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!done()) {
    if (performance.now() > deadline) throw new Error("waited too long");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function exited(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
  });
}
