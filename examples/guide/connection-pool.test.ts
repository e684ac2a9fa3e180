import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { httpPool } from "decorator-framework";
import { createTestApp } from "decorator-framework/testing";
import { expect, onTestFinished, test } from "vitest";
import { pool } from "./connection-pool.ts";

/** A server that counts who is connected to it. */
async function serve() {
  const connected = { now: 0, most: 0, ever: 0 };
  const allLeft = Promise.withResolvers<void>();
  const server = createServer((request, response) => response.end(`你好 ${request.url}`));
  server.on("connection", (socket) => {
    connected.ever++;
    connected.most = Math.max(connected.most, ++connected.now);
    socket.on("close", () => {
      if (--connected.now === 0) allLeft.resolve();
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo; // it listens on a port, not on a pipe
  return { url: `http://127.0.0.1:${port}`, connected, allLeft: allLeft.promise };
}

test("requests share connections: fifty over at most two, each with its own answer", async () => {
  const { url, connected } = await serve();
  await using t = await createTestApp({ services: { http: httpPool({ connections: 2 }) } });
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) => t.trigger("http_request", { url: `${url}/${n}` })),
  );
  expect(answers).toEqual(Array.from({ length: 50 }, (_, n) => [`你好 /${n}`]));
  expect(connected.most).toBe(2);
  expect(connected.ever).toBe(2);
});

test("when the app stops, its connections are closed", async () => {
  const { url, connected, allLeft } = await serve();
  const t = await createTestApp({ services: { http: pool } });
  await t.trigger("http_request", { url });
  expect(connected.now).toBe(1);
  await t.stop();
  await allLeft;
  expect(connected.now).toBe(0);
});

test("a server that is not there is an error of the handler, not of the app", async () => {
  await using t = await createTestApp({ services: { http: pool } });
  await expect(t.trigger("http_request", { url: "http://127.0.0.1:1/" })).rejects.toMatchObject({
    code: "HANDLERS_FAILED",
  });
});
