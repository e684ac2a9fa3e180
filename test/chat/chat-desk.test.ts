import { expect, onTestFinished, test } from "vitest";
import { type App, createApp } from "../../src/app.ts";
import type { ChatAdapter, Receive } from "../../src/chat/adapter.ts";
import { createRegistry } from "../../src/declare/create-registry.ts";
import type { Logger } from "../../src/log.ts";
import { silentLogger } from "../../src/log.ts";
import { temporaryFolder } from "../cli/program-runs.ts";

/** An adapter whose messages the test hands over itself. */
class HandedOver implements ChatAdapter {
  readonly name: string;
  readonly patterns: boolean;
  readonly events: string[] = [];
  receive: Receive = () => Promise.reject(new Error("not started"));

  constructor(name = "handed", patterns = false) {
    this.name = name;
    this.patterns = patterns;
  }

  start(receive: Receive): void {
    this.receive = receive;
    this.events.push("started");
  }

  stop(): void {
    this.events.push("stopped");
  }
}

async function start(
  adapters: readonly ChatAdapter[],
  declare: (registry: ReturnType<typeof createRegistry>) => void,
  { engine = "memory:", log = "silent" as "silent" | Logger, env = {} } = {},
): Promise<App> {
  const registry = createRegistry();
  declare(registry);
  const app = createApp({ engine, log, registry, adapters, env });
  onTestFinished(() => app.stop());
  await app.start();
  return app;
}

test("a message that comes again is answered once, on whichever replica; other people's ids are other ids", async () => {
  const engine = `sqlite:${await temporaryFolder()}/app.db`;
  let runs = 0;
  const declare = (registry: ReturnType<typeof createRegistry>): void =>
    void registry.commandOn("count", "/count").execute(() => ++runs);
  const [one, two] = [new HandedOver(), new HandedOver()];
  await start([one], declare, { engine });
  await start([two], declare, { engine });
  const message = { id: "envelope-1", text: "/count", user: "ann", channel: "ops" };
  const answers = await Promise.all([one, one, two, two].map((adapter) => adapter.receive(message)));
  expect(answers.filter((answer) => answer !== undefined).map(({ text }) => text)).toEqual(["1"]);
  expect(await two.receive({ ...message, user: "bob" })).toMatchObject({ text: "2" });
  expect(await one.receive({ ...message, id: "envelope-2" })).toMatchObject({ text: "3" });
  expect(await one.receive({ ...message, id: undefined })).toMatchObject({ text: "4" });
});

test("one user's messages in one channel are answered in order, others at the same time", async () => {
  const adapter = new HandedOver();
  const gate = Promise.withResolvers<void>();
  const said: string[] = [];
  await start([adapter], (registry) => {
    registry.commandOn("wait", "/wait").execute(() => gate.promise);
    registry.commandOn("go", "/go").execute(() => "");
  });
  const say = (text: string, user: string, channel?: string): Promise<unknown> =>
    adapter.receive({ text, user, channel }).then(() => said.push(`${user} ${text}`));
  const all = [say("/wait", "ann"), say("/go", "ann"), say("/go", "bob"), say("/go", "ann", "other")];
  await Promise.all(all.slice(2));
  expect(said).toEqual(["bob /go", "ann /go"]);
  gate.resolve();
  await Promise.all(all);
  expect(said.slice(2)).toEqual(["ann /wait", "ann /go"]);
});

test("texts that are no commands go on to the patterns where the adapter says so", async () => {
  const [quiet, curious] = [new HandedOver("quiet"), new HandedOver("curious", true)];
  await start([quiet, curious], (registry) => {
    registry.reOn("ticket", "content", /#(?<id>\d+)/).execute(({ groups }) => `see ticket ${groups["id"]}`);
    registry.reOn("greeting", "content", /hello/).execute(({ message }) => `hello ${message["user"]}`);
    registry.commandOn("hi", "/hi").execute(() => "hi");
  });
  const text = "hello, look at #12";
  expect(await quiet.receive({ text, user: "ann" })).toMatchObject({ status: "not_a_command", text: "" });
  expect(await curious.receive({ text, user: "ann" })).toMatchObject({
    status: "ok",
    text: "see ticket 12\nhello ann",
    data: [
      { handler: "ticket", status: "ok" },
      { handler: "greeting", status: "ok" },
    ],
  });
  expect(await curious.receive({ text: "nothing of note" })).toMatchObject({
    status: "not_a_command",
    text: "",
  });
  expect(await curious.receive({ text: "/hi" })).toMatchObject({ text: "hi" });
});

test("an engine that cannot be asked keeps nobody from being answered, once on this replica", async () => {
  const adapter = new HandedOver();
  const warned: string[] = [];
  const log: Logger = {
    ...silentLogger,
    warn: (_, message = "") => void warned.push(message),
    child: () => log,
  };
  const app = await start([adapter], (registry) => void registry.commandOn("hi", "/hi").execute(() => "hi"), {
    log,
  });
  app.engine.limits.take = () => Promise.reject(new Error("down"));
  expect(await adapter.receive({ id: "1", text: "/hi" })).toMatchObject({ text: "hi" });
  expect(await adapter.receive({ id: "1", text: "/hi" })).toBeUndefined();
  expect(new Set(warned)).toEqual(new Set(["the engine could not say whether a message has come before"]));
});

test("no more are worked on at a time than there are places", async () => {
  const adapter = new HandedOver();
  const gate = Promise.withResolvers<void>();
  let running = 0;
  let most = 0;
  await start([adapter], (registry) => {
    registry.commandOn("wait", "/wait").execute(async () => {
      most = Math.max(most, ++running);
      await gate.promise;
      running--;
    });
  });
  const all = Array.from({ length: 300 }, (_, at) => adapter.receive({ text: "/wait", user: `${at}` }));
  gate.resolve();
  await Promise.all(all);
  expect(most).toBe(256);
});

test("adapters stop with the app; one that fails to start ends those before it; twins are refused", async () => {
  const adapter = new HandedOver();
  const app = await start([adapter], () => {});
  await app.stop();
  expect(adapter.events).toEqual(["started", "stopped"]);

  const before = new HandedOver("before");
  const broken: ChatAdapter = {
    name: "broken",
    start: () => Promise.reject(new Error("no such platform")),
    stop: () => Promise.reject(new Error("never started")),
  };
  await expect(start([before, broken], () => {})).rejects.toThrow("no such platform");
  expect(before.events).toEqual(["started", "stopped"]);
  await expect(start([new HandedOver(), new HandedOver()], () => {})).rejects.toMatchObject({
    code: "ADAPTER_DUPLICATE",
  });
});

test("an app that is only looked at opens no chats", async () => {
  const adapter = new HandedOver();
  const app = createApp({
    engine: "memory:",
    log: "silent",
    registry: createRegistry(),
    adapters: [adapter],
  });
  onTestFinished(() => app.stop());
  await app.start({ consume: false });
  expect(adapter.events).toEqual([]);
});

test("who has not said which language he reads is answered in that of LOCALE", async () => {
  const adapter = new HandedOver();
  await start([adapter], () => {}, { env: { LOCALE: "zh" } });
  expect(await adapter.receive({ text: "/nothing" })).toMatchObject({
    text: expect.stringContaining("没有命令"),
  });
  expect(await adapter.receive({ text: "/nothing", locale: "en" })).toMatchObject({
    text: expect.stringContaining("There is no command"),
  });
});
