import { describe, expect, test } from "vitest";
import { CommandDispatcher } from "../../src/commands/command-dispatcher.ts";
import type { Reply } from "../../src/commands/reply.ts";
import { createCommandOn } from "../../src/declare/command-on.ts";
import { memoryEngine } from "../../src/engines/memory/engine.ts";
import { MemoryStore } from "../../src/engines/memory/store.ts";
import { silentLogger } from "../../src/log.ts";
import { bareEnvironment } from "../../src/pipeline/environment.ts";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import { HandlerRegistry } from "../../src/registry.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

/** Two replicas on one engine. */
async function cluster() {
  const clock = new VirtualClock();
  const store = new MemoryStore();
  const ran: string[] = [];
  const replica = async (id: string) => {
    const engine = memoryEngine({ store });
    await engine.start({
      clock,
      lease: 30_000,
      instance: { id, host: "h", pid: 1, version: "1", startedAt: 0 },
    });
    const registry = new HandlerRegistry();
    const commandOn = createCommandOn(registry);
    commandOn("drop", "/drop <table> [--all]", {
      confirm: { within: "20s", when: ({ all }: { all: boolean }) => all },
      roles: ["op"],
    }).execute(({ table, all }) => {
      ran.push(`${table} ${all}`);
      return "dropped";
    });
    const environment = {
      ...bareEnvironment(),
      clock,
      log: silentLogger,
      limits: engine.limits,
      state: engine.state,
    };
    return { engine, commands: new CommandDispatcher({ registry, pipeline: new Pipeline(environment) }) };
  };
  return { clock, store, ran, one: await replica("one"), other: await replica("other") };
}

const ANN = { user: "ann", channel: "ops", roles: ["op"] };
const tokenOf = ({ data }: Reply): string => (data as { token: string }).token;

describe("a command that has to be confirmed", () => {
  test("runs once, on whichever replica the token is repeated, though it is repeated many times at once", async () => {
    const { one, other, ran } = await cluster();
    const asked = await one.commands.handle("/drop users --all", ANN);
    expect(asked).toMatchObject({ status: "confirmation_needed", command: "drop", data: { within: 20_000 } });
    expect(ran).toEqual([]);
    const confirm = `/confirm ${tokenOf(asked).toLowerCase()}`;
    const replies = await Promise.all(
      Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? one : other).commands.handle(confirm, ANN)),
    );
    expect(replies.filter(({ status }) => status === "ok")).toHaveLength(1);
    expect(replies.filter(({ status }) => status === "invalid")).toHaveLength(9);
    expect(ran).toEqual(["users true"]);
  });

  test("asks only where `when` says so", async () => {
    const { one, ran } = await cluster();
    expect((await one.commands.handle("/drop users", ANN)).status).toBe("ok");
    expect(ran).toEqual(["users false"]);
  });

  test("is forgotten when its time is over", async () => {
    const { one, clock, ran } = await cluster();
    const token = tokenOf(await one.commands.handle("/drop users --all", ANN));
    await clock.advance("20s");
    expect((await one.commands.handle(`/confirm ${token}`, ANN)).status).toBe("invalid");
    expect(ran).toEqual([]);
  });

  test("leaves nothing behind when nobody confirms it", async () => {
    const { one, store, clock } = await cluster();
    for (let user = 0; user < 20; user++)
      await one.commands.handle("/drop users --all", { ...ANN, user: `user ${user}` });
    expect(store.facts.size).toBe(20);
    await clock.advance("20s");
    expect(store.facts.size).toBe(0);
  });

  test("is no longer than what may be stored for it", async () => {
    const { one, store } = await cluster();
    const { status, text } = await one.commands.handle(`/drop "${"x".repeat(20_000)}" --all`, ANN);
    expect([status, text]).toEqual(["invalid", expect.stringContaining("16384 characters")]);
    expect(store.facts.size).toBe(0);
  });

  test("takes nobody else's word, nor that of one who has lost the role", async () => {
    const { one, ran } = await cluster();
    const token = tokenOf(await one.commands.handle("/drop users --all", ANN));
    for (const other of [
      { ...ANN, user: "bob" },
      { ...ANN, channel: "dev" },
    ]) {
      expect((await one.commands.handle(`/confirm ${token}`, other)).status).toBe("invalid");
    }
    expect((await one.commands.handle(`/confirm ${token}`, { ...ANN, roles: [] })).status).toBe("denied");
    expect(ran).toEqual([]);
  });

  test("has one thing to confirm at a time: the last", async () => {
    const { one, store, ran } = await cluster();
    const first = tokenOf(await one.commands.handle("/drop a --all", ANN));
    const second = tokenOf(await one.commands.handle("/drop b --all", ANN));
    expect((await one.commands.handle(`/confirm ${first}`, ANN)).status).toBe("invalid");
    expect((await one.commands.handle(`/confirm ${second}`, ANN)).status).toBe("ok");
    expect(ran).toEqual(["b true"]);
    expect(store.facts.size).toBe(0);
  });

  test("fails, and does not run, while the store is down", async () => {
    const { one, ran } = await cluster();
    await one.engine.stop();
    expect((await one.commands.handle("/drop a --all", ANN)).status).toBe("failed");
    expect((await one.commands.handle("/confirm AAAA", ANN)).status).toBe("failed");
    expect(ran).toEqual([]);
  });
});

test("its /confirm is no word for another command, whichever is declared first", () => {
  for (const first of ["/confirm", "/drop"]) {
    const registry = new HandlerRegistry();
    const commandOn = createCommandOn(registry);
    const declare = (usage: string): unknown =>
      commandOn(usage.slice(1), usage, { confirm: usage === "/drop" }).execute(() => {});
    const commands = new CommandDispatcher({ registry });
    declare(first);
    expect(() => declare(first === "/drop" ? "/confirm" : "/drop")).toThrow(
      expect.objectContaining({ code: "COMMAND_DUPLICATE" }),
    );
    expect(commands.list()).toHaveLength(1);
  }
});

test("without such a command, /confirm is a word like any other", async () => {
  const commands = new CommandDispatcher({ registry: new HandlerRegistry() });
  expect((await commands.handle("/confirm AAAA")).status).toBe("unknown");
});
