import type { Redis } from "ioredis";
import { systemClock, type Timer } from "../../clock.ts";
import { isStray, listenerOf } from "./client.ts";
import { unavailable } from "./failures.ts";
import type { Session } from "./session.ts";

/** Called when a claim may find something new: with the handlers, or without when they are not known. */
type Wake = (handlers?: Iterable<string>) => void;

/** How often everybody looks, whatever is said: what is said may be lost with its connection. */
const LOOK_MS = 5_000;
/** The same while nothing can be heard. */
const DEAF_LOOK_MS = 1_000;

/** Hears, on a connection of its own, what the scripts and the other replicas say. */
export class Wakes {
  readonly #session: Session;
  readonly #listener: Redis;
  readonly #listeners = new Set<{ readonly wake: Wake }>();
  /** Called with the text of each signal. */
  #onSignal: (text: string) => void = () => {};
  #timer: Timer | undefined;
  #deaf = true;
  /** When the present connection began to hear, by performance.now(). */
  since = 0;

  constructor(session: Session) {
    this.#session = session;
    this.#listener = listenerOf(session.link.client);
    // The other connection tells of what is wrong.
    this.#listener.on("error", () => {});
  }

  /** Begins to hear; resolves when it does. @throws {EngineError} `ENGINE_UNAVAILABLE`. */
  async start(onSignal: (text: string) => void): Promise<void> {
    this.#onSignal = onSignal;
    const { keys } = this.#session;
    const listener = this.#listener;
    listener.on("message", (channel: string, text: string) => this.#hear(channel, text));
    listener.on("close", () => (this.#deaf = true));
    listener.on("ready", () => this.#subscribed());
    if (listener.status !== "ready") await this.#connected();
    await listener.subscribe(keys.wakes, keys.signals);
    this.#deaf = false;
    this.since = performance.now();
    this.#look();
  }

  /** Hears one more channel, in place of another if there is one; what is said on it does not matter. */
  async subscribe(channel: string, before: string | undefined): Promise<void> {
    await this.#listener.subscribe(channel);
    if (before !== undefined && before !== channel) await this.#listener.unsubscribe(before);
  }

  /** Calls `wake` after each change that may give a claim something new, until the returned function is called. */
  listen(wake: Wake): () => void {
    // Wrapped, so that one function may listen twice and end once.
    const listener = { wake };
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Wakes all that listen. @param handlers None when it is not known for whom there is something. */
  call(handlers?: readonly string[]): void {
    for (const { wake } of this.#listeners) wake(handlers);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#listeners.clear();
    this.#onSignal = () => {};
    this.#listener.disconnect();
  }

  #connected(): Promise<void> {
    const { location, timeout } = this.#session.link.place;
    return new Promise((resolve, reject) => {
      const late = (): void => reject(unavailable(location, "it takes no second connection, to listen on"));
      const timer = setTimeout(late, timeout);
      this.#listener.once("ready", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** The connection is there again: what was said in between is lost. */
  #subscribed(): void {
    this.#deaf = false;
    this.since = performance.now();
    this.call();
  }

  #hear(channel: string, text: string): void {
    const { keys } = this.#session;
    if (channel === keys.signals) this.#onSignal(text);
    else if (channel === keys.wakes) this.call(text.split("\n").map((base) => keys.handlerOf(base)));
  }

  #look(): void {
    // By the machine's clock, also where a test moves time: it is the connection that is looked after.
    this.#timer = systemClock.setTimer(
      () => {
        this.call();
        // A connection that broke without a word is noticed when it is used.
        if (isStray(this.#session.link.client, this.#listener)) this.#listener.disconnect(true);
        else this.#listener.call("ping").catch(() => {});
        this.#look();
      },
      this.#deaf ? DEAF_LOOK_MS : LOOK_MS,
    );
  }
}
