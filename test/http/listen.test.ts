import { once } from "node:events";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, test } from "vitest";
import { LifecycleError } from "../../src/errors.ts";
import type { HttpServer } from "../../src/http/create-http.ts";
import { problemOf, serve, SmallApp } from "./small-app.ts";

const open: HttpServer[] = [];
afterEach(() => Promise.all(open.splice(0).map((http) => http.close(0))));

/** A small app on a free port. */
async function listening(env: Record<string, string> = {}, app?: SmallApp, host = "127.0.0.1") {
  const served = serve(env, app);
  open.push(served.http);
  return { ...served, ...(await served.http.listen({ port: 0, host })) };
}

const json = { "content-type": "application/json" };

/** An app with a handler that ends when it is told to. */
function slowApp() {
  const began = Promise.withResolvers<void>();
  const end = Promise.withResolvers<string>();
  const app = new SmallApp({
    slow: () => {
      began.resolve();
      return end.promise;
    },
  });
  return { app, began: began.promise, end: () => end.resolve("done") };
}

test("answers over a real port", async () => {
  const { url, port, app } = await listening();
  expect(url).toBe(`http://127.0.0.1:${port}`);
  expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ status: "ok" });
  expect((await fetch(`${url}/health`, { method: "HEAD" })).status).toBe(200);
  const response = await fetch(`${url}/events/order.paid?key=k`, {
    method: "POST",
    body: '{"id":7}',
    headers: json,
  });
  expect([response.status, await response.json()]).toEqual([202, { id: "m-1" }]);
  expect(app.stored).toEqual([{ event: "order.paid", payload: { id: 7 }, options: { key: "k" } }]);
});

test("a chunked body is cut off at the limit, and the server goes on", async () => {
  const { port, url, app } = await listening({ BODY_LIMIT: "4kb" });
  const client = httpRequest({
    port,
    host: "127.0.0.1",
    path: "/events/order.paid",
    method: "POST",
    headers: json,
  });
  client.on("error", () => {}); // it is cut off while it sends
  const [response] = (await new Promise<[IncomingMessage]>((resolve) => {
    client.once("response", (message) => resolve([message]));
    const pump = (): void => {
      while (!client.destroyed && client.write("x".repeat(4_096)));
      if (!client.destroyed) client.once("drain", pump);
    };
    pump();
  })) satisfies [IncomingMessage];
  expect(response.statusCode).toBe(413);
  expect(response.headers.connection).toBe("close");
  client.destroy();
  expect(app.stored).toEqual([]);
  expect((await fetch(`${url}/live`)).status).toBe(200);
});

test("a port that is in use is named, with what to do", async () => {
  const { port } = await listening();
  const { http } = serve();
  const error: unknown = await http.listen({ port, host: "127.0.0.1" }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(LifecycleError);
  expect(error).toMatchObject({
    code: "PORT_IN_USE",
    message: expect.stringContaining(`Port ${port} of 127.0.0.1`),
  });
  expect(String(error)).toMatch(/PORT=\d+/);
  await http.close();
});

test("a host that is not this machine's is named", async () => {
  const { http } = serve();
  await expect(http.listen({ port: 0, host: "203.0.113.9" })).rejects.toMatchObject({
    code: "HOST_INVALID",
    message: expect.stringContaining("203.0.113.9"),
  });
});

test("a request that is not HTTP harms nothing", async () => {
  const { port, url } = await listening();
  const socket = connect(port, "127.0.0.1");
  socket.end("nonsense\r\n\r\n");
  let text = "";
  socket.on("data", (chunk) => (text += String(chunk)));
  await once(socket, "close");
  expect(text).toMatch(/^HTTP\/1\.1 400/);
  expect((await fetch(`${url}/live`)).status).toBe(200);
});

test("an invalid Host header is a problem reply", async () => {
  const { port } = await listening();
  const socket = connect(port, "127.0.0.1");
  socket.write("GET /live HTTP/1.1\r\nHost: a b/c@d\r\nConnection: close\r\n\r\n");
  let text = "";
  socket.on("data", (chunk) => (text += String(chunk)));
  await once(socket, "close");
  expect(text).toMatch(/^HTTP\/1\.1 400[^]*REQUEST_INVALID/);
});

test("a name that merely resolves to this machine is refused over the wire, too", async () => {
  const { port } = await listening();
  const client = httpRequest({
    port,
    host: "127.0.0.1",
    path: "/events/order.paid",
    method: "POST",
    headers: { ...json, host: "evil.example" },
  });
  client.end("{}");
  const [response] = (await once(client, "response")) as [IncomingMessage];
  response.resume();
  expect(response.statusCode).toBe(403);
});

describe("close", () => {
  test("is legal before listen, and twice", async () => {
    const { http } = serve();
    await http.close();
    const { url } = await http.listen({ port: 0, host: "127.0.0.1" });
    await http.close();
    await http.close();
    await expect(fetch(`${url}/live`)).rejects.toThrow("fetch failed");
  });

  test("lets a request under way end, takes no other, and does not wait for idle connections", async () => {
    const { app, began, end } = slowApp();
    const { http, url, port } = await listening({}, app);
    const agent = new Agent({ keepAlive: true });
    // A connection that idles, and would idle for a minute.
    const idle = httpRequest({ port, host: "127.0.0.1", path: "/live", agent });
    idle.end();
    const [first] = (await once(idle, "response")) as [IncomingMessage];
    first.resume();
    await once(first, "end");
    const waiting = fetch(`${url}/events/slow?wait=true`, { method: "POST", body: "{}", headers: json });
    await began;
    let closed = false;
    const closing = http.close(20_000).then(() => (closed = true));
    await expect(fetch(`${url}/live`)).rejects.toThrow("fetch failed");
    expect(closed).toBe(false);
    end();
    const response = await waiting;
    expect(await response.json()).toEqual({ results: ["done"] });
    expect(response.headers.get("connection")).toBe("close");
    await closing;
    agent.destroy();
  });

  test("cuts what does not end in time", async () => {
    const { app, began } = slowApp();
    const { http, url } = await listening({}, app);
    const waiting = fetch(`${url}/events/slow?wait=true`, { method: "POST", body: "{}", headers: json });
    const outcome = waiting.then(() => "answered", String);
    await began;
    await http.close(20);
    expect(await outcome).toContain("fetch failed");
  });

  test("the port is free afterwards", async () => {
    const { http, port } = await listening();
    await http.close();
    const again = serve().http;
    open.push(again);
    expect((await again.listen({ port, host: "127.0.0.1" })).port).toBe(port);
  });
});

test("a client that goes away aborts the handlers that it waits for", async () => {
  const aborted = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  const app = new SmallApp({
    slow: (_, { signal }) => {
      began.resolve();
      signal?.addEventListener("abort", () => aborted.resolve());
      return aborted.promise;
    },
  });
  const { url } = await listening({}, app);
  const gone = new AbortController();
  const waiting = fetch(`${url}/events/slow?wait=true`, {
    method: "POST",
    body: "{}",
    headers: json,
    signal: gone.signal,
  });
  const outcome = waiting.then(() => "answered", String);
  await began.promise;
  gone.abort();
  expect(await outcome).toContain("AbortError");
  await aborted.promise;
});

describe("from another address", () => {
  const address = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4")?.address;

  test("only health and metrics answer, and with a token everything does", async ({ skip }) => {
    if (address === undefined) return skip("this machine has no address but the loopback's");
    const free = await listening({}, undefined, "0.0.0.0");
    expect(free.url).toBe(`http://localhost:${free.port}`);
    const far = `http://${address}:${free.port}`;
    expect((await fetch(`${far}/health`)).status).toBe(200);
    expect((await fetch(`${far}/metrics`)).status).toBe(200);
    const refused = await fetch(`${far}/commands`, { method: "POST", body: '{"text":"/hi"}', headers: json });
    expect(await problemOf(refused)).toMatchObject({ status: 401, code: "TOKEN_REQUIRED" });
    expect(free.app.callers).toEqual([]);
    const guarded = await listening({ API_TOKENS: "0123456789abcdef:publish" }, undefined, "0.0.0.0");
    const accepted = await fetch(`http://${address}:${guarded.port}/commands`, {
      method: "POST",
      body: '{"text":"/hi"}',
      headers: { ...json, authorization: "Bearer 0123456789abcdef" },
    });
    expect(await accepted.json()).toEqual({ status: "ok", text: "hello" });
  });
});
