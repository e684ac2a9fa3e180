/** What the server sends. */
export interface Frame {
  readonly type: "welcome" | "ack" | "reply" | "duplicate" | "notice" | "error";
  readonly id?: string;
  readonly text?: string;
  readonly status?: string;
  readonly message?: string;
}

/** A client of the chat. It tells of each frame (`frame`), and of lost connections (`lost`, with the code). */
export declare class ChatSession extends EventTarget {
  constructor(url: string, hello: { token: string; channel?: string; locale?: string });
  say(text: string): void;
  get waiting(): number;
  close(): void;
  addEventListener(type: "frame", listen: (event: CustomEvent<Frame>) => void): void;
  addEventListener(type: "lost", listen: (event: CustomEvent<number>) => void): void;
}
