import { CancelledError } from "../../src/errors.ts";
import { describe, expect, onTestFinished, test } from "vitest";
import type { PatternMatch } from "../../src/handler.ts";
import { type Logger, silentLogger } from "../../src/log.ts";
import { PatternDispatcher, type PatternDispatcherOptions } from "../../src/patterns/pattern-dispatcher.ts";
import { bareEnvironment } from "../../src/pipeline/environment.ts";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import { HandlerRegistry } from "../../src/registry.ts";
import { patternHandler } from "./pattern-setup.ts";

function setUp(options: PatternDispatcherOptions = {}) {
  const logged: { level: string; fields: object }[] = [];
  const keep = (level: string) => (fields: object) => void logged.push({ level, fields });
  const log: Logger = { ...silentLogger, warn: keep("warn"), error: keep("error") };
  const registry = new HandlerRegistry();
  const pipeline = new Pipeline({ ...bareEnvironment(), log });
  const patterns = new PatternDispatcher({ registry, pipeline, ...options });
  onTestFinished(() => patterns.close());
  const add = (...rest: Parameters<typeof patternHandler>) => registry.add(patternHandler(...rest));
  const names = async (...call: Parameters<typeof patterns.match>) =>
    (await patterns.match(...call)).map((result) => result.handler);
  return { patterns, registry, pipeline, logged, add, names };
}

describe("match", () => {
  test("answers with each handler's value in priority order", async () => {
    const { patterns, add } = setUp();
    add("slow", /ERROR (?<what>.*)/, {
      priority: -1,
      fn: async (match) => {
        for (let turn = 0; turn < 5; turn++) await Promise.resolve();
        return `seen: ${match.groups.what}`;
      },
    });
    add("other", /INFO/);
    add("quick", /disk/, { fn: (match) => match.index });
    expect(await patterns.match("ERROR disk full")).toEqual([
      { handler: "slow", status: "ok", value: "seen: disk full" },
      { handler: "quick", status: "ok", value: 6 },
    ]);
  });

  test("handlers are started in priority order and run side by side", async () => {
    const { patterns, add } = setUp();
    const seen: string[] = [];
    const second = Promise.withResolvers<void>();
    add("b", /x/, { priority: 2, fn: () => (seen.push("b"), second.resolve()) });
    add("a", /x/, { priority: 1, fn: () => (seen.push("a"), second.promise) });
    await patterns.match("x");
    expect(seen).toEqual(["a", "b"]);
  });

  test("an object's fields are one message: one order over all, and stop ends all", async () => {
    const { names, add } = setUp();
    add("body 3", /x/, { field: "body", priority: 3 });
    add("title 2", /x/, { field: "title", priority: 2 });
    add("body 1", /x/, { field: "body", priority: 1 });
    add("title 1", /x/, { field: "title", priority: 1 });
    add("body stop", /stop/, { field: "body", priority: 2, stop: true });
    expect(await names({ title: "x", body: "x", other: "x" })).toEqual([
      "body 1",
      "title 1",
      "title 2",
      "body 3",
    ]);
    expect(await names({ title: "x", body: "x stop" })).toEqual([
      "body 1",
      "title 1",
      "title 2",
      "body stop",
    ]);
    expect(await names("x")).toEqual([]);
  });

  test("the handler gets the field and a copy of the message that nobody can change", async () => {
    const { patterns, add } = setUp();
    const got: PatternMatch[] = [];
    add("a", /x/, { field: "title", fn: (match) => void got.push(match) });
    const message = { title: "x", body: "y" };
    await patterns.match(message);
    expect(got[0]).toMatchObject({ field: "title", message });
    expect(got[0]?.message).not.toBe(message);
    expect(Object.isFrozen(got[0]?.message)).toBe(true);
  });

  test("a field may be called __proto__", async () => {
    const { patterns, add } = setUp();
    add("a", /x/, { field: "__proto__", fn: (match) => match.text });
    const message: Record<string, string> = JSON.parse('{"__proto__":"x"}');
    expect(await patterns.match(message)).toEqual([{ handler: "a", status: "ok", value: "x" }]);
  });

  test("the call's id and signal reach the handler", async () => {
    const { patterns, add } = setUp();
    const seen: unknown[] = [];
    const abort = new AbortController();
    add("a", /x/, {
      fn: (_, ctx) => {
        seen.push(ctx.id, ctx.signal.aborted);
        abort.abort(new CancelledError("enough"));
        seen.push(ctx.signal.aborted);
        return new Promise(() => {});
      },
    });
    const results = await patterns.match("x", { id: "m1", signal: abort.signal });
    expect(results).toMatchObject([{ handler: "a", status: "cancelled" }]);
    expect(seen).toEqual(["m1", false, true]);
  });

  test.each([
    [undefined, [["", "must be text or an object of texts, not undefined"]]],
    [7, [["", "must be text or an object of texts, not number"]]],
    [["x"], [["", "must be text or an object of texts, not an array"]]],
    [null, [["", "must be text or an object of texts, not null"]]],
    [
      { content: 1, title: "x", tags: [] },
      [
        ["content", "must be text, not number"],
        ["tags", "must be text, not an array"],
      ],
    ],
  ])("refuses %j", async (message, issues) => {
    const { patterns } = setUp();
    await expect(patterns.match(message as unknown as string)).rejects.toMatchObject({
      code: "PAYLOAD_INVALID",
      issues: issues.map(([path, text]) => ({ path, message: text })),
    });
  });
});

describe("failures", () => {
  test("one does not stop the others, is a result, and is logged once", async () => {
    const { patterns, add, logged } = setUp();
    const error = new Error("no");
    add("bad", /x/, { fn: () => Promise.reject(error) });
    add("good", /x/);
    expect(await patterns.match("x", { id: "m1" })).toEqual([
      { handler: "bad", status: "failed", value: undefined, error },
      { handler: "good", status: "ok", value: "good" },
    ]);
    expect(logged).toEqual([
      {
        level: "error",
        fields: { handler: "bad", field: "content", id: "m1", status: "failed", err: error },
      },
    ]);
  });

  test("a handler whose time is up has timed out", async () => {
    const { patterns, add } = setUp();
    add("slow", /x/, { timeout: 1, fn: () => new Promise(() => {}) });
    expect(await patterns.match("x")).toMatchObject([{ status: "timed_out", error: { code: "TIMEOUT" } }]);
  });

  test("a handler that is called off is cancelled", async () => {
    const { patterns, add } = setUp();
    const caller = new AbortController();
    add("a", /x/, {
      fn: (_, ctx) =>
        new Promise((_resolve, reject) => {
          ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason));
          caller.abort();
        }),
    });
    expect(await patterns.match("x", { signal: caller.signal })).toMatchObject([{ status: "cancelled" }]);
  });

  test("it is retried in place as declared", async () => {
    const { patterns, add } = setUp();
    let attempts = 0;
    add("a", /x/, {
      retry: { attempts: 3, delay: 0 },
      fn: (_, ctx) => {
        attempts++;
        if (ctx.attempt < 3) throw new Error("again");
        return ctx.attempt;
      },
    });
    expect(await patterns.match("x")).toMatchObject([{ status: "ok", value: 3 }]);
    expect(attempts).toBe(3);
  });
});

describe("threshold", () => {
  test("a match below it is no result; the one that reaches it is", async () => {
    const { names, add } = setUp();
    add("five", /fail (?<ip>\S+)/, { threshold: { count: 3, within: "1m", by: (m) => m.groups.ip } });
    add("all", /fail/);
    const found = [];
    for (const ip of ["a", "b", "a", "a", "b"]) found.push(await names(`fail ${ip}`));
    expect(found).toEqual([["all"], ["all"], ["all"], ["five", "all"], ["all"]]);
  });

  test("a match below it still stops the search", async () => {
    const { names, add } = setUp();
    add("quiet", /x/, { stop: true, threshold: { count: 2, within: "1m" } });
    add("after", /x/);
    expect(await names("x")).toEqual([]);
    expect(await names("x")).toEqual(["quiet"]);
  });

  test("a `by` that throws is the handler's failure", async () => {
    const { patterns, add } = setUp();
    const by = (): string => {
      throw new Error("no key");
    };
    add("a", /x/, { threshold: { count: 2, within: "1m", by } });
    expect(await patterns.match("x")).toMatchObject([{ status: "failed", error: { message: "no key" } }]);
  });
});

describe("handlers come and go", () => {
  test("those declared before, later, and no more", async () => {
    const { registry, add, names } = setUp();
    registry.add(patternHandler("early", /x/));
    const late = new PatternDispatcher({ registry });
    onTestFinished(() => late.close());
    const remove = add("late", /x/);
    expect((await late.match("x")).map((result) => result.handler)).toEqual(["early", "late"]);
    remove();
    expect(await names("x")).toEqual(["early"]);
  });

  test("a handler may remove one that matched too, which is then not run", async () => {
    const { add, names } = setUp();
    const remove = add("second", /x/, { priority: 1 });
    add("first", /x/, { fn: () => remove() });
    expect(await names("x")).toEqual(["first"]);
  });

  test("one that is refused leaves nothing behind", async () => {
    const { add, names, registry } = setUp();
    expect(() => add("bad", /x/, { threshold: { count: 0, within: "1m" } })).toThrow(
      expect.objectContaining({ code: "THRESHOLD_INVALID" }),
    );
    expect(registry.get("bad")).toBeUndefined();
    expect(await names("x")).toEqual([]);
  });

  test("other kinds are left alone", async () => {
    const { registry, names } = setUp();
    registry.add({ kind: "time", name: "t", options: {}, fn: () => {}, site: "" });
    registry.remove("t");
    expect(await names("x")).toEqual([]);
  });

  test("after close it refuses, and the registry goes on without it", async () => {
    const { patterns, add } = setUp();
    patterns.close();
    patterns.close();
    add("a", /x/);
    await expect(patterns.match("x")).rejects.toMatchObject({ code: "DISPATCHER_CLOSED" });
  });
});

describe("long texts", () => {
  test("only their beginning is looked at, and the log says so once for each field", async () => {
    const { add, names, logged } = setUp({ maxText: 10 });
    add("end", /x$/);
    add("title", /x$/, { field: "title" });
    expect(await names(`${"-".repeat(9)}x`)).toEqual(["end"]);
    expect(await names(`${"-".repeat(10)}x`)).toEqual([]);
    expect(await names(`${"-".repeat(9)}x---`)).toEqual(["end"]);
    expect(logged.map((line) => line.fields)).toEqual([{ field: "content", length: 11, maxText: 10 }]);
    await names({ title: "-".repeat(11) });
    expect(logged).toHaveLength(2);
  });
});
