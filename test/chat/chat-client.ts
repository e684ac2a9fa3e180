import { once } from "node:events";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";

/** A frame as it comes from the server. */
export interface Frame {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A client of a chat over a real socket; it ends with the test. */
export class ChatClient {
  readonly socket: WebSocket;
  /** Everything that has come, in order. */
  readonly frames: Frame[] = [];
  #next = 0;
  #heard: (() => void)[] = [];

  constructor(url: string, options: ConstructorParameters<typeof WebSocket>[2] = {}) {
    this.socket = new WebSocket(url, options);
    this.socket.on("message", (data: Buffer) => {
      this.frames.push(JSON.parse(data.toString()) as Frame); // the server sends nothing else
      for (const heard of this.#heard.splice(0)) heard();
    });
    this.socket.on("error", () => {});
    onTestFinished(() => this.socket.terminate());
  }

  async open(): Promise<this> {
    if (this.socket.readyState !== WebSocket.OPEN) await once(this.socket, "open");
    return this;
  }

  /** Connects and says hello. */
  static async enter(url: string, hello: object = {}): Promise<ChatClient> {
    const client = await new ChatClient(url).open();
    client.send({ type: "hello", ...hello });
    await client.frame((frame) => frame.type === "welcome");
    return client;
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** The first frame that fits, whenever it comes; the test's own time limit ends the wait. */
  async frame(fits: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(fits);
      if (found) return found;
      await new Promise<void>((resolve) => this.#heard.push(resolve));
    }
  }

  /** Says something and waits for what it is answered with. */
  async ask(text: string, id = `m${this.#next++}`): Promise<Frame> {
    this.send({ type: "message", id, text });
    return this.frame((frame) => frame["id"] === id && frame.type !== "ack");
  }

  /** How the connection ended. */
  async closed(): Promise<{ code: number; reason: string }> {
    const [code, reason] = (await once(this.socket, "close")) as [number, Buffer];
    return { code, reason: reason.toString() };
  }
}
