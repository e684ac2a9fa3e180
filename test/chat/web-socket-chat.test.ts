import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { type App, createApp } from "../../src/app.ts";
import type { AppOptions } from "../../src/app-options.ts";
import { type WebSocketChat, webSocketChat, type WebSocketChatOptions } from "../../src/chat/index.ts";
import { createRegistry } from "../../src/declare/create-registry.ts";
import { temporaryFolder } from "../cli/program-runs.ts";
import { ChatClient } from "./chat-client.ts";

type Registry = ReturnType<typeof createRegistry>;

/** Anybody is let in whose token is `TOKEN:ROLE`, into the channel that he asks for. */
const authenticate: WebSocketChatOptions["authenticate"] = ({ token, channel }) => {
  const [user, ...roles] = token?.split(":") ?? [];
  if (user === "broken") throw new Error("the directory is down");
  return user === undefined || user === "stranger" ? undefined : { user, roles, channel };
};

async function serve(
  declare: (registry: Registry) => void,
  options: Partial<WebSocketChatOptions> = {},
  appOptions: AppOptions = {},
): Promise<{ app: App; chat: WebSocketChat; url: string }> {
  const registry = createRegistry();
  declare(registry);
  const chat = webSocketChat({ authenticate, port: 0, ...options });
  const app = createApp({
    engine: "memory:",
    log: "silent",
    registry,
    adapters: [chat],
    ...appOptions,
  });
  await app.start();
  onTestFinished(() => app.stop());
  return { app, chat, url: chat.url ?? "" };
}

const echo = (registry: Registry): void => {
  registry.commandOn("echo", "/echo").execute(({ args }, ctx) => `${ctx.headers["user"]}: ${args.join(" ")}`);
  registry.commandOn("ban", "/ban <name>", { roles: ["moderator"] }).execute(({ name }) => `banned ${name}`);
};

test("a client says hello, and its commands are acknowledged and answered", async () => {
  const { url } = await serve(echo);
  const client = await ChatClient.enter(url, { token: "ann:moderator", channel: "ops", locale: "zh" });
  expect(client.frames).toEqual([{ type: "welcome", user: "ann", channel: "ops", roles: ["moderator"] }]);
  expect(await client.ask("/echo hello")).toEqual({
    type: "reply",
    id: "m0",
    status: "ok",
    text: "ann: hello",
    data: "ann: hello",
    command: "echo",
  });
  expect(client.frames[1]).toEqual({ type: "ack", id: "m0" });
  expect(await client.ask("/ban bob")).toMatchObject({ status: "ok", text: "banned bob" });
  expect(await client.ask("/nothing")).toMatchObject({
    status: "unknown",
    text: expect.stringContaining("没有命令"),
  });
  expect(await client.ask("good morning")).toMatchObject({ status: "not_a_command", text: "" });
});

test("roles come from authenticate alone, whatever a client says", async () => {
  const { url } = await serve(echo);
  const client = await ChatClient.enter(url, { token: "bob" });
  expect(await client.ask("/ban ann")).toMatchObject({ status: "denied" });
  client.send({ type: "message", id: "r", text: "/ban ann", roles: "moderator" });
  expect(await client.frame(({ type }) => type === "error")).toMatchObject({ code: "FRAME_INVALID" });
  const other = await new ChatClient(url).open();
  other.send({ type: "hello", token: "bob", roles: "moderator" });
  expect(await other.frame(({ type }) => type === "error")).toMatchObject({ code: "FRAME_INVALID" });
});

test.each([
  ["no token", {}, "HELLO_REFUSED", 4401],
  ["a wrong one", { token: "stranger" }, "HELLO_REFUSED", 4401],
  ["one that cannot be checked", { token: "broken" }, "INTERNAL", 1011],
])("%s opens nothing", async (_, hello, code, close) => {
  const { url } = await serve(echo);
  const client = await new ChatClient(url).open();
  const closed = client.closed();
  client.send({ type: "hello", ...hello });
  client.send({ type: "message", id: "1", text: "/echo let me in" });
  expect((await closed).code).toBe(close);
  expect(client.frames.map((frame) => frame["code"] ?? frame.type)).toContain(code);
  expect(client.frames.some(({ type }) => type === "reply" || type === "ack")).toBe(false);
  expect(JSON.stringify(client.frames)).not.toContain("directory");
});

test.each([
  ["what is no JSON", "{hello"],
  ["a list", "[]"],
  ["nothing", "null"],
  ["an unknown type", { type: "shout" }],
  ["a type that objects have", { type: "constructor" }],
  ["a message without an id", { type: "message", text: "/echo" }],
  ["an id without end", { type: "message", id: "x".repeat(129), text: "/echo" }],
  ["text that is none", { type: "message", id: "1", text: 5 }],
  ["an unknown field", { type: "message", id: "1", text: "/echo", colour: "red" }],
])("%s gets an error frame, and the connection stays", async (_, frame) => {
  const { url } = await serve(echo);
  const client = await ChatClient.enter(url, { token: "ann" });
  client.send(frame);
  expect(await client.frame(({ type }) => type === "error")).toMatchObject({
    code: "FRAME_INVALID",
    message: expect.stringContaining("not acceptable"),
  });
  expect(await client.ask("/echo still here")).toMatchObject({ text: "ann: still here" });
});

test("who sends nothing but rubbish, too much or bytes is cut off, and the others notice nothing", async () => {
  const { url, chat } = await serve(echo, { maxFrame: 1_000 });
  const [good, rubbish, big, bytes] = await Promise.all(
    ["good", "rubbish", "big", "bytes"].map((token) => ChatClient.enter(url, { token })),
  );
  const ends = Promise.all([rubbish?.closed(), big?.closed()]);
  for (let at = 0; at < 20; at++) rubbish?.send("?");
  big?.send({ type: "message", id: "1", text: "x".repeat(2_000) });
  bytes?.socket.send(Buffer.from("{}"));
  expect((await ends).map((end) => end?.code)).toEqual([1008, 1009]);
  expect(await bytes?.frame(({ type }) => type === "error")).toMatchObject({ code: "FRAME_INVALID" });
  expect(await good?.ask("/echo fine")).toMatchObject({ text: "good: fine" });
  await vi.waitFor(() => expect(chat.size).toBe(2), { timeout: 10_000 });
});

test("bytes that are no WebSocket, and a reset in the middle, do no harm", async () => {
  const { url, chat } = await serve(echo);
  const { port } = new URL(url);
  const raw = connect(Number(port), "127.0.0.1");
  await once(raw, "connect");
  raw.write(
    "GET /chat HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n" +
      "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await once(raw, "data");
  raw.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
  raw.resetAndDestroy();
  const client = await ChatClient.enter(url, { token: "ann" });
  expect(await client.ask("/echo alive")).toMatchObject({ text: "ann: alive" });
  await vi.waitFor(() => expect(chat.size).toBe(1), { timeout: 10_000 });
});

test("the answers of one client come in order; another does not wait for them", async () => {
  const gate = Promise.withResolvers<void>();
  const { url } = await serve((registry) => {
    registry.commandOn("slow", "/slow").execute(() => gate.promise.then(() => "slow"));
    registry.commandOn("quick", "/quick").execute(() => "quick");
  });
  const [ann, bob] = await Promise.all([
    ChatClient.enter(url, { token: "ann" }),
    ChatClient.enter(url, { token: "bob" }),
  ]);
  const asked = Promise.all([ann.ask("/slow"), ann.ask("/quick"), ann.ask("/quick")]);
  expect(await bob.ask("/quick")).toMatchObject({ text: "quick" });
  expect(ann.frames.filter(({ type }) => type === "reply")).toEqual([]);
  gate.resolve();
  await asked;
  expect(ann.frames.filter(({ type }) => type === "reply").map((frame) => frame["text"])).toEqual([
    "slow",
    "quick",
    "quick",
  ]);
});

test("a message that is sent again runs once; after a lost connection its reply is given again", async () => {
  let runs = 0;
  const gate = Promise.withResolvers<void>();
  const { url } = await serve((registry) => {
    registry.commandOn("charge", "/charge").execute(() => gate.promise.then(() => `charged ${++runs}`));
  });
  const first = await ChatClient.enter(url, { token: "ann" });
  first.send({ type: "message", id: "a", text: "/charge" });
  await first.frame(({ type }) => type === "ack");
  first.socket.terminate();
  const second = await ChatClient.enter(url, { token: "ann" });
  const again = Promise.all([second.ask("/charge", "a"), second.ask("/charge", "a")]);
  gate.resolve();
  await again;
  expect(second.frames.filter(({ type }) => type === "reply").map((frame) => frame["text"])).toEqual([
    "charged 1",
    "charged 1",
  ]);
  const stranger = await ChatClient.enter(url, { token: "bob" });
  expect(await stranger.ask("/charge", "a")).toMatchObject({ text: "charged 2" });
  expect(runs).toBe(2);
});

test("no more is read from a client than can be answered", async () => {
  const gate = Promise.withResolvers<void>();
  let started = 0;
  const { url } = await serve((registry) => {
    registry.commandOn("wait", "/wait").execute(() => {
      started++;
      return gate.promise;
    });
  });
  const client = await ChatClient.enter(url, { token: "ann" });
  const text = `/wait ${"x".repeat(8_000)}`;
  // More than sockets hold on the way.
  const count = 2_000;
  for (let at = 0; at < count; at++) client.send({ type: "message", id: `${at}`, text });
  await client.frame(({ type }) => type === "ack");
  await vi.waitFor(() => expect(client.socket.bufferedAmount).toBeGreaterThan(1_000_000), {
    timeout: 10_000,
  });
  expect(client.frames.length).toBeLessThan(100);
  expect(started).toBe(1);
  gate.resolve();
  await client.frame((frame) => frame.type === "reply" && frame["id"] === `${count - 1}`);
  expect(started).toBe(count);
});

test("a client that does not read is cut off", async () => {
  const { url, chat } = await serve((registry) => {
    registry.commandOn("much", "/much").execute(() => "x".repeat(500_000));
  });
  const client = await ChatClient.enter(url, { token: "ann" });
  client.socket.pause();
  for (let at = 0; at < 40; at++) client.send({ type: "message", id: `${at}`, text: "/much" });
  await vi.waitFor(() => expect(chat.size).toBe(0), { timeout: 10_000 });
});

test("a client that gives no sign of life is cut off, others stay", async () => {
  const { url, chat } = await serve(echo, { heartbeat: "50ms" });
  const live = await ChatClient.enter(url, { token: "ann" });
  const dead = await new ChatClient(url, { autoPong: false }).open();
  const closed = dead.closed();
  dead.send({ type: "hello", token: "bob" });
  expect((await closed).code).toBe(1006);
  expect(await live.ask("/echo here")).toMatchObject({ text: "ann: here" });
  expect(chat.size).toBe(1);
});

test("a stop lets what runs be answered, takes no more, and says goodbye", async () => {
  const gate = Promise.withResolvers<void>();
  const { url, app } = await serve((registry) => {
    registry.commandOn("slow", "/slow").execute(() => gate.promise.then(() => "done after all"));
  });
  const client = await ChatClient.enter(url, { token: "ann" });
  const asked = client.ask("/slow", "a");
  await client.frame(({ type }) => type === "ack");
  const closed = client.closed();
  const stopped = app.stop();
  client.send({ type: "message", id: "late", text: "/slow" });
  gate.resolve();
  expect(await asked).toMatchObject({ status: "ok", text: "done after all" });
  expect((await closed).code).toBe(1001);
  await stopped;
  expect(client.frames.some((frame) => frame["id"] === "late")).toBe(false);
  const late = new ChatClient(url);
  await expect(once(late.socket, "open")).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test("what will not end is called off at the shutdown timeout, and its caller is told; what heeds nothing is left behind", async () => {
  const { url, app } = await serve(
    (registry) => {
      registry
        .commandOn("long", "/long")
        .execute((_, { signal }) => once(signal, "abort").then(() => signal.throwIfAborted()));
      registry.commandOn("deaf", "/deaf").execute(() => new Promise(() => {}));
    },
    {},
    { shutdownTimeout: "100ms" },
  );
  const ann = await ChatClient.enter(url, { token: "ann" });
  const bob = await ChatClient.enter(url, { token: "bob" });
  const asked = ann.ask("/long", "a");
  bob.send({ type: "message", id: "b", text: "/deaf" });
  await Promise.all([ann, bob].map((client) => client.frame(({ type }) => type === "ack")));
  await app.stop();
  expect(await asked).toMatchObject({ status: "failed", text: "/long was called off." });
  expect(bob.frames.some(({ type }) => type === "reply")).toBe(false);
});

test("on the app's own port, beside HTTP", async () => {
  const chat = webSocketChat({ authenticate });
  const registry = createRegistry();
  echo(registry);
  const shared = createApp({
    engine: "memory:",
    log: "silent",
    registry,
    http: { port: 0 },
    adapters: [chat],
  });
  await shared.start();
  onTestFinished(() => shared.stop());
  expect(chat.url).toBe(`${shared.url?.replace("http", "ws")}/chat`);
  const client = await ChatClient.enter(chat.url ?? "", { token: "ann" });
  expect(await client.ask("/echo both")).toMatchObject({ text: "ann: both" });
  expect((await fetch(`${shared.url}/ready`)).status).toBe(200);
  const lost = new ChatClient(`${shared.url?.replace("http", "ws")}/elsewhere`);
  const [, response] = (await once(lost.socket, "unexpected-response")) as [unknown, { statusCode: number }];
  expect(response.statusCode).toBe(404);
});

test("on a server of one's own, for pages of known origins, up to a number of clients", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  await serve(echo, {
    server,
    port: undefined,
    path: "/ws",
    origins: ["https://chat.example.com"],
    maxConnections: 1,
  } as never);
  const { port } = server.address() as { port: number };
  const url = `ws://127.0.0.1:${port}/ws`;
  const statusOf = async (origin?: string): Promise<number> => {
    const client = new ChatClient(url, { ...(origin !== undefined && { origin }) });
    const [, response] = (await once(client.socket, "unexpected-response")) as [
      unknown,
      { statusCode: number },
    ];
    return response.statusCode;
  };
  expect(await statusOf("https://evil.example.com")).toBe(403);
  await new ChatClient(url, { origin: "https://chat.example.com" }).open();
  expect(await statusOf()).toBe(503);
});

test("an app can say something on its own, to a channel or to all", async () => {
  const { url, chat } = await serve(echo);
  const ops = await ChatClient.enter(url, { token: "ann", channel: "ops" });
  const dev = await ChatClient.enter(url, { token: "bob", channel: "dev" });
  chat.say("disk full", "ops");
  chat.say("lunch");
  await dev.frame(({ type }) => type === "notice");
  await ops.frame((frame) => frame["text"] === "lunch");
  expect(ops.frames.slice(1)).toEqual([
    { type: "notice", text: "disk full" },
    { type: "notice", text: "lunch" },
  ]);
  expect(dev.frames.slice(1)).toEqual([{ type: "notice", text: "lunch" }]);
});

test("a reply whose data JSON cannot hold is given without it", async () => {
  const { url } = await serve((registry) => {
    registry.commandOn("big", "/big").execute(() => ({ big: 5n }));
  });
  const client = await ChatClient.enter(url, { token: "ann" });
  expect(await client.ask("/big")).toEqual({
    type: "reply",
    id: "m0",
    status: "ok",
    text: '{"big":"5"}',
    command: "big",
  });
});

test("a port that is taken, and no port at all, fail the start with what to do", async () => {
  const { url } = await serve(echo);
  const port = Number(new URL(url).port);
  const start = async (options: Partial<WebSocketChatOptions>): Promise<void> => {
    const chat = webSocketChat({ authenticate, ...options });
    await createApp({
      engine: "memory:",
      log: "silent",
      registry: createRegistry(),
      adapters: [chat],
    }).start();
  };
  await expect(start({ port })).rejects.toMatchObject({ code: "PORT_IN_USE" });
  await expect(start({})).rejects.toMatchObject({ code: "CHAT_SERVER_MISSING" });
});

test.each([
  [{ authenticate: "ann" }, "OPTION_INVALID"],
  [{ path: "chat" }, "OPTION_INVALID"],
  [{ port: 1, server: createServer() }, "OPTION_INVALID"],
  [{ heartbeat: "often" }, "DURATION_INVALID"],
])("options that cannot be are refused: %#", (options, code) => {
  expect(() => webSocketChat({ authenticate, ...(options as object) })).toThrow(
    expect.objectContaining({ code }),
  );
});

test("a message that has come to another replica is not run again, and its sender is told", async () => {
  const engine = `sqlite:${await temporaryFolder()}/app.db`;
  let runs = 0;
  const declare = (registry: Registry): void =>
    void registry.commandOn("charge", "/charge").execute(() => `charged ${++runs}`);
  const [one, two] = [await serve(declare, {}, { engine }), await serve(declare, {}, { engine })];
  const first = await ChatClient.enter(one.url, { token: "ann" });
  expect(await first.ask("/charge", "a")).toMatchObject({ type: "reply", text: "charged 1" });
  const second = await ChatClient.enter(two.url, { token: "ann" });
  expect(await second.ask("/charge", "a")).toEqual({ type: "duplicate", id: "a" });
  expect(await second.ask("/charge", "b")).toMatchObject({ type: "reply", text: "charged 2" });
});

test("a hello that is not checked in time is not waited for either, and opens nothing later", async () => {
  const checked = Promise.withResolvers<{ user: string }>();
  const { url } = await serve(echo, { helloWithin: "50ms", authenticate: () => checked.promise });
  const client = await new ChatClient(url).open();
  client.send({ type: "hello", token: "ann" });
  const closed = client.closed();
  await client.frame(({ type }) => type === "error");
  checked.resolve({ user: "ann" });
  client.send({ type: "message", id: "1", text: "/echo in" });
  expect((await closed).code).toBe(4408);
  expect(client.frames).toMatchObject([{ code: "HELLO_TIMEOUT" }]);
});

test("who does not say hello in time is not waited for", async () => {
  const { url } = await serve(echo, { helloWithin: "50ms" });
  const client = await new ChatClient(url).open();
  expect((await client.closed()).code).toBe(4408);
  expect(client.frames).toMatchObject([{ type: "error", code: "HELLO_TIMEOUT" }]);
});
