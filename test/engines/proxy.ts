import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** What a proxy does with what it is given. */
export type ProxyMode =
  | "pass"
  /** New connections are refused, and those that there are end. */
  | "refuse"
  /** Connections stay and new ones are taken, but nothing goes through, in either direction: half-open TCP. */
  | "swallow"
  /** Each piece comes late. */
  | "slow"
  /** The next answer is cut in the middle, and its connection with it; then as `pass`. */
  | "cut"
  /** The next question goes through, and its connection ends before the answer; then as `pass`. */
  | "mute";

/** How late each piece comes when a proxy is slow, in milliseconds. */
const DELAY_MS = 150;

/** A TCP proxy in front of a server, which can be told to fail. */
export class FaultProxy {
  mode: ProxyMode = "pass";
  /** How many connections were made. */
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #stranded = new WeakSet<Socket>();
  /** Of the sockets, those on which somebody has asked to be told something, and their other ends. */
  readonly #listening = new Set<Socket>();
  readonly #target: { readonly host: string; readonly port: number };

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
    this.#server = createServer((client) => this.#take(client));
  }

  /** Listens on a free port of the loopback. */
  static async start(host: string, port: number): Promise<FaultProxy> {
    const proxy = new FaultProxy({ host, port });
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy does not listen");
    return address.port;
  }

  /** Ends all connections; new ones go as the mode says. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /**
   * Lets nothing through on the connections that there are, and ends none of them, whatever the mode: half-open TCP.
   *
   * @param which Only those that listen, which are silent for long and so the first that a firewall forgets.
   */
  strand(which: "all" | "listening" = "all"): void {
    for (const socket of which === "all" ? this.#sockets : this.#listening) this.#stranded.add(socket);
  }

  /** Changes the mode; `refuse` ends the connections that there are. */
  set(mode: ProxyMode): void {
    this.mode = mode;
    if (mode === "refuse") this.reset();
  }

  async close(): Promise<void> {
    this.reset();
    this.#server.close();
    await once(this.#server, "close");
  }

  #take(client: Socket): void {
    if (this.mode === "refuse") return void client.resetAndDestroy();
    this.connections++;
    const server = connect(this.#target.port, this.#target.host);
    this.#join(client, server, (data) => {
      if (/\r\nsubscribe\r\n|\blisten\b/i.test(data.toString("latin1")))
        this.#listening.add(client).add(server);
      if (this.mode !== "mute") return true;
      // The question goes its way, and the answer finds nobody.
      client.resetAndDestroy();
      this.mode = "pass";
      return true;
    });
    this.#join(server, client, (data) => {
      if (this.mode !== "cut") return true;
      this.mode = "pass";
      client.write(data.subarray(0, Math.ceil(data.length / 2)), () => client.resetAndDestroy());
      return false;
    });
  }

  /** @param judge Whether a piece goes on. */
  #join(from: Socket, to: Socket, judge: (data: Buffer) => boolean): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    // What came late keeps what follows it waiting: a stream has an order, also when it is fast again.
    let late = Promise.resolve();
    let waiting = 0;
    from.on("data", (data: Buffer) => {
      // A stream that has lost a piece never goes on: what came after it would be taken for it.
      if (this.mode === "swallow") this.#stranded.add(from).add(to);
      if (this.#stranded.has(from) || !judge(data)) return;
      if (this.mode !== "slow" && waiting === 0) return void (to.writable && to.write(data));
      const due = this.mode === "slow" ? delay(DELAY_MS) : undefined;
      waiting++;
      late = late.then(async () => {
        await due;
        waiting--;
        if (to.writable) to.write(data);
      });
    });
    from.on("error", () => {});
    from.on("close", () => {
      this.#sockets.delete(from);
      this.#listening.delete(from);
      // Of a connection that is half-open the other end learns nothing.
      if (this.mode !== "swallow" && !this.#stranded.has(from)) to.destroy();
    });
  }
}
