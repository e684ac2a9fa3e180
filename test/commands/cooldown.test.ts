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

  test("whose engine cannot be asked refuses", async () => {
    const down = () => Promise.reject(new Error("down"));
    const { commands, runs } = setup({ cooldown: "1m" }, "/api", { take: down, giveBack: down, hit: down });
    expect((await commands.handle("/api")).status).toBe("failed");
    expect(runs()).toBe(0);
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
