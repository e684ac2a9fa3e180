import { describe, expect, test } from "vitest";
import { z } from "zod";
import { createRegistry } from "../../src/declare/create-registry.ts";
import { registerClass } from "../../src/declare/class-handlers.ts";
import { defineEvent } from "../../src/declare/define-event.ts";
import { EventDispatcher } from "../../src/events/event-dispatcher.ts";
import { HandlerRegistry } from "../../src/registry.ts";

const User = defineEvent("user.registered", z.object({ email: z.email() }));

describe("each form of declaring registers one handler that gets the payload", () => {
  test("on(E).execute(fn) returns fn itself", async () => {
    const registry = createRegistry();
    const fn = async (user: { email: string }) => `welcome ${user.email}`;
    expect(registry.on(User).execute(fn)).toBe(fn);
    expect(await new EventDispatcher({ registry }).trigger(User, { email: "ann@example.com" })).toEqual([
      "welcome ann@example.com",
    ]);
    expect(await fn({ email: "x" })).toBe("welcome x");
  });

  test("on(E).execute()(fn)", async () => {
    const registry = createRegistry();
    const returned = registry.on(User).execute()(async function greet(user: { email: string }) {
      return user.email;
    });
    expect(returned.name).toBe("greet");
    expect(registry.get("greet")?.kind).toBe("event");
    expect(await new EventDispatcher({ registry }).trigger(User, { email: "ann@example.com" })).toEqual([
      "ann@example.com",
    ]);
  });

  test("@on(E) and @(on(E).execute()) on methods, with this, static and inherited", async () => {
    const { on } = createRegistry();
    class Base {
      greeting = "hello";
      @on(User) greet(user: { email: string }) {
        return `${this.greeting} ${user.email}`;
      }
      @on(User) overridden() {
        return "base";
      }
    }
    class Accounts extends Base {
      @(on(User, { name: "audited" }).execute()) async audit(user: { email: string }) {
        return `audited ${user.email}`;
      }
      @on(User) static count() {
        return this.name;
      }
      override overridden() {
        return "not decorated here";
      }
    }
    const registry = new HandlerRegistry();
    registerClass(registry, Accounts, () => new Accounts());
    expect(
      registry
        .list()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["Accounts.count", "Accounts.greet", "audited"]);
    const results = await new EventDispatcher({ registry }).trigger(User, { email: "eve@example.com" });
    expect(new Set(results)).toEqual(
      new Set(["Accounts", "audited eve@example.com", "hello eve@example.com"]),
    );
    expect(new Accounts().greet({ email: "direct" })).toBe("hello direct");
  });

  test("one method may handle several events", () => {
    const { on, timeOn } = createRegistry();
    class Both {
      @on("a", { name: "on-a" }) @on("b", { name: "on-b" }) @timeOn("tick", { every: "1h" }) run() {}
    }
    const registry = new HandlerRegistry();
    registerClass(registry, new Both(), () => new Both());
    expect(
      registry
        .list()
        .map(({ name, kind }) => `${kind} ${name}`)
        .sort(),
    ).toEqual(["event on-a", "event on-b", "time tick"]);
  });

  test("legacy decorators, as a compiler with experimentalDecorators calls them", () => {
    const { on } = createRegistry();
    class Legacy {
      greet(user: { email: string }) {
        return user.email;
      }
    }
    const descriptor = Object.getOwnPropertyDescriptor(Legacy.prototype, "greet") as TypedPropertyDescriptor<
      Legacy["greet"]
    >;
    on(User)(Legacy.prototype, "greet", descriptor);
    const registry = new HandlerRegistry();
    registerClass(registry, Legacy, () => new Legacy());
    expect(registry.get("Legacy.greet")).toBeDefined();
  });
});

describe("mistakes fail where they stand", () => {
  test("two handlers of one name: both places are shown", () => {
    const { on } = createRegistry();
    on("a", { name: "same" }).execute(() => 1);
    expect(() => on("b", { name: "same" }).execute(() => 2)).toThrow(
      /Two handlers are named "same"[^]*first: {2}.*forms\.test\.ts:\d+[^]*second: .*forms\.test\.ts:\d+/,
    );
  });

  test("options of a pattern are checked where they stand, and what is missing is said", () => {
    const { reOn } = createRegistry();
    expect(() => reOn("q", "content", /x/, { threshold: { count: 0, within: "1m" } })).toThrow(
      /count must be/,
    );
    expect(() => reOn("q", "content", /x/, { cooldown: 0 })).toThrow(/every must be longer than 0/);
    expect(() => reOn("q", "", /x/)).toThrow(/the field is missing/);
    expect(() => reOn("q", "content", "x" as unknown as RegExp)).toThrow(
      /the pattern is a string and not a regular expression/,
    );
    expect(() => reOn("q", "content", /^((\w+) \2)+$/)).toThrow(/Name both cases, or compare the groups/);
  });

  test("of more than a thousand handlers, which a loop declares, the first thousand know their place", () => {
    const registry = createRegistry();
    for (let n = 0; n < 1_002; n++) registry.on("a", { name: `n${n}` }).execute(() => n);
    expect(registry.list()[999]?.site).toMatch(/forms\.test\.ts:\d+/);
    expect(registry.list()[1_000]?.site).toBe("one of more than 1,000 declarations");
  });

  test("two anonymous handlers of one event", () => {
    const { on } = createRegistry();
    on("a").execute(() => 1);
    expect(() => on("a").execute(() => 2)).toThrow(/pass \{ name: "…" \}/);
  });

  test("no function", () => {
    const { on } = createRegistry();
    // @ts-expect-error on purpose: JavaScript users have no compiler
    expect(() => on("a").execute("oops")).toThrow(
      /on\("a"\) got string instead of a function at .*forms\.test\.ts/,
    );
  });

  test.each([
    ["a topic", () => createRegistry().on("a..b"), /TOPIC_INVALID|empty segment/],
    [
      "a timeout",
      () => createRegistry().on("a", { timeout: "soon" as "1s" }),
      /on\("a"\): timeout: "soon" is not a duration/,
    ],
    [
      "a concurrency",
      () => createRegistry().on("a", { concurrency: 0 }),
      /concurrency must be a whole number/,
    ],
    ["attempts", () => createRegistry().on("a", { retry: 0 }), /attempts must be a whole number/],
    ["an event's name", () => defineEvent("a.*"), /has a star in it/],
    ["a schema", () => defineEvent("a", {} as never), /not a Standard Schema/],
    ["a pattern", () => createRegistry().reOn("a", "content", "x" as never), /Write reOn\("error_detector"/],
  ])("%s", (_, declare, message) => {
    expect(declare).toThrow(message);
  });

  test("a class without handlers, a private method", () => {
    class Empty {
      method() {}
    }
    expect(() => registerClass(new HandlerRegistry(), Empty, () => new Empty())).toThrow(
      /no method of Empty is decorated/,
    );
    expect(() => {
      const { on } = createRegistry();
      return class {
        @on("a") #hidden() {}
        call() {
          this.#hidden();
        }
      };
    }).toThrow(/not on private ones/);
  });
});

test("two registries, and two apps on one registry, know nothing of each other's handlers", () => {
  const parent = createRegistry();
  const [one, other] = [new HandlerRegistry(parent), new HandlerRegistry(parent)];
  parent.on("shared").execute(function shared() {});
  class Mine {
    @parent.on("mine") mine() {}
  }
  registerClass(one, Mine, () => new Mine());
  expect(one.list().map(({ name }) => name)).toEqual(["shared", "Mine.mine"]);
  expect(other.list().map(({ name }) => name)).toEqual(["shared"]);
  expect(() => parent.on("x", { name: "Mine.mine" }).execute(() => 1)).toThrow(/Two handlers/);
  expect(parent.get("Mine.mine")).toBeUndefined();
});
