import type { Server } from "node:http";
import type { CommandFrom } from "../commands/command-run.ts";
import type { Reply } from "../commands/reply.ts";
import type { Logger } from "../log.ts";

/** What somebody wrote in a chat. Who he is, and his roles, are what the platform vouches for; never what he says himself. */
export interface ChatMessage extends Omit<CommandFrom, "id"> {
  readonly text: string;
  /** The platform's id of the message: where it comes again within ten minutes, on whichever replica, it is not answered again. */
  readonly id?: string | undefined;
}

/**
 * Hands a message to the app. It never rejects; the messages of one user in one channel are answered one after the other, in
 * the order in which they were handed over. Platforms that want to be acknowledged within seconds are acknowledged before.
 *
 * @returns the reply, whose text is to be posted unless it is empty; undefined for a message that has come before.
 */
export type Receive = (message: ChatMessage) => Promise<Reply | undefined>;

/** What an adapter is given beside {@link Receive}. */
export interface ChatHost {
  readonly log: Logger;
  /** The server of the app's HTTP port, where it has one: for platforms that call, and sockets. */
  readonly server: Server | undefined;
}

/**
 * Connects a chat to an app: `createApp({ adapters: [myChat()] })`.
 *
 * @example
 * const stdin: ChatAdapter = {
 *   name: "stdin",
 *   async start(receive) {
 *     for await (const text of createInterface(process.stdin)) {
 *       const reply = await receive({ text, user: "me" });
 *       if (reply?.text) console.log(reply.text);
 *     }
 *   },
 *   stop() {},
 * };
 */
export interface ChatAdapter {
  /** Unique in the app: message ids of different adapters are different ids. */
  readonly name: string;
  /** Texts that are no commands go on to the patterns, as `{ content, user, channel }`, and what these return is the reply. @default false */
  readonly patterns?: boolean;
  /** Connects. Resolves when messages can come; a rejection fails the app's start. */
  start(receive: Receive, host: ChatHost): void | Promise<void>;
  /**
   * Takes no more messages, gives those that it has handed over their replies, and disconnects. Legal before `start`, and twice.
   * @param timeout Milliseconds after which it need not wait for replies any more.
   */
  stop(timeout: number): void | Promise<void>;
}
