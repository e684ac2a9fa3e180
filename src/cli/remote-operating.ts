import type { ReplayOptions } from "../operations.ts";
import { CliError } from "./cli-error.ts";
import type { Operating } from "./operating.ts";
import type { Remote } from "./remote.ts";

type Filter = Parameters<Operating["discard"]>[0];
type Answered<K extends keyof Operating> = Awaited<ReturnType<Operating[K]>>;

/** The operations of a running app. What it answers is taken to be what it promises: see docs/reference/http.md. */
export class RemoteOperating implements Operating {
  readonly #remote: Remote;

  constructor(remote: Remote) {
    this.#remote = remote;
  }

  async deadLetters(filter: Filter = {}): Promise<Answered<"deadLetters">> {
    const reply = await this.#remote.ask("/api/dead-letters", { query: queryOf(filter) });
    return (reply as { deadLetters: Answered<"deadLetters"> }).deadLetters;
  }

  async countDeadLetters(filter: Filter = {}): Promise<number> {
    const reply = await this.#remote.ask("/api/dead-letters/count", { query: queryOf(filter) });
    return (reply as { count: number }).count;
  }

  async replay(filter: Filter = {}, { rate }: ReplayOptions = {}): Promise<number> {
    const value = { ...orderOf(filter), rate };
    const reply = await this.#remote.ask("/api/dead-letters/replay", { body: { value } });
    return (reply as { replayed: number }).replayed;
  }

  async discard(filter: Filter): Promise<number> {
    const reply = await this.#remote.ask("/api/dead-letters/discard", { body: { value: orderOf(filter) } });
    return (reply as { discarded: number }).discarded;
  }

  async messages(filter: object = {}): Promise<Answered<"messages">> {
    const reply = await this.#remote.ask("/api/messages", { query: queryOf(filter) });
    return (reply as { messages: Answered<"messages"> }).messages;
  }

  async message(id: string): Promise<Answered<"message">> {
    const reply = await unlessUnknown(this.#remote.ask(`/api/messages/${escape(id)}`));
    return reply as Answered<"message">;
  }

  async cancel(id: string, handler?: string): Promise<Answered<"cancel">> {
    const path = `/api/messages/${escape(id)}/cancel`;
    const reply = await this.#remote.ask(path, { body: NOTHING, query: queryOf({ handler }) });
    return reply as Answered<"cancel">;
  }

  async subscriptions(): Promise<Answered<"subscriptions">> {
    const reply = await this.#remote.ask("/api/subscriptions");
    return (reply as { subscriptions: Answered<"subscriptions"> }).subscriptions;
  }

  async unsubscribe(handler: string): Promise<boolean> {
    const asked = this.#remote.ask(`/api/subscriptions/${escape(handler)}`, { method: "DELETE" });
    return (await unlessUnknown(asked)) !== undefined;
  }

  async instances(): Promise<Answered<"instances">> {
    const reply = await this.#remote.ask("/api/instances");
    return (reply as { instances: Answered<"instances"> }).instances;
  }

  async problems(): Promise<Answered<"problems">> {
    const reply = await this.#remote.ask("/api/problems");
    return (reply as { problems: Answered<"problems"> }).problems;
  }

  async tasks(): Promise<Answered<"tasks">> {
    const reply = await this.#remote.ask("/api/schedules");
    return (reply as { schedules: Answered<"tasks"> }).schedules;
  }

  async task(task: string, ticks?: number): Promise<Answered<"task">> {
    const reply = await this.#remote.ask(`/api/schedules/${escape(task)}`, { query: queryOf({ ticks }) });
    return reply as Answered<"task">;
  }

  async runTask(task: string): Promise<string> {
    const reply = await this.#remote.ask(`/api/schedules/${escape(task)}/run`, { body: NOTHING });
    return (reply as { id: string }).id;
  }

  async pauseTask(task: string, paused: boolean): Promise<void> {
    const act = paused ? "pause" : "resume";
    await this.#remote.ask(`/api/schedules/${escape(task)}/${act}`, { body: NOTHING });
  }
}

const NOTHING = { value: undefined };
const escape = encodeURIComponent;

function queryOf(filter: object): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (value !== undefined) query.set(name, String(value));
  return query;
}

/** That a filter without conditions means all must be said. */
function orderOf(filter: Filter): object {
  const { id, handler, event, reason } = filter;
  const isAll = [id, handler, event, reason].every((given) => given === undefined);
  return { ...filter, ...(isAll && { all: true }) };
}

/** What the app answers, or undefined when it says that there is nothing of this name. */
async function unlessUnknown(asked: Promise<unknown>): Promise<unknown> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof CliError && /^(?:MESSAGE|SUBSCRIPTION)_UNKNOWN$/.test(error.code)) return undefined;
    throw error;
  }
}
