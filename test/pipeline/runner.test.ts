import { describe, expect, test } from "vitest";
import { createRegistry } from "../../src/declare/create-registry.ts";
import { CancelledError, Fatal, RetryAfter, TimeoutError } from "../../src/errors.ts";
import type { EventOptions } from "../../src/handler.ts";
import { bareEnvironment } from "../../src/pipeline/environment.ts";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import { retryPolicy } from "../../src/pipeline/retry.ts";
import type { Runner } from "../../src/pipeline/runner.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import type { Context, Middleware } from "../../src/context.ts";

function setup(
  options: EventOptions,
  fn: (input: unknown, ctx: Context) => unknown,
  middleware: Middleware[] = [],
) {
  const clock = new VirtualClock();
  const environment = { ...bareEnvironment(), clock, middleware, random: () => 1 };
  const registry = createRegistry();
  registry.on("e", { name: "h", ...options }).execute(fn);
  const pipeline = new Pipeline(environment);
  const runner: Runner = pipeline.runner(registry.list()[0] as never);
  return { clock, pipeline, runner };
}

describe("timeout", () => {
  test("aborts the signal and ends the wait of a handler that ignores it", async () => {
    let aborted: unknown;
    const { clock, runner } = setup({ timeout: "2s" }, (_, ctx) => {
      ctx.signal.addEventListener("abort", () => (aborted = ctx.signal.reason));
      return new Promise(() => {});
    });
    const call = runner.call(undefined).catch((error: unknown) => error);
    await clock.advance("2s");
    expect(await call).toBeInstanceOf(TimeoutError);
    expect(String(await call)).toContain('"h" took longer than its timeout of 2s');
    expect(aborted).toBeInstanceOf(TimeoutError);
    expect(runner.stats).toMatchObject({ timeout: 1, abandoned: 1 });
  });

  test("does not touch a handler that is in time", async () => {
    const { clock, runner } = setup({ timeout: "2s" }, () => "done");
    expect(await runner.call(undefined)).toBe("done");
    expect(clock.pending).toBe(0);
    expect(runner.stats).toMatchObject({ ok: 1, running: 0, abandoned: 0 });
  });
});

describe("retry in place, for callers who wait", () => {
  test("a handler that declares it is tried again after each wait", async () => {
    const attempts: number[] = [];
    const { clock, runner } = setup({ retry: { attempts: 3, delay: "1s" } }, (_, ctx) => {
      attempts.push(ctx.attempt);
      if (ctx.attempt < 3) throw new Error("not yet");
      return "at last";
    });
    const call = runner.call(undefined);
    await clock.advance("1s");
    expect(attempts).toEqual([1, 2]);
    await clock.advance("2s");
    expect(await call).toBe("at last");
    expect(runner.stats).toMatchObject({ ok: 1, error: 2, retries: 2 });
  });

  test("one that does not is tried once; Fatal ends it at once", async () => {
    const once = setup({}, () => Promise.reject(new Error("no")));
    await expect(once.runner.call(undefined)).rejects.toThrow("no");
    expect(once.runner.stats.error).toBe(1);
    const fatal = setup({ retry: 5 }, () => Promise.reject(new Fatal("never")));
    await expect(fatal.runner.call(undefined)).rejects.toThrow("never");
    expect(fatal.runner.stats.error).toBe(1);
  });

  test("all attempts share the timeout", async () => {
    const { clock, runner } = setup(
      { retry: { attempts: 100, delay: "1s", backoff: "fixed" }, timeout: "3500ms" },
      () => {
        throw new Error("no");
      },
    );
    const call = runner.call(undefined).catch((error: unknown) => error);
    await clock.advance("10s");
    expect(await call).toBeInstanceOf(TimeoutError);
    expect(runner.stats.error).toBe(4);
  });

  test("the id is the same for each attempt", async () => {
    const ids = new Set<string>();
    const { clock, runner } = setup({ retry: { attempts: 3, delay: 1 } }, (_, ctx) => {
      ids.add(ctx.id);
      if (ctx.attempt < 3) throw new Error("no");
    });
    const call = runner.call(undefined);
    await clock.advance("1s");
    await call;
    expect(ids.size).toBe(1);
  });
});

describe("retryPolicy", () => {
  const error = new Error("x");
  test("waits grow as declared, up to the longest", () => {
    const waits = (backoff: "exponential" | "linear" | "fixed") => {
      const policy = retryPolicy({ attempts: 9, delay: "1s", backoff, maxDelay: "6s", jitter: false });
      return [1, 2, 3, 4].map((attempt) => policy.next(error, attempt, Math.random));
    };
    expect(waits("exponential")).toEqual([1_000, 2_000, 4_000, 6_000]);
    expect(waits("linear")).toEqual([1_000, 2_000, 3_000, 4_000]);
    expect(waits("fixed")).toEqual([1_000, 1_000, 1_000, 1_000]);
  });

  test("jitter draws between zero and the whole wait", () => {
    const policy = retryPolicy({ delay: "8s" });
    expect(policy.next(error, 1, () => 0)).toBe(0);
    expect(policy.next(error, 1, () => 0.5)).toBe(4_000);
  });

  test("RetryAfter is a lower bound, retryIf may refuse, attempts end it", () => {
    const policy = retryPolicy({ attempts: 3, delay: 10, retryIf: (reason) => reason !== "hopeless" });
    expect(policy.next(new RetryAfter("30s"), 1, () => 1)).toBe(30_000);
    expect(policy.next("hopeless", 1, () => 1)).toBeUndefined();
    expect(policy.next(error, 3, () => 1)).toBeUndefined();
    expect(retryPolicy(false).attempts).toBe(1);
    expect(retryPolicy(undefined).attempts).toBe(5);
    expect(retryPolicy(undefined, 1).attempts).toBe(1);
  });
});

test("middleware goes around each run, the app's outside the handler's", async () => {
  const seen: string[] = [];
  const noting =
    (name: string): Middleware =>
    async (ctx, next) => {
      seen.push(`${name} in ${String(ctx.input)}`);
      const result = await next();
      seen.push(`${name} out`);
      return `${name}(${String(result)})`;
    };
  const { runner } = setup({ use: [noting("own")] }, () => (seen.push("handler"), "x"), [noting("app")]);
  expect(await runner.call("input")).toBe("app(own(x))");
  expect(seen).toEqual(["app in input", "own in input", "handler", "own out", "app out"]);
});

test("concurrency that is declared bounds direct calls too, in order", async () => {
  const running: (() => void)[] = [];
  const started: unknown[] = [];
  const { runner } = setup({ concurrency: 2 }, (input) => {
    started.push(input);
    return new Promise<void>((resolve) => running.push(resolve));
  });
  const calls = [1, 2, 3].map((input) => runner.call(input));
  await new Promise((resolve) => setImmediate(resolve));
  expect(started).toEqual([1, 2]);
  running[0]?.();
  await calls[0];
  await new Promise((resolve) => setImmediate(resolve));
  expect(started).toEqual([1, 2, 3]);
  running.forEach((end) => end());
  await Promise.all(calls);
});

test("abortAll reaches a run whose signal was asked for late", async () => {
  const { pipeline, runner } = setup({}, async (_, ctx) => {
    await Promise.resolve();
    return new Promise((_resolve, reject) =>
      ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)),
    );
  });
  const call = runner.call(undefined).catch((error: unknown) => error);
  await new Promise((resolve) => setImmediate(resolve));
  expect(pipeline.running).toBe(1);
  pipeline.abortAll(new CancelledError("stopping"));
  expect(await call).toBeInstanceOf(CancelledError);
  expect(runner.stats.cancelled).toBe(1);
});

test("context: everything may be taken out of it, and steps run once within a call", async () => {
  let charged = 0;
  const { clock, runner } = setup(
    { retry: { attempts: 2, delay: 1 } },
    async (_, { step, attempt, headers, handler, kind, now }) => {
      const charge = await step("charge", () => ++charged);
      if (attempt === 1) throw new Error("after the step");
      return { charge, handler, kind, headers, now: typeof now() };
    },
  );
  const call = runner.call(undefined, { headers: { tenant: "a" } });
  await clock.advance("1s");
  expect(await call).toEqual({
    charge: 1,
    handler: "h",
    kind: "event",
    headers: { tenant: "a" },
    now: "number",
  });
  expect(charged).toBe(1);
});

test("fast runs are counted each, and timed now and then", async () => {
  const { runner } = setup({}, () => 1);
  for (let run = 0; run < 100; run++) await runner.call(run);
  expect(runner.stats.ok).toBe(100);
  const timed = runner.stats.duration.counts.reduce((sum, count) => sum + count, 0);
  expect(timed).toBeGreaterThan(60);
  expect(timed).toBeLessThan(140);
});

test("a run that obeys its timeout is counted once", async () => {
  const { clock, runner } = setup({ timeout: "2s" }, (_, { signal }) => {
    return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  });
  const call = runner.call(undefined).catch(() => "timed out");
  await clock.advance("2s");
  expect(await call).toBe("timed out");
  expect(runner.stats).toMatchObject({ ok: 0, error: 0, timeout: 1, abandoned: 0, running: 0 });
});

test("what listens to a signal is let go when its run ends", async () => {
  const { pipeline, runner } = setup({}, async (_, { signal }) => {
    signal.addEventListener("abort", () => {}, { once: true });
    await Promise.resolve();
  });
  for (let run = 0; run < 1_000; run++) await runner.call(run);
  expect(pipeline.environment.live.size).toBe(0);
});
