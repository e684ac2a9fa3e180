import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Clock, systemClock } from "../../../src/clock.ts";
import type { Engine, EngineStart, NewMessage } from "../../../src/engine.ts";
import { sqliteEngine } from "../../../src/engines/sqlite/engine.ts";

/** A new directory that goes with its test. */
export async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "sqlite-test-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** The path of a data file that does not exist yet. */
export async function newPath(): Promise<string> {
  return join(await newDirectory(), "app.db");
}

/** What a start needs, of an instance that nobody has seen before. */
export function startOptions(clock: Clock = systemClock, lease = 30_000): EngineStart {
  const instance = {
    id: randomUUID(),
    host: "host",
    pid: process.pid,
    version: "1.0.0",
    startedAt: Date.now(),
  };
  return { clock, instance, lease };
}

/** An engine on a file, with the handler `h` on the event `e`; stopped with its test. */
export async function startEngine(path: string, options: EngineStart = startOptions()): Promise<Engine> {
  const engine = sqliteEngine(`sqlite:${path}`);
  await engine.start(options);
  onTestFinished(() => engine.stop());
  await engine.queue.subscribe([{ handler: "h", topic: "e" }]);
  return engine;
}

/** A message for the event `e`. */
export function message(fields: Partial<NewMessage> = {}): NewMessage {
  return { event: "e", payload: "{}", priority: 100, due: 0, ...fields };
}

/** Polls until a condition holds; fails after ten seconds, unless told. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  ms = 10_000,
): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: did not happen`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
