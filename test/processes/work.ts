import { setTimeout as delay } from "node:timers/promises";
import type { Context } from "../../src/context.ts";
import type { Registry } from "../../src/declare/create-registry.ts";
import type { Setup, Task } from "./setup.ts";
import { codeOf, tell } from "./tell.ts";

/** Declares the handler `work`, which does what its message asks and tells of it. */
export function declareWork(
  registry: Registry,
  { attempts = 5, timeout, concurrency }: Partial<Setup> = {},
): { readonly release: () => void } {
  const waiting = new Set<() => void>();
  registry
    .on("work", {
      name: "work",
      retry: { attempts, delay: 5 },
      ...(timeout !== undefined && { timeout }),
      ...(concurrency !== undefined && { concurrency }),
    })
    .execute(async (task: Task, ctx) => {
      tell("began", task.n, ctx.attempt);
      ctx.signal.addEventListener("abort", () => tell("aborted", task.n, codeOf(ctx.signal.reason)));
      const waits = task.ask === "wait" || (task.ask === "block" && ctx.attempt > 1);
      await (waits ? untilReleased(waiting, ctx.signal) : handle(task, ctx));
      tell("ended", task.n, ctx.attempt);
    });
  return {
    release: () => {
      for (const release of waiting) release();
    },
  };
}

async function handle({ n, ask, ms = 0, times = 0 }: Task, ctx: Context): Promise<void> {
  if (ask === "hang") await new Promise(() => {});
  if (ask === "last") await delay(ms);
  if (ask === "block") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  if (ask === "abort") process.abort();
  if (ask === "fail" && ctx.attempt <= times) throw new Error(`task ${n} fails as it was asked to`);
}

function untilReleased(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    waiting.add(resolve);
    signal.addEventListener("abort", () => reject(signal.reason as Error));
  });
}
