import type { Server } from "node:http";
import type { Clock } from "../clock.ts";
import { DeclarationError } from "../errors.ts";
import type { ChatAdapter } from "./adapter.ts";
import { ChatDesk, type ChattingApp } from "./chat-desk.ts";

/** What {@link openChats} needs beside the app. */
export interface ChatSurroundings {
  readonly clock: Clock;
  readonly locale: string;
  /** The server of the app's HTTP port. */
  readonly server: Server | undefined;
}

/**
 * Starts the adapters of an app, one after the other; when one cannot be started, those before it are stopped again.
 *
 * @throws {DeclarationError} `ADAPTER_DUPLICATE` when two have one name.
 * @returns what stops them all, each within `timeout` milliseconds.
 */
export async function openChats(
  app: ChattingApp,
  adapters: readonly ChatAdapter[],
  { clock, locale, server }: ChatSurroundings,
): Promise<(timeout: number) => Promise<void>> {
  refuseTwins(adapters);
  const desk = new ChatDesk(app, clock, locale);
  const started: ChatAdapter[] = [];
  const stop = async (timeout: number): Promise<void> => {
    await Promise.all(started.splice(0).map((adapter) => stopOne(app, adapter, timeout)));
  };
  try {
    for (const adapter of adapters) {
      started.push(adapter);
      const log = app.log.child({ adapter: adapter.name });
      await adapter.start(desk.receiverOf(adapter), { log, server });
    }
  } catch (error) {
    await stop(0);
    throw error;
  }
  return stop;
}

/** One that fails to end does not keep the others from ending. */
async function stopOne({ log }: ChattingApp, adapter: ChatAdapter, timeout: number): Promise<void> {
  try {
    await adapter.stop(timeout);
  } catch (error) {
    log.error({ err: error, adapter: adapter.name }, "a chat did not end well");
  }
}

function refuseTwins(adapters: readonly ChatAdapter[]): void {
  const names = adapters.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return;
  throw new DeclarationError(
    "ADAPTER_DUPLICATE",
    `Two adapters are named "${twice}": give one of them another name, or ids of messages would be mixed up.`,
  );
}
