import type { Clock } from "../clock.ts";
import { LocalLimits } from "../commands/local-limits.ts";
import { errorReply, type Reply, textOf } from "../commands/reply.ts";
import type { CommandFrom } from "../commands/command-run.ts";
import type { Limits } from "../engine.ts";
import type { Logger } from "../log.ts";
import type { PatternResult } from "../patterns/pattern-dispatcher.ts";
import { Semaphore } from "../pipeline/semaphore.ts";
import type { ChatAdapter, ChatMessage, Receive } from "./adapter.ts";

/** What chats need of an app. */
export interface ChattingApp {
  readonly log: Logger;
  readonly engine: { readonly limits: Pick<Limits, "take"> };
  handle(text: string, from: CommandFrom): Promise<Reply>;
  match(message: Readonly<Record<string, string>>): Promise<readonly PatternResult[]>;
}

/** Platforms that get no acknowledgement send a message again after seconds, the slowest of them after minutes. */
const REMEMBERED_MS = 600_000;
/** How many messages are worked on at a time, over all conversations; the others wait. */
const MOST_AT_ONCE = 256;

const NOTHING_SAID: Reply = Object.freeze({ status: "not_a_command", text: "", data: undefined });

/**
 * Where the messages of all adapters come in. One user's messages in one channel are a conversation: they are answered one
 * by one, in order. A message that comes again is not answered again: its id is counted by the engine, for all replicas, before
 * it is worked on; so a replica that dies over a message leaves it unanswered, and never answered twice.
 */
export class ChatDesk {
  readonly #app: ChattingApp;
  readonly #locale: string | undefined;
  readonly #places = new Semaphore(MOST_AT_ONCE);
  /** The last message of each conversation that is not answered yet. */
  readonly #last = new Map<string, Promise<unknown>>();
  /** What keeps this replica from answering twice while the engine cannot be asked. */
  readonly #ownLimits: LocalLimits;

  /** @param locale The language of replies to whoever has not said which he reads. */
  constructor(app: ChattingApp, clock: Clock, locale?: string) {
    this.#app = app;
    this.#locale = locale;
    this.#ownLimits = new LocalLimits(clock);
  }

  /** Where an adapter hands its messages over. */
  receiverOf(adapter: Pick<ChatAdapter, "name" | "patterns">): Receive {
    return (message) => {
      const { user, channel } = message;
      const conversation = JSON.stringify([adapter.name, channel ?? null, user ?? null]);
      const before = this.#last.get(conversation) ?? Promise.resolve();
      const answer = before.then(() => this.#answer(adapter, conversation, message));
      this.#last.set(conversation, answer);
      return answer.finally(() => {
        if (this.#last.get(conversation) === answer) this.#last.delete(conversation);
      });
    };
  }

  async #answer(
    adapter: Pick<ChatAdapter, "name" | "patterns">,
    conversation: string,
    message: ChatMessage,
  ): Promise<Reply | undefined> {
    await this.#places.enter();
    try {
      const { id, text, user, channel, roles, locale = this.#locale, signal } = message;
      if (id !== undefined && (await this.#cameBefore(conversation, id))) return undefined;
      const reply = await this.#app.handle(text, { user, channel, roles, locale, signal });
      if (reply.status !== "not_a_command" || !adapter.patterns) return reply;
      return await this.#matched({ content: text, user: user ?? "", channel: channel ?? "" });
    } catch (error) {
      this.#app.log.error({ err: error, adapter: adapter.name }, "a message of a chat could not be answered");
      return errorReply("failed", "", error);
    } finally {
      this.#places.leave();
    }
  }

  /** The engine's count holds for all replicas; while it cannot be asked, each replica has its own. */
  async #cameBefore(conversation: string, id: string): Promise<boolean> {
    const key = `chat:${conversation}:${id}`;
    try {
      return !(await this.#app.engine.limits.take(key, 1, REMEMBERED_MS)).ok;
    } catch (error) {
      this.#app.log.warn({ err: error }, "the engine could not say whether a message has come before");
      return !(await this.#ownLimits.take(key, 1, REMEMBERED_MS)).ok;
    }
  }

  /** What the handlers of patterns return is said line by line. */
  async #matched(message: Readonly<Record<string, string>>): Promise<Reply> {
    const results = await this.#app.match(message);
    if (results.length === 0) return NOTHING_SAID;
    const lines = results.map(({ value }) => textOf(value)).filter((line) => line !== "");
    const data = results.map(({ handler, status, value }) => ({ handler, status, value }));
    const failed = results.every(({ status }) => status !== "ok");
    return { status: failed ? "failed" : "ok", text: lines.join("\n"), data };
  }
}
