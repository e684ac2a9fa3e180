// A client of the chat, for browsers and for Node: it connects again when it has to, and sends again what was not
// answered, under the same id, so that nothing is run twice and no reply is lost.

const LONGEST_WAIT_MS = 10_000;

export class ChatSession extends EventTarget {
  #url;
  #hello;
  #socket;
  #unanswered = new Map();
  #wait = 100;
  #closed = false;

  constructor(url, hello) {
    super();
    this.#url = url;
    this.#hello = hello;
    this.#connect();
  }

  say(text) {
    const frame = { type: "message", id: crypto.randomUUID(), text };
    this.#unanswered.set(frame.id, frame);
    this.#send(frame);
  }

  /** How many messages wait for their replies. */
  get waiting() {
    return this.#unanswered.size;
  }

  close() {
    this.#closed = true;
    this.#socket.close();
  }

  #connect() {
    this.#socket = new WebSocket(this.#url);
    this.#socket.onopen = () => this.#send({ type: "hello", ...this.#hello });
    this.#socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    this.#socket.onclose = ({ code }) => this.#lost(code);
  }

  #hear(frame) {
    if (frame.type === "welcome") {
      this.#wait = 100;
      for (const unanswered of this.#unanswered.values()) this.#send(unanswered);
    }
    if (frame.type === "reply" || frame.type === "duplicate") this.#unanswered.delete(frame.id);
    this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
  }

  /** 4401: this token opens nothing, today or tomorrow. */
  #lost(code) {
    this.dispatchEvent(new CustomEvent("lost", { detail: code }));
    if (this.#closed || code === 4401) return;
    setTimeout(() => this.#closed || this.#connect(), this.#wait * (0.5 + Math.random() / 2));
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
  }

  #send(frame) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }
}
