/* Ours: the scheduler on its own, each tick through the whole pipeline, with its metrics. */
import { createRegistry, TimeTaskScheduler } from "../../dist/index.js";
import { type Contestant, intervalOf, type Kind, lineOf } from "./work.ts";

const YEAR = 365 * 86_400_000;

/** The timer beside its declaration: the registry is filled before, and the scheduler reads all of it. */
export const ours: Contestant = {
  prepare(kind, count, tick) {
    const registry = createRegistry();
    for (let at = 0; at < count; at++) {
      const fn = (fired: unknown) => tick((fired as { readonly scheduled: number }).scheduled); // a Tick
      registry.add({ kind: "time", name: `task-${at}`, options: rule(kind, at), fn, site: "bench" });
    }
    return async () => await new TimeTaskScheduler({ registry }).start();
  },
};

/** With its declaration, as a program writes it. */
export const declared: Contestant = {
  prepare: (kind, count, tick) => async () => {
    const registry = createRegistry();
    for (let at = 0; at < count; at++) {
      registry.timeOn(`task-${at}`, rule(kind, at)).execute((fired) => tick(fired.scheduled));
    }
    await new TimeTaskScheduler({ registry }).start();
  },
};

function rule(kind: Kind, at: number): { every: number } | { cron: string } | { at: number } {
  if (kind === "lines") return { cron: lineOf(at) };
  return kind === "intervals" ? { every: intervalOf(at) } : { at: Date.now() + YEAR + at };
}
