import { expect, onTestFinished, test } from "vitest";
import { createRegistry } from "../../src/declare/create-registry.ts";
import type { TimeOptions } from "../../src/handler.ts";
import type { Context } from "../../src/context.ts";
import { cancel, snooze } from "../../src/outcome.ts";
import { createTestApp } from "../../src/testing/index.ts";
import { setup, standalone, START, task } from "./replica.ts";

/** An app with one task that ends as `outcomes` say, in turn. */
async function app(outcomes: readonly ((ctx: Context) => unknown)[], options: TimeOptions = {}) {
  const registry = createRegistry();
  let at = 0;
  registry
    .timeOn("task", { every: "1m", retry: false, ...options })
    .execute((_, ctx) => outcomes[at++ % outcomes.length]?.(ctx));
  const t = await createTestApp({ registry });
  onTestFinished(() => t.stop());
  return t;
}

const fail = (): never => {
  throw new Error("the disk\n  is full");
};

test("the last runs of a task are kept, with what became of them", async () => {
  const t = await app([() => "fine", fail, () => cancel("nothing to do"), (ctx) => ctx.sleep("10s")], {
    overlap: "allow",
    timeout: "5s",
  });
  await t.advance("3m");
  const [cancelled, failed, ok] = await t.app.scheduler.runs("task");
  expect(ok).toMatchObject({
    outcome: "ok",
    attempt: 1,
    instance: expect.any(String) as string,
    duration: 0,
  });
  expect(ok?.error).toBeUndefined();
  expect(failed).toMatchObject({ outcome: "error", error: "the disk is full" });
  expect(cancelled).toMatchObject({ outcome: "cancelled", error: "nothing to do" });
  expect([ok, failed, cancelled].map((run) => (run?.tick ?? 0) % 60_000)).toEqual([0, 0, 0]);
  const { schedule, ticks, runs } = await t.app.scheduler.task("task", 2);
  expect(runs).toHaveLength(3);
  expect(schedule).toMatchObject({ fired: 3, lastSuccess: ok?.tick });
  expect(ticks.map((tick) => tick - (cancelled?.tick ?? 0))).toEqual([60_000, 120_000]);
});

test("each attempt is a run, and a run that was put off is none", async () => {
  let calls = 0;
  const t = await app([() => (++calls === 1 ? snooze("1s") : fail())], {
    retry: { attempts: 2, delay: "1s", jitter: false },
    overlap: "skip",
  });
  await t.advance("63s");
  const runs = await t.app.scheduler.runs("task");
  expect(runs.map(({ outcome, attempt }) => [outcome, attempt])).toEqual([
    ["error", 2],
    ["error", 1],
  ]);
});

test("a run that takes too long is one that timed out, and tells how long it took", async () => {
  const t = await app([(ctx) => new Promise((_, reject) => ctx.signal.addEventListener("abort", reject))], {
    timeout: "5s",
  });
  await t.advance("66s");
  expect(await t.app.scheduler.runs("task")).toMatchObject([{ outcome: "timeout", duration: 5_000 }]);
});

test("a process keeps the runs of its own tasks, too", async () => {
  const { clock } = setup();
  let calls = 0;
  const { scheduler } = standalone(clock, [
    task("task", { every: "1s" }, () => (++calls === 2 ? fail() : undefined)),
  ]);
  await scheduler.start();
  await clock.advance("30s");
  const runs = await scheduler.runs("task");
  expect(runs).toHaveLength(20);
  expect(runs[0]).toMatchObject({ tick: START + 30_000, outcome: "ok", instance: String(process.pid) });
  await expect(scheduler.runs("tsak")).rejects.toMatchObject({ code: "TASK_UNKNOWN" });
  await scheduler.stop();
});
