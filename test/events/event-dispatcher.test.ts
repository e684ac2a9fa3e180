import { describe, expect, test } from "vitest";
import { z } from "zod";
import { createRegistry } from "../../src/declare/create-registry.ts";
import { defineEvent } from "../../src/declare/define-event.ts";
import { HandlersFailedError, PayloadError } from "../../src/errors.ts";
import { EventDispatcher } from "../../src/events/event-dispatcher.ts";

function setup() {
  const registry = createRegistry();
  return { registry, on: registry.on, dispatcher: new EventDispatcher({ registry }) };
}

test("results come in priority order, ties in order of declaration", async () => {
  const { on, dispatcher } = setup();
  on("e", { name: "late", priority: 5 }).execute(() => "late");
  on("e", { name: "first" }).execute(async () => "first");
  on("**", { name: "second" }).execute(() => "second");
  on("e", { name: "early", priority: -1 }).execute(() => "early");
  expect(await dispatcher.trigger("e")).toEqual(["early", "first", "second", "late"]);
});

test("an event that nobody handles gives an empty list and is counted", async () => {
  const { dispatcher } = setup();
  expect(await dispatcher.trigger("nobody")).toEqual([]);
  expect(dispatcher.unhandled).toBe(1);
});

describe("failures", () => {
  test("one failing handler does not stop the others, and their results are not lost", async () => {
    const { on, dispatcher } = setup();
    const ran: string[] = [];
    on("e", { name: "sync" }).execute(() => {
      throw new Error("at once");
    });
    on("e", { name: "async" }).execute(async () => {
      await Promise.resolve();
      throw new Error("later");
    });
    on("e", { name: "good" }).execute(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      ran.push("good");
      return 42;
    });
    const error = await dispatcher.trigger("e").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(HandlersFailedError);
    expect(error).toBeInstanceOf(AggregateError);
    const failed = error as HandlersFailedError;
    expect(failed.results).toEqual([42]);
    expect(failed.errors.map(String)).toEqual(["Error: at once", "Error: later"]);
    expect(failed.outcomes.map(({ handler, status }) => `${handler} ${status}`)).toEqual([
      "sync failed",
      "async failed",
      "good ok",
    ]);
    expect(failed.message).toContain("2 of 3 handlers");
    expect(ran).toEqual(["good"]);
  });

  test("a single handler's failure has the same form", async () => {
    const { on, dispatcher } = setup();
    on("e", { name: "only" }).execute(() => Promise.reject(new Error("no")));
    const error = (await dispatcher.trigger("e").catch((reason: unknown) => reason)) as HandlersFailedError;
    expect(error.outcomes).toMatchObject([{ handler: "only", status: "failed" }]);
  });
});

describe("payloads", () => {
  const User = defineEvent("user", z.object({ email: z.email(), age: z.coerce.number() }));

  test("handlers get the schema's output", async () => {
    const { on, dispatcher } = setup();
    on(User).execute((user) => user.age + 1);
    expect(await dispatcher.trigger(User, { email: "ann@example.com", age: "41" })).toEqual([42]);
    expect(await dispatcher.trigger("user", { email: "ann@example.com", age: 1 })).toEqual([2]);
  });

  test("a misfit lists every issue with its path, and no handler runs", async () => {
    const { on, dispatcher } = setup();
    let ran = false;
    on(User).execute(() => (ran = true));
    const error = await dispatcher
      .trigger(User, { email: "nope", age: "x" } as never)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PayloadError);
    expect((error as PayloadError).issues.map(({ path }) => path)).toEqual(["email", "age"]);
    expect(ran).toBe(false);
  });

  test("asynchronous schemas are waited for", async () => {
    const { on, dispatcher } = setup();
    const Checked = defineEvent(
      "checked",
      z.string().refine(async (text) => text.length > 2),
    );
    on(Checked).execute((text) => text);
    expect(await dispatcher.trigger(Checked, "long")).toEqual(["long"]);
    await expect(dispatcher.trigger(Checked, "no")).rejects.toBeInstanceOf(PayloadError);
  });
});

test("a wildcard handler learns the event's own name", async () => {
  const { on, dispatcher } = setup();
  on("user.*").execute((_, ctx) => ctx.event);
  expect(await dispatcher.trigger("user.created")).toEqual(["user.created"]);
});

test("handlers may come and go", async () => {
  const { on, registry, dispatcher } = setup();
  on("e", { name: "a" }).execute(() => "a");
  expect(await dispatcher.trigger("e")).toEqual(["a"]);
  on("e", { name: "b" }).execute(() => "b");
  expect(await dispatcher.trigger("e")).toEqual(["a", "b"]);
  registry.remove("a");
  expect(await dispatcher.trigger("e")).toEqual(["b"]);
  dispatcher.close();
  registry.remove("b");
  expect(await dispatcher.trigger("e")).toEqual(["b"]);
});

test("a name with a star is no event", async () => {
  const { dispatcher } = setup();
  await expect(dispatcher.trigger("user.*")).rejects.toThrow(/has a star in it/);
});

test("a rejection that is not awaited at once is never unhandled", async () => {
  const { on, dispatcher } = setup();
  let release: () => void = () => {};
  on("e", { name: "slow" }).execute(() => new Promise<void>((resolve) => (release = resolve)));
  on("e", { name: "fails" }).execute(() => Promise.reject(new Error("early")));
  const seen: unknown[] = [];
  const listen = (reason: unknown): void => void seen.push(reason);
  process.on("unhandledRejection", listen);
  const triggered = dispatcher.trigger("e").catch(() => "caught");
  await new Promise((resolve) => setImmediate(resolve));
  release();
  expect(await triggered).toBe("caught");
  process.off("unhandledRejection", listen);
  expect(seen).toEqual([]);
});
