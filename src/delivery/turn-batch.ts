import { EngineError } from "../errors.ts";

/** Something that is to be part of the next call, and what is done with its answer. */
export interface Waiting<In, Out> {
  readonly item: In;
  resolve(result: Out): void;
  reject(error: unknown): void;
}

/** More at once gain nothing, and keep the first one waiting. */
const MOST = 1_000;

/**
 * Makes one call of many that come in one turn of the event loop: a call into the engine costs more than what it is
 * asked for. It waits for as many microtasks as keep bringing new ones, and for no time.
 */
export class TurnBatch<In, Out> {
  readonly #call: (items: readonly In[]) => Promise<readonly Out[]>;
  #waiting: Waiting<In, Out>[] = [];
  #soon = false;
  /** The last call was for one. */
  #alone = false;

  /** @param call Answers for each item, in order. */
  constructor(call: (items: readonly In[]) => Promise<readonly Out[]>) {
    this.#call = call;
  }

  add(item: In): Promise<Out> {
    if (this.#alone && !this.#soon) {
      // Whoever calls one at a time, each after the answer to the one before, has nobody to wait for.
      this.#flushSoon();
      return this.#call([item]).then(([result]) => result as Out); // one answer for each
    }
    return new Promise<Out>((resolve, reject) => {
      this.put({ item, resolve, reject });
    });
  }

  /** The same without a promise: for those who come by the thousand. */
  put(waiting: Waiting<In, Out>): void {
    this.#waiting.push(waiting);
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#soon) return;
    this.#soon = true;
    queueMicrotask(() => this.#flushWhenQuiet(0));
  }

  #flushWhenQuiet(before: number): void {
    const now = this.#waiting.length;
    if (now > before && now < MOST) {
      queueMicrotask(() => this.#flushWhenQuiet(now));
      return;
    }
    this.#soon = false;
    this.#alone = now <= 1;
    if (now === 0) return;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#call(batch.map(({ item }) => item)).then(
      (results) => batch.forEach((waiting, at) => waiting.resolve(results[at] as Out)), // one answer for each
      (error: unknown) => this.#oneByOne(batch, error),
    );
  }

  /** Those who share a call are strangers to each other: what is wrong with one must not fail the others. */
  #oneByOne(batch: readonly Waiting<In, Out>[], error: unknown): void {
    if (batch.length === 1 || (error instanceof EngineError && error.retryable)) {
      for (const waiting of batch) waiting.reject(error);
      return;
    }
    for (const waiting of batch) {
      this.#call([waiting.item]).then(
        ([result]) => waiting.resolve(result as Out), // one answer for each
        (alone: unknown) => waiting.reject(alone),
      );
    }
  }
}
