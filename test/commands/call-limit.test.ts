import { describe, expect, test } from "vitest";
import { CommandDispatcher } from "../../src/commands/command-dispatcher.ts";
import { LocalLimits } from "../../src/commands/local-limits.ts";
import type { Limits } from "../../src/engine.ts";
import type { CommandOptions } from "../../src/handler.ts";
import { bareEnvironment } from "../../src/pipeline/environment.ts";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import { HandlerRegistry } from "../../src/registry.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

function setup(options: CommandOptions, usage = "/api [n:int]", limits?: Limits) {
  const registry = new HandlerRegistry();
  const clock = new VirtualClock();
  const pipeline = new Pipeline(Object.assign(bareEnvironment(), { clock, limits }));
  const commands = new CommandDispatcher({ registry, pipeline });
  let runs = 0;
  const fn = () => {
    runs++;
    if (options.description === "fails") throw new Error("no");
    return runs;
  };
  const handler = { kind: "command", name: "api", usage, options, fn, site: "app.ts:1" } as const;
  registry.add(handler);
  return { clock, commands, runs: () => runs, stats: pipeline.runner(handler).stats };
}

describe("a cooldown", () => {
  test("refuses until its time is over, with what is left", async () => {
    const { clock, commands, runs, stats } = setup({ cooldown: "60s" });
    expect((await commands.handle("/api")).status).toBe("ok");
    await clock.advance("1500ms");
    expect(await commands.handle("/api", { user: "somebody else" })).toEqual({
      status: "cooling_down",
      text: "/api was used a moment ago. Try again in 59 s.",
      data: undefined,
      command: "api",
      retryAfter: 58_500,
    });
    expect((await commands.handle("/api", { locale: "zh" })).text).toBe("/api 刚刚用过，请在 59 秒后重试。");
    expect([runs(), stats.limited]).toEqual([1, 2]);
    await clock.advance(58_500);
    expect((await commands.handle("/api")).status).toBe("ok");
  });

  test("is not started by a call that is refused", async () => {
    const { commands } = setup({ cooldown: "60s", roles: ["op"] });
    expect((await commands.handle("/api")).status).toBe("denied");
    expect((await commands.handle("/api x", { roles: ["op"] })).status).toBe("invalid");
    expect((await commands.handle("/api 'x", { roles: ["op"] })).status).toBe("invalid");
    expect((await commands.handle("/api", { roles: ["op"], signal: AbortSignal.abort() })).status).toBe(
      "failed",
    );
    expect((await commands.handle("/api", { roles: ["op"] })).status).toBe("ok");
  });

  test("is not lengthened by calls that it refuses", async () => {
    const { clock, commands } = setup({ cooldown: "10s" });
    await commands.handle("/api");
    for (let second = 1; second < 10; second++) {
      await clock.advance("1s");
      expect((await commands.handle("/api")).retryAfter).toBe(10_000 - second * 1_000);
    }
    await clock.advance("1s");
    expect((await commands.handle("/api")).status).toBe("ok");
  });

  test("stays when the handler fails", async () => {
    const { commands } = setup({ cooldown: "60s", description: "fails" });
    expect((await commands.handle("/api")).status).toBe("failed");
    expect((await commands.handle("/api")).status).toBe("cooling_down");
  });

  test.each<[CommandOptions["cooldown"], object, object]>([
    [{ per: "1m", scope: "user" }, { user: "ann" }, { user: "bob" }],
    [{ per: "1m", scope: "user" }, {}, { user: "bob" }],
    [
      { per: "1m", scope: "channel" },
      { channel: "a", user: "x" },
      { channel: "b", user: "x" },
    ],
    [{ per: "1m", by: ({ text }) => text }, {}, { text: "/api 2" }],
  ])("counts apart by its scope: %j", async (cooldown = 0, first, second) => {
    const { commands } = setup({ cooldown });
    const text = "text" in second ? String(second.text) : "/api 1";
    expect((await commands.handle("/api 1", first)).status).toBe("ok");
    expect((await commands.handle(text, second)).status).toBe("ok");
    expect((await commands.handle("/api 1", first)).status).toBe("cooling_down");
  });

  test("of many calls at once lets one through", async () => {
    const { commands, runs } = setup({ cooldown: "60s" });
    const replies = await Promise.all(Array.from({ length: 20 }, () => commands.handle("/api")));
    expect(replies.filter(({ status }) => status === "ok")).toHaveLength(1);
    expect(runs()).toBe(1);
  });

  test("asks the engine where there is one", async () => {
    const asked: unknown[] = [];
    const limits: Limits = {
      take: async (...args) => {
        asked.push(args);
        return { ok: false, retryAfter: 0.2 };
      },
      giveBack: async () => {},
      hit: async () => false,
    };
    const { commands } = setup({ cooldown: { per: "1m", scope: "user" } }, "/api", limits);
    expect(await commands.handle("/api", { user: "ann" })).toMatchObject({
      status: "cooling_down",
      retryAfter: 1,
    });
    expect(asked).toEqual([["cooldown:api:ann", 1, 60_000]]);
  });

  test.each([
    ["refuses, unless told otherwise", undefined, "failed", 0],
    ["refuses", "refuse", "failed", 0],
    ["lets calls through where its author says so", "allow", "ok", 1],
  ] as const)("whose engine cannot be asked %s", async (_, whenDown, status, ran) => {
    const down = () => Promise.reject(new Error("down"));
    const limits = { take: down, giveBack: down, hit: down };
    const { commands, runs } = setup(
      { cooldown: { per: "1m", ...(whenDown && { whenDown }) } },
      "/api",
      limits,
    );
    const reply = await commands.handle("/api");
    expect(reply.status).toBe(status);
    expect(reply.text).toBe(ran === 1 ? "1" : "/api cannot be used right now. Try again in a moment.");
    expect(runs()).toBe(ran);
  });
});

describe("a rate limit", () => {
  test("lets so many through in a time, and says when the next may be", async () => {
    const { clock, commands } = setup({ rateLimit: { limit: 2, per: "1m" } });
    expect((await commands.handle("/api")).status).toBe("ok");
    await clock.advance("20s");
    expect((await commands.handle("/api")).status).toBe("ok");
    expect(await commands.handle("/api")).toMatchObject({
      status: "cooling_down",
      retryAfter: 40_000,
      text: "/api was used 2 times, which is as often as it may be. Try again in 40 s.",
    });
    await clock.advance("40s");
    expect((await commands.handle("/api")).status).toBe("ok");
    expect((await commands.handle("/api")).status).toBe("cooling_down");
  });

  test("that refuses takes back what the cooldown has counted", async () => {
    const { clock, commands } = setup({
      cooldown: "1s",
      rateLimit: { limit: 1, per: "10s", by: ({ text }) => text },
    });
    expect((await commands.handle("/api 1")).status).toBe("ok");
    await clock.advance("5s");
    expect((await commands.handle("/api 1")).retryAfter).toBe(5_000);
    // The cooldown is open: the refused call has not closed it.
    expect((await commands.handle("/api 2")).status).toBe("ok");
  });

  test.each([
    { limit: 0, per: "1m" },
    { limit: 1.5, per: "1m" },
    { limit: 2, per: "1m", scope: "team" },
    { limit: 2, per: "1m", whenDown: "wait" },
  ])("that is none is refused: %j", (rateLimit) => {
    const options = { rateLimit } as unknown as CommandOptions;
    expect(() => setup(options)).toThrow(expect.objectContaining({ code: "RATE_LIMIT_INVALID" }));
  });
});

describe("local limits", () => {
  test("keep a sliding window", async () => {
    const clock = new VirtualClock();
    const limits = new LocalLimits(clock);
    const take = () => limits.take("k", 2, 1_000);
    expect(await take()).toEqual({ ok: true, retryAfter: 0 });
    await clock.advance(400);
    expect(await take()).toEqual({ ok: true, retryAfter: 0 });
    await clock.advance(400);
    expect(await take()).toEqual({ ok: false, retryAfter: 200 });
    await clock.advance(200);
    expect(await take()).toEqual({ ok: true, retryAfter: 0 });
    expect(await take()).toEqual({ ok: false, retryAfter: 400 });
  });

  test("forget keys whose uses are over", async () => {
    const clock = new VirtualClock();
    const limits = new LocalLimits(clock);
    for (let round = 0; round < 20; round++) {
      for (let user = 0; user < 1_000; user++) await limits.take(`${round}:${user}`, 1, 1_000);
      await clock.advance("1s");
    }
    expect(limits.size).toBeLessThanOrEqual(2_048);
  });
});

test("a user's name makes no key of another command's", async () => {
  const registry = new HandlerRegistry();
  const commands = new CommandDispatcher({ registry });
  for (const name of ["a", "a:b"]) {
    const options: CommandOptions = { cooldown: { per: "1h", scope: "user" } };
    const usage = `/${name.replace(":", "")}`;
    registry.add({ kind: "command", name, usage, options, fn: () => 1, site: "app.ts:1" });
  }
  expect((await commands.handle("/a", { user: "b:c" })).status).toBe("ok");
  expect((await commands.handle("/ab", { user: "c" })).status).toBe("ok");
});
