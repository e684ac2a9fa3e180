import { systemClock } from "../../src/clock.ts";
import { createRegistry } from "../../src/declare/create-registry.ts";
import { memoryEngine } from "../../src/engines/memory/engine.ts";
import type { Engine } from "../../src/engine.ts";
import { EngineError } from "../../src/errors.ts";
import { bareEnvironment } from "../../src/pipeline/environment.ts";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import { takeSnapshot, type TaskFacts } from "../../src/observe/snapshot.ts";

/** A started memory engine, a registry and a pipeline: what metrics and health are told of. */
export async function setting() {
  const engine = memoryEngine();
  const instance = { id: "i-1", host: "here", pid: 1, version: "1.2.3", startedAt: systemClock.now() };
  await engine.start({ clock: systemClock, lease: 30_000, instance });
  const tasks: TaskFacts[] = [];
  return {
    engine,
    tasks,
    registry: createRegistry(),
    pipeline: new Pipeline(bareEnvironment()),
    snapshot: () => takeSnapshot(engine, () => Promise.resolve(tasks)),
  };
}

/** The same engine, cut off. */
export function cutOff(engine: Engine): Engine {
  const gone = () => Promise.reject(new EngineError("ENGINE_UNAVAILABLE", "no route to the server"));
  return new Proxy(engine, {
    get: (target, key) => (key === "check" ? gone : (Reflect.get(target, key) as unknown)),
  });
}
