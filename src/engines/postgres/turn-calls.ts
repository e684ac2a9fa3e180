interface Waiting<In, Out> {
  readonly item: In;
  readonly resolve: (result: Out) => void;
  readonly reject: (error: unknown) => void;
}

/** One call at a time for many: what is asked while one is under way goes together in the next. */
export class TurnCalls<In, Out> {
  readonly #call: (items: readonly In[]) => Promise<readonly Out[]>;
  #waiting: Waiting<In, Out>[] = [];
  #busy = false;

  /** @param call Answers for each item, in order. */
  constructor(call: (items: readonly In[]) => Promise<readonly Out[]>) {
    this.#call = call;
  }

  add(item: In): Promise<Out> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#busy) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        const results = await this.#call(batch.map(({ item }) => item));
        batch.forEach(({ resolve }, at) => resolve(results[at] as Out)); // one answer for each
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#busy = false;
  }
}
