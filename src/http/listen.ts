import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { delay as pause, systemClock } from "../clock.ts";
import { LifecycleError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Peer } from "./access.ts";
import { HttpProblem, problemResponse } from "./problem.ts";

/** Where to listen. */
export interface ListenOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly host: string;
}

/** An open port. */
export interface Listening {
  readonly port: number;
  /** How this machine reaches it. */
  readonly url: string;
  readonly server: Server;
  /** @param delay How long requests are still answered, on connections that then end. */
  readonly close: (timeout: number, delay: number) => Promise<void>;
}

/** Who is slower than this with the head of a request, or with all of it, has his connection closed. */
const HEAD_MS = 10_000;
const REQUEST_MS = 60_000;
/** Longer than load balancers keep theirs (60 s is usual), so that none sends a request into a closing connection. */
const KEEP_ALIVE_MS = 65_000;

/**
 * Opens a port and answers what comes in.
 * @throws {LifecycleError} when the port cannot be opened.
 */
export async function listen(
  answer: (request: Request, peer: Peer) => Promise<Response>,
  { port, host }: ListenOptions,
  log: Logger,
): Promise<Listening> {
  const server = createServer({
    headersTimeout: HEAD_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: HEAD_MS / 2,
  });
  let closing = false;
  const listener = listenerOf(async (request, peer) => {
    const response = await answer(request, peer);
    if (closing) response.headers.set("connection", "close");
    return response;
  });
  server.on("request", (incoming, outgoing) => void listener(incoming, outgoing));
  await opened(server, port, host);
  server.on("error", (error) => log.error({ err: error }, "the HTTP server had an error"));
  const actual = (server.address() as AddressInfo).port; // it listens on a port, not on a pipe
  let closed: Promise<void> | undefined;
  return {
    port: actual,
    url: `http://${reachable(host)}:${actual}`,
    server,
    close(timeout, delay) {
      closing = true;
      return (closed ??= closeAll(server, timeout, delay));
    },
  };
}

function listenerOf(
  answer: (request: Request, peer: Peer) => Promise<Response>,
): ReturnType<typeof getRequestListener> {
  return getRequestListener(
    (request, { incoming }) => answer(request, { address: incoming.socket.remoteAddress }),
    {
      // The user's program keeps the globals it knows.
      overrideGlobalObjects: false,
      errorHandler: () =>
        problemResponse(
          new HttpProblem(400, "REQUEST_INVALID", "The request's path or Host header is not valid."),
          "",
        ),
    },
  );
}

/** Opens the port of a server. @throws {LifecycleError} saying what to do. */
export function opened(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => reject(listenError(error, port, host));
    server.once("error", fail);
    server.listen({ port, host, exclusive: true }, () => {
      server.off("error", fail);
      resolve();
    });
  });
}

function listenError(cause: NodeJS.ErrnoException, port: number, host: string): LifecycleError {
  const fail = (code: string, message: string): LifecycleError =>
    new LifecycleError(code, message, { cause });
  switch (cause.code) {
    case "EADDRINUSE":
      return fail(
        "PORT_IN_USE",
        `Port ${port} of ${host} is in use by another program, perhaps by this one started twice ("lsof -i :${port}" tells which). Stop that, or choose another port, such as PORT=${port < 65_535 ? port + 1 : 8080}; PORT=0 takes any that is free.`,
      );
    case "EACCES":
      return fail(
        "PORT_FORBIDDEN",
        `This user may not open port ${port}. Choose one from 1024 on, such as PORT=8080.`,
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EINVAL":
      return fail(
        "HOST_INVALID",
        `HOST is ${JSON.stringify(host)}, which is no address of this machine. Use 127.0.0.1 for this machine only, or 0.0.0.0 for all of its addresses.`,
      );
    default:
      return fail("LISTEN_FAILED", `Port ${port} of ${host} cannot be opened: ${cause.message}`);
  }
}

async function closeAll(server: Server, timeout: number, delay: number): Promise<void> {
  // The machine's time, whatever the app's clock says: balancers are real.
  if (delay > 0) await pause(systemClock, delay);
  const { promise, resolve } = Promise.withResolvers<void>();
  // Takes no new connections, closes those that are idle, and calls back when the last has ended.
  server.close(() => resolve());
  const timer = systemClock.setTimer(() => server.closeAllConnections(), timeout, true);
  await promise;
  timer.cancel();
}

/** An address that a client can use: those that stand for all addresses are none. */
function reachable(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}
