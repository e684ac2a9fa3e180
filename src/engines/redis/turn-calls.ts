interface Waiting<In, Out> {
  readonly item: In;
  readonly resolve: (result: Out) => void;
  readonly reject: (error: unknown) => void;
}

/** More in one call would hold up everybody else at the server. */
const MOST = 1_000;

/** Makes one call to the server of what is asked for in one go. It waits for as many microtasks as keep bringing more. */
export class TurnCalls<In, Out> {
  readonly #call: (items: readonly In[]) => Promise<readonly Out[]>;
  #waiting: Waiting<In, Out>[] = [];
  /** The last call was for one, and nobody has asked since. */
  #alone = false;

  /** @param call Answers for each item, in order. */
  constructor(call: (items: readonly In[]) => Promise<readonly Out[]>) {
    this.#call = call;
  }

  add(item: In): Promise<Out> {
    if (this.#alone) {
      // Whoever asks one at a time, each after the answer to the one before, has nobody to wait for.
      this.#alone = false;
      queueMicrotask(() => (this.#alone = this.#waiting.length === 0));
      return this.#call([item]).then(([result]) => result as Out); // one answer for each
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#waiting.length === 1) queueMicrotask(() => this.#flushWhenQuiet(0));
    });
  }

  #flushWhenQuiet(before: number): void {
    const now = this.#waiting.length;
    if (now > before && now < MOST) {
      queueMicrotask(() => this.#flushWhenQuiet(now));
      return;
    }
    const some = this.#waiting.splice(0, MOST);
    this.#alone = some.length === 1;
    if (this.#waiting.length > 0) queueMicrotask(() => this.#flushWhenQuiet(0));
    this.#call(some.map(({ item }) => item)).then(
      (results) => some.forEach(({ resolve }, at) => resolve(results[at] as Out)), // one answer for each
      (error: unknown) => {
        for (const { reject } of some) reject(error);
      },
    );
  }
}
