import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { systemClock } from "../clock.ts";
import { type Duration, toMs } from "../duration.ts";
import { DeclarationError } from "../errors.ts";
import type { ChatAdapter, ChatHost, Receive } from "./adapter.ts";
import { loadPackage } from "./load-package.ts";
import { Connection } from "./web-socket-connection.ts";
import { openDoor, type Refusal, refuse } from "./web-socket-door.ts";
import type { Identity, Knock } from "./web-socket-identity.ts";

/** Options of {@link webSocketChat}. */
export interface WebSocketChatOptions {
  /** Says who a client is, by the token of its hello; undefined for nobody who is let in. Roles come from here, and from nowhere else. */
  readonly authenticate: (knock: Knock) => Identity | undefined | Promise<Identity | undefined>;
  /** @default "/chat" */
  readonly path?: string;
  /** A port of its own; 0 takes any that is free. @default the app's HTTP port */
  readonly port?: number;
  /** For `port`. @default "127.0.0.1" */
  readonly host?: string;
  /** A server of your own. */
  readonly server?: Server;
  /** Origins of the pages that may connect, such as `"https://chat.example.com"`. Programs send none, and are not asked. @default all */
  readonly origins?: readonly string[];
  /** Texts that are no commands go on to the patterns. @default false */
  readonly patterns?: boolean;
  /** How often clients are asked for a sign of life; one that gave none since the last time is cut off. @default "30s" */
  readonly heartbeat?: Duration;
  /** How long it may take until a client is let in. @default "10s" */
  readonly helloWithin?: Duration;
  /** The longest frame of a client, in bytes. @default 16384 */
  readonly maxFrame?: number;
  /** @default 1000 */
  readonly maxConnections?: number;
  /** @default "websocket" */
  readonly name?: string;
}

/** How much longer than runs connections may last, so that they carry the replies of those that were called off. */
const LAST_WORDS_MS = 1_500;

/**
 * A chat over WebSocket: each client says who it is, sends texts, and gets the replies. Needs the package `ws`.
 *
 * @throws {DeclarationError} `OPTION_INVALID`, `DURATION_INVALID`.
 * @example
 * const chat = webSocketChat({ authenticate: ({ token }) => users.get(token ?? "") });
 * const app = createApp({ http: true, adapters: [chat] });
 */
export function webSocketChat(options: WebSocketChatOptions): WebSocketChat {
  return new WebSocketChat(options);
}

/** See {@link webSocketChat}. */
export class WebSocketChat implements ChatAdapter {
  readonly name: string;
  readonly patterns: boolean;
  readonly #options: WebSocketChatOptions;
  readonly #path: string;
  readonly #heartbeat: number;
  readonly #helloWithin: number;
  readonly #connections = new Set<Connection>();
  readonly #stack = new AsyncDisposableStack();
  #url: string | undefined;
  #stopping = false;

  /** @internal Use {@link webSocketChat}. */
  constructor(options: WebSocketChatOptions) {
    const { name = "websocket", patterns = false, path = "/chat", heartbeat = "30s" } = options;
    if (typeof options.authenticate !== "function")
      throw wrong(
        "authenticate must be a function that says who a client is: ({ token }) => users.get(token).",
      );
    if (!path.startsWith("/")) throw wrong('path must begin with a slash, such as "/chat".');
    if (options.port !== undefined && options.server) throw wrong("give port or server, not both.");
    this.name = name;
    this.patterns = patterns;
    this.#options = options;
    this.#path = path;
    this.#heartbeat = toMs(heartbeat, "webSocketChat: heartbeat");
    this.#helloWithin = toMs(options.helloWithin ?? "10s", "webSocketChat: helloWithin");
  }

  /** Where clients connect; undefined while it is not started, and on a server of your own. */
  get url(): string | undefined {
    return this.#url;
  }

  /** How many clients there are. */
  get size(): number {
    return this.#connections.size;
  }

  /** Says something to all clients of a channel that are connected to this replica, or to all. */
  say(text: string, channel?: string): void {
    for (const connection of this.#connections)
      if (channel === undefined || connection.channel === channel) connection.send({ type: "notice", text });
  }

  /** @throws {LifecycleError} `CHAT_PACKAGE_MISSING`, `CHAT_SERVER_MISSING`, `PORT_IN_USE` and its like. */
  async start(receive: Receive, { log, server: appServer }: ChatHost): Promise<void> {
    const { authenticate, maxFrame = 16_384 } = this.#options;
    const { WebSocketServer: Sockets } = await loadPackage("webSocketChat", "ws", () => import("ws"));
    const sockets = new Sockets({ noServer: true, maxPayload: maxFrame, clientTracking: false });
    const door = await openDoor({ ...this.#options, path: this.#path }, appServer);
    this.#stack.defer(door.close);
    const host = { receive, log, authenticate, answers: new Map(), helloWithin: this.#helloWithin };
    const knocks = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      // A socket that breaks before it is upgraded has nobody else who listens.
      socket.on("error", (error) => log.debug({ err: error }, "a client's connection broke"));
      const refusal = this.#refusal(request, door.server.listenerCount("upgrade"));
      if (refusal === "not ours") return;
      if (refusal) return refuse(socket, refusal);
      sockets.handleUpgrade(request, socket, head, (opened) => {
        this.#welcome(new Connection(host, opened, knockOf(request)));
      });
    };
    door.server.on("upgrade", knocks);
    this.#stack.defer(() => void door.server.off("upgrade", knocks));
    const timer = setInterval(() => this.#beat(), this.#heartbeat).unref();
    this.#stack.defer(() => clearInterval(timer));
    this.#url = door.url;
  }

  async stop(timeout: number): Promise<void> {
    this.#stopping = true;
    const late = systemClock.setTimer(() => this.#cutAll(), timeout + LAST_WORDS_MS, true);
    await Promise.all(Array.from(this.#connections, (connection) => connection.leave()));
    late.cancel();
    await this.#stack.disposeAsync();
  }

  #welcome(connection: Connection): void {
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
  }

  /** Why a client may not even say hello. A path that is not ours may be somebody else's, if there is somebody. */
  #refusal(request: IncomingMessage, listeners: number): Refusal | "not ours" | undefined {
    const { origins, maxConnections = 1_000 } = this.#options;
    const [path] = (request.url ?? "").split("?");
    if (path !== this.#path) return listeners > 1 ? "not ours" : 404;
    const { origin } = request.headers;
    if (origins && origin !== undefined && !origins.includes(origin)) return 403;
    return this.#stopping || this.#connections.size >= maxConnections ? 503 : undefined;
  }

  #beat(): void {
    for (const connection of this.#connections) connection.beat();
  }

  #cutAll(): void {
    for (const connection of this.#connections) connection.cut();
  }
}

function knockOf({ headers, socket }: IncomingMessage): Pick<Knock, "headers" | "address"> {
  return { headers, address: socket.remoteAddress };
}

function wrong(why: string): DeclarationError {
  return new DeclarationError("OPTION_INVALID", `webSocketChat: ${why}`);
}
