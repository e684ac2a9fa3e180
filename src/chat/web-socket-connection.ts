import type { RawData, WebSocket } from "ws";
import { systemClock, type Timer } from "../clock.ts";
import type { Logger } from "../log.ts";
import type { Receive } from "./adapter.ts";
import type { Identity, Knock } from "./web-socket-identity.ts";
import {
  ChatProblem,
  type FrameIn,
  type FrameOut,
  type Hello,
  readFrame,
  writeFrame,
} from "./web-socket-frames.ts";

/** What all connections of an adapter have in common. */
export interface ConnectionHost {
  readonly receive: Receive;
  readonly log: Logger;
  readonly answers: Answers;
  /** How long it may take until a client is let in, in milliseconds. */
  readonly helloWithin: number;
  authenticate(knock: Knock): Identity | undefined | Promise<Identity | undefined>;
}

/** Replies that have been given, or are on their way, by who asked and under which id. */
export type Answers = Map<string, Promise<FrameOut>>;

/** How many replies are kept for clients that lose their connection before they got them, and ask again. */
const MOST_ANSWERS = 500;
/** How many messages of a client may wait for their replies; then no more are read from it. */
const MOST_WAITING = 16;
/** How many bytes may wait for a client that does not read. */
const MOST_BUFFERED = 1_048_576;
/** After so many frames that were none, a client is taken for something else. */
const MOST_INVALID = 10;

/** How long a client may take to say goodbye. */
const GOODBYE_MS = 1_000;

const GOING_AWAY = 1001;
const POLICY = 1008;
const BROKEN = 1011;
const NOT_LET_IN = 4401;
const TOO_SLOW = 4408;

/** One client, from its hello to its end. Nothing that it sends, or fails to read, can do more than end it. */
export class Connection {
  readonly #host: ConnectionHost;
  readonly #socket: WebSocket;
  readonly #knock: Pick<Knock, "headers" | "address">;
  readonly #helloTimer: Timer;
  readonly #waiting = new Set<Promise<void>>();
  #identity: Identity | undefined;
  readonly #closed = Promise.withResolvers<void>();
  #greeted = false;
  #leaving = false;
  #alive = true;
  #invalid = 0;

  constructor(host: ConnectionHost, socket: WebSocket, knock: Pick<Knock, "headers" | "address">) {
    this.#host = host;
    this.#socket = socket;
    this.#knock = knock;
    this.#helloTimer = systemClock.setTimer(
      () => this.#refuse(new ChatProblem("HELLO_TIMEOUT", "You were not let in in time.", TOO_SLOW)),
      host.helloWithin,
    );
    socket.on("message", (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on("pong", () => (this.#alive = true));
    // What breaks a connection (a frame too long, text that is no UTF-8, a reset) closes it, too.
    socket.on("error", (error) => host.log.debug({ err: error }, "a client's connection broke"));
    socket.on("close", () => {
      this.#helloTimer.cancel();
      this.#closed.resolve();
    });
  }

  /** Where it is; undefined before it was let in. */
  get channel(): string | undefined {
    return this.#identity?.channel;
  }

  send(frame: FrameOut): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(writeFrame(frame));
    if (this.#socket.bufferedAmount <= MOST_BUFFERED) return;
    this.#host.log.warn({ user: this.#identity?.user }, "a client does not read what it is sent");
    this.#socket.terminate();
  }

  /** Ends a connection that has not answered the last call, and calls again. One that is not being read from could not answer. */
  beat(): void {
    if (this.#socket.isPaused) return;
    if (!this.#alive) return this.#socket.terminate();
    this.#alive = false;
    this.#socket.ping();
  }

  /** Resolves when it has ended. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Takes no more, gives what was asked for its replies, and says goodbye. */
  async leave(): Promise<void> {
    this.#leaving = true;
    // A handler that heeds no signal may never end: then the connection is cut.
    await Promise.race([Promise.all(this.#waiting), this.closed]);
    this.#socket.resume();
    this.#socket.close(GOING_AWAY, "the app is stopping");
    const timer = systemClock.setTimer(() => this.cut(), GOODBYE_MS, true);
    await this.closed;
    timer.cancel();
  }

  /** Ends it at once. */
  cut(): void {
    this.#socket.terminate();
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#leaving) return;
    try {
      if (isBinary) throw new ChatProblem("FRAME_INVALID", "The frame is not acceptable: it must be text.");
      this.#onFrame(readFrame((data as Buffer).toString())); // as text frames come, unless it is asked otherwise
    } catch (error) {
      const tooMany = ++this.#invalid >= MOST_INVALID;
      this.#refuse(error, tooMany ? POLICY : undefined);
    }
  }

  #onFrame(frame: FrameIn): void {
    if (frame.type === "hello") {
      if (this.#greeted)
        throw new ChatProblem("HELLO_TWICE", "Hello has been said. Connect anew to be somebody else.");
      this.#greeted = true;
      void this.#letIn(frame);
      return;
    }
    const { id, text } = frame;
    if (!this.#identity) throw new ChatProblem("HELLO_MISSING", "Say hello first, and wait for the welcome.");
    const answering = this.#answer(this.#identity, id, text).finally(() => {
      this.#waiting.delete(answering);
      if (this.#waiting.size < MOST_WAITING) this.#socket.resume();
    });
    this.#waiting.add(answering);
    if (this.#waiting.size >= MOST_WAITING) this.#socket.pause();
  }

  async #letIn({ token, channel, locale }: Hello): Promise<void> {
    try {
      const identity = await this.#host.authenticate({ token, channel, locale, ...this.#knock });
      if (!identity) {
        throw new ChatProblem("HELLO_REFUSED", "This token does not open this chat.", NOT_LET_IN);
      }
      if (this.#leaving) return;
      this.#helloTimer.cancel();
      this.#identity = { locale, ...identity };
      const { user, roles = [] } = identity;
      this.send({ type: "welcome", user, channel: identity.channel ?? null, roles });
    } catch (error) {
      if (!(error instanceof ChatProblem)) this.#host.log.error({ err: error }, "authenticate failed");
      this.#refuse(error, BROKEN);
    }
  }

  async #answer({ user, roles, channel, locale }: Identity, id: string, text: string): Promise<void> {
    this.send({ type: "ack", id });
    const { answers, receive } = this.#host;
    const key = JSON.stringify([user, channel, id]);
    let answer = answers.get(key);
    if (!answer) {
      answer = receive({ id, text, user, roles, channel, locale }).then((reply): FrameOut =>
        reply ? { type: "reply", id, ...reply } : { type: "duplicate", id },
      );
      answers.set(key, answer);
      if (answers.size > MOST_ANSWERS) for (const oldest of answers.keys()) if (answers.delete(oldest)) break;
    }
    this.send(await answer);
  }

  /** @param close Why the connection ends, unless the error knows better. */
  #refuse(error: unknown, close?: number): void {
    const known = error instanceof ChatProblem;
    const { code, message } = known
      ? error
      : { code: "INTERNAL", message: "Something went wrong; the log of the server has it." };
    this.send({ type: "error", code, message });
    const reason = (known ? error.close : undefined) ?? close;
    if (reason === undefined) return;
    this.#leaving = true;
    this.#socket.close(reason, code);
  }
}
