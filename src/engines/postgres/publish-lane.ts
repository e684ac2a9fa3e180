import { randomUUID } from "node:crypto";
import type { NewMessage, Published } from "../../engine.ts";
import { EngineError } from "../../errors.ts";
import { type Parcel, parcelOf } from "./publish.ts";
import type { Session } from "./session.ts";

/** More in one statement gain nothing, and keep the first one waiting. */
const MOST_TOGETHER = 1_000;
/** Subscriptions that change faster than they can be read do not exist. */
const READS = 20;

interface Request {
  readonly messages: readonly NewMessage[];
  readonly resolve: (published: readonly Published[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Two lanes, so that what may have to wait for others, for a key, keeps nobody up but its like. */
export class Publishing {
  readonly #plain: PublishLane;
  readonly #ordered: PublishLane;

  constructor(session: Session) {
    this.#plain = new PublishLane(session);
    this.#ordered = new PublishLane(session);
  }

  get ids(): readonly string[] {
    return [this.#plain.id, this.#ordered.id];
  }

  publish(messages: readonly NewMessage[]): Promise<readonly Published[]> {
    const waits = messages.some(({ key, dedupe }) => key !== undefined || dedupe !== undefined);
    return (waits ? this.#ordered : this.#plain).publish(messages);
  }
}

/**
 * One publish after the other: what comes while one is under way goes together in the next. Each has a number, which the
 * server notes with what it stores, so that one whose answer was lost can come again and counts once.
 */
class PublishLane {
  readonly #session: Session;
  readonly #id = randomUUID();
  #batch = 0;
  #busy = false;
  #waiting: Request[] = [];

  constructor(session: Session) {
    this.#session = session;
  }

  get id(): string {
    return this.#id;
  }

  publish(messages: readonly NewMessage[]): Promise<readonly Published[]> {
    if (messages.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ messages, resolve, reject });
      if (!this.#busy) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) await this.#send(this.#next());
    this.#busy = false;
  }

  /** As many of those who wait as go together. */
  #next(): Request[] {
    const first = this.#waiting.shift() as Request; // asked only while there is one
    const together = [first];
    for (let count = first.messages.length; ;) {
      const next = this.#waiting[0];
      if (!next || count + next.messages.length > MOST_TOGETHER) return together;
      together.push(next);
      count += next.messages.length;
      this.#waiting.shift();
    }
  }

  async #send(requests: readonly Request[]): Promise<void> {
    try {
      const published = await this.#store(requests.flatMap(({ messages }) => messages));
      let from = 0;
      for (const { messages, resolve } of requests) resolve(published.slice(from, (from += messages.length)));
    } catch (error) {
      const alone =
        requests.length === 1 || (error instanceof EngineError && error.code === "ENGINE_UNAVAILABLE");
      if (alone) for (const { reject } of requests) reject(error);
      // Strangers to each other: what is wrong with one must not fail the others.
      else for (const request of requests) await this.#send([request]);
    }
  }

  async #store(messages: readonly NewMessage[]): Promise<readonly Published[]> {
    const session = this.#session;
    await session.needOpen();
    for (let read = 0; read < READS; read++) {
      const { instance: me, catalog } = session;
      const by = { lane: this.#id, batch: ++this.#batch, open: false, me, catalog: catalog.version };
      const parcel = parcelOf(session, messages, by);
      const published = await this.#call(parcel);
      if (published) return published;
      await session.refresh();
      await session.needOpen();
    }
    throw new EngineError("ENGINE_BUSY", `The subscriptions in ${session.location} change all the time.`, {
      retryable: true,
    });
  }

  async #call(parcel: Parcel): Promise<readonly Published[] | undefined> {
    const session = this.#session;
    const text = session.sql.fill(`select ${parcel.call}::text`);
    const [rows] = await session.pool.run([{ text, values: parcel.values }]);
    const published = parcel.read(rows?.[0]?.[0]);
    if (!published) return undefined;
    session.wakes.touch(parcel.touched);
    return published.some(({ duplicate }) => duplicate) ? await session.named(published) : published;
  }
}
