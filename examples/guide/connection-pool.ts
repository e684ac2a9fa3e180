/*
 * The guide, 性能优化 1: 连接池管理, `ConnectionPool` and `make_http_request`.
 *
 *   node examples/guide/connection-pool.ts [URL]
 *
 * The pool is a service: made before the first handler runs, and closed by the app when the last one has ended. The guide's
 * pool is never closed.
 */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createApp, httpPool, on } from "decorator-framework";
import type { HttpPool } from "decorator-framework";

// This types `ctx.services.http` everywhere.
declare module "decorator-framework" {
  interface Services {
    http: HttpPool;
  }
}

/** 使用连接池的HTTP请求 */
on("http_request", { timeout: "10s" }).execute(async function makeHttpRequest(
  requestData: { url: string },
  ctx,
) {
  const response = await ctx.services.http.fetch(requestData.url, { signal: ctx.signal });
  return response.text();
});

/** The guide's limit of 100 connections. */
export const pool = httpPool({ connections: 100 });

if (import.meta.main) {
  await using app = createApp({ engine: "memory:", log: "warn", services: { http: pool } });
  await app.start();
  const server = createServer((_, response) => response.end("你好"));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo; // it listens on a port, not on a pipe
  const url = process.argv[2] ?? `http://127.0.0.1:${port}/`;
  console.log(await app.trigger("http_request", { url }));
  await app.stop();
  server.close();
}
