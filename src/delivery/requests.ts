import type { Clock } from "../clock.ts";
import type { PublishOptions } from "../context.ts";
import { type Duration, formatMs, toMs } from "../duration.ts";
import type { Engine } from "../engine.ts";
import { CancelledError, EngineError, TimeoutError } from "../errors.ts";
import type { EventType } from "../event-type.ts";
import type { Delivery } from "./delivery.ts";
import type { Publisher } from "./publisher.ts";

/** How a request is made. */
export interface RequestOptions extends PublishOptions {
  /** How long to wait for the answer. The message itself is delivered all the same. @default "30s" */
  readonly timeout?: Duration;
}

/** The header that says where the answer is to go: `channel number`. */
const REPLY_TO = "reply-to";
const TIMEOUT = "30s";

interface Answer {
  readonly number: number;
  readonly handler: string;
  readonly value?: unknown;
  readonly error?: string | undefined;
}

/** Publishes events whose publisher waits for an answer, and answers those of others. */
export class Requests {
  readonly #engine: Engine;
  readonly #publisher: Publisher;
  readonly #clock: Clock;
  readonly #channel: string;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  #next = 0;
  #stopListening: () => void = () => {};

  /** @param instance This replica's id: answers come to it. */
  constructor(engine: Engine, publisher: Publisher, clock: Clock, instance: string) {
    this.#engine = engine;
    this.#publisher = publisher;
    this.#clock = clock;
    this.#channel = `reply:${instance}`;
  }

  start(): void {
    this.#stopListening = this.#engine.signals.listen(this.#channel, (body) => {
      const answer = JSON.parse(body) as Answer; // written by `answer` below
      this.#waiting.get(answer.number)?.resolve(answer);
    });
  }

  /** Whoever still waits is told that no answer will come here; the messages are delivered all the same. */
  stop(): void {
    this.#stopListening();
    for (const { reject } of this.#waiting.values()) {
      reject(new CancelledError("The app is stopping: nobody is here any more to take the answer."));
    }
  }

  /**
   * Stores an event and resolves with what the first of its handlers to end well returns, on whichever replica.
   * @throws {TimeoutError} when no answer came in time; the message may still be handled.
   * @throws {EngineError} `REQUEST_FAILED` when its handler failed for good.
   */
  async request(event: EventType | string, payload: unknown, options: RequestOptions = {}): Promise<unknown> {
    const { timeout = TIMEOUT, headers, ...publishing } = options;
    const ms = toMs(timeout, "request: timeout");
    const number = this.#next++;
    const answered = Promise.withResolvers<Answer>();
    this.#waiting.set(number, answered);
    const name = typeof event === "string" ? event : event.name;
    const late = () => answered.reject(new TimeoutError(`The request "${name}"`, formatMs(ms)));
    const timer = this.#clock.setTimer(late, ms, true);
    try {
      await this.#publisher.publish(event, payload, {
        ...publishing,
        headers: { ...headers, [REPLY_TO]: `${this.#channel} ${number}` },
      });
      const { handler, value, error } = await answered.promise;
      if (error === undefined) return value;
      throw new EngineError(
        "REQUEST_FAILED",
        `"${handler}" failed for good to handle the request "${name}": ${error}`,
      );
    } finally {
      timer.cancel();
      this.#waiting.delete(number);
      answered.promise.catch(() => {}); // publish may have failed first: then nobody waits for the answer
    }
  }

  /** Sends a delivery's result, or its last error, to whoever waits for it. */
  async answer(delivery: Delivery, error?: string): Promise<void> {
    const { claim } = delivery;
    if (claim.headers === undefined || !claim.headers.includes(`"${REPLY_TO}"`)) return;
    const [channel, number] = delivery.headers?.[REPLY_TO]?.split(" ") ?? [];
    if (channel === undefined || number === undefined) return;
    const answer: Answer = { number: Number(number), handler: claim.handler, value: delivery.result, error };
    await this.#engine.signals.send(channel, JSON.stringify(answer));
  }
}
