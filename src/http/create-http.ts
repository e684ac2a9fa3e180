import { Hono } from "hono";
import { authorize, type Peer } from "./access.ts";
import { type Listening, listen, type ListenOptions } from "./listen.ts";
import { isOurs, problemResponse } from "./problem.ts";
import type { HttpConfig, Route } from "./route.ts";
import { methodNotAllowed, notFound, ROUTES } from "./routes.ts";
import type { ServedApp } from "./served-app.ts";

/** The HTTP side of an app. */
export interface HttpServer {
  /**
   * Answers a request without a port.
   * @param peer From where it comes; this process itself unless told.
   */
  fetch(request: Request, peer?: Peer): Promise<Response>;
  /**
   * Opens a port.
   * @throws {LifecycleError} `PORT_IN_USE`, `PORT_FORBIDDEN` or `HOST_INVALID`, saying what to do.
   */
  listen(options: ListenOptions): Promise<Omit<Listening, "close">>;
  /**
   * Takes no more requests, lets those under way end, and closes the port. Legal before `listen`, and twice.
   * @param timeout Milliseconds after which the connections that are left are cut. @default 30000
   */
  close(timeout?: number, delay?: number): Promise<void>;
}

const HERE: Peer = { address: "127.0.0.1" };
const CLOSE_MS = 30_000;

/**
 * Serves an app over HTTP.
 *
 * @example
 * const http = createHttp(app, readConfig());
 * const { url } = await http.listen({ port: 8080, host: "127.0.0.1" });
 */
export function createHttp(app: ServedApp, config: HttpConfig): HttpServer {
  const hono = build(app, config);
  const answer = async (request: Request, peer: Peer = HERE): Promise<Response> => {
    try {
      return await hono.fetch(request, peer);
    } catch (error) {
      const { pathname } = new URL(request.url);
      if (isOurs(error))
        app.log.error({ err: error, method: request.method, path: pathname }, "a request failed");
      return problemResponse(error, pathname);
    }
  };
  let listening: Promise<Listening> | undefined;
  return {
    fetch: answer,
    listen(options) {
      return (listening ??= listen(answer, options, app.log));
    },
    async close(timeout = CLOSE_MS, delay = 0) {
      // A port that could not be opened has been told to whoever called listen.
      await (await listening?.catch(() => undefined))?.close(timeout, delay);
    },
  };
}

type Bindings = { Bindings: Peer };

function build(app: ServedApp, config: HttpConfig): Hono<Bindings> {
  const hono = new Hono<Bindings>();
  for (const route of ROUTES) {
    hono.on(route.method, route.path, async (c) => {
      const request = c.req.raw;
      const roles = route.role ? authorize(request, c.env, route.role, config.apiTokens) : [];
      const [name = ""] = Object.values<string>(c.req.param()); // the types know no names of a path that is a variable
      return route.answer({ app, config, request, name, roles });
    });
  }
  for (const [path, routes] of Map.groupBy(ROUTES, (route) => route.path)) {
    hono.all(path, (c) => {
      refuseStrangers(c.req.raw, c.env, routes, config);
      throw methodNotAllowed(c.req.method, methodsOf(routes));
    });
  }
  hono.all("*", (c) => {
    authorize(c.req.raw, c.env, undefined, config.apiTokens);
    throw notFound(c.req.path);
  });
  // All that is thrown becomes a problem in one place, also what is no Error, which hono would not bring here.
  hono.onError((error) => {
    throw error;
  });
  return hono;
}

/** Whoever may not use a path need not learn what else could be done there. */
function refuseStrangers(request: Request, peer: Peer, routes: readonly Route[], config: HttpConfig): void {
  for (const { role } of routes) if (role) authorize(request, peer, role, config.apiTokens);
}

function methodsOf(routes: readonly Route[]): string[] {
  return routes.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method]));
}
