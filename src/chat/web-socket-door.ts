import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { LifecycleError } from "../errors.ts";

/** Where clients come in. */
export interface Door {
  readonly server: Server;
  /** Undefined on a server of the user's own, which may not listen yet. */
  readonly url: string | undefined;
  readonly close: () => Promise<void>;
}

/** Which server is meant; none means the app's own. */
export interface DoorOptions {
  readonly path: string;
  readonly port?: number;
  readonly host?: string;
  readonly server?: Server;
}

/** A status with which a client is turned away. */
export type Refusal = keyof typeof PHRASES;

const PHRASES = { 403: "Forbidden", 404: "Not Found", 503: "Service Unavailable" } as const;

/**
 * Finds the server, or opens one.
 * @throws {LifecycleError} `CHAT_SERVER_MISSING` when there is none, `PORT_IN_USE` and its like.
 */
export async function openDoor(
  { path, port, host = "127.0.0.1", server }: DoorOptions,
  appServer?: Server,
): Promise<Door> {
  if (server) return { server, url: undefined, close: async () => {} };
  if (port !== undefined) return ownDoor(path, port, host);
  if (appServer) return { server: appServer, url: urlOf(appServer, path), close: async () => {} };
  throw new LifecycleError(
    "CHAT_SERVER_MISSING",
    "webSocketChat has no server: give it a port of its own (port: 8081), or the app a port (createApp({ http: true }), or the program's start).",
  );
}

/** Answers an upgrade with a refusal, and hangs up. */
export function refuse(socket: Duplex, status: Refusal): void {
  socket.end(`HTTP/1.1 ${status} ${PHRASES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

async function ownDoor(path: string, port: number, host: string): Promise<Door> {
  // Loaded with the first port: a chat on the app's own has no use for it.
  const { opened } = await import("../http/listen.ts");
  const server = createServer((_request, response) => {
    response.writeHead(426, { upgrade: "websocket", connection: "upgrade" }).end();
  });
  await opened(server, port, host);
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { server, url: urlOf(server, path), close };
}

function urlOf(server: Server, path: string): string {
  const { address, port } = server.address() as AddressInfo; // it listens on a port, not on a pipe
  const host = address === "0.0.0.0" || address === "::" ? "localhost" : address;
  return `ws://${host.includes(":") ? `[${host}]` : host}:${port}${path}`;
}
