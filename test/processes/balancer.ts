/** Where a replica is, and whether it wants requests. */
interface Backend {
  readonly url: string;
  ready: boolean;
}

/** What a balancer was answered. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A request that was sent to a replica and got no answer: nobody knows if it was done. */
export class CutOff extends Error {
  /** Where it was sent. */
  readonly url: string;

  constructor(url: string, cause: unknown) {
    super(`${url} gave no answer: ${String((cause as Error).cause ?? cause)}`, { cause });
    this.url = url;
  }
}

const LOOK_EVERY_MS = 50;

/**
 * A small balancer, as others have them: it asks each replica's `/ready` again and again, sends requests round to those
 * that say yes, and tries another one only where the connection was refused, since then nothing was sent.
 */
export class Balancer implements Disposable {
  readonly #backends = new Map<string, Backend>();
  readonly #timer: NodeJS.Timeout;
  #turn = 0;

  constructor() {
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS);
  }

  /** Takes a replica in. */
  add(url: string): void {
    this.#backends.set(url, { url, ready: true });
  }

  remove(url: string): void {
    this.#backends.delete(url);
  }

  /** @throws {CutOff} */
  async send(path: string, body: object): Promise<Answer> {
    for (let left = this.#backends.size; ; left--) {
      const backend = this.#next();
      try {
        const response = await fetch(backend.url + path, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        });
        return { status: response.status, body: await response.json() };
      } catch (error) {
        const refused = String((error as { cause?: { code?: string } }).cause?.code) === "ECONNREFUSED";
        if (!refused || left <= 1) throw new CutOff(backend.url, error);
        backend.ready = false;
      }
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #next(): Backend {
    const all = [...this.#backends.values()];
    const ready = all.filter((backend) => backend.ready);
    const among = ready.length > 0 ? ready : all;
    const backend = among[this.#turn++ % among.length];
    if (!backend) throw new Error("the balancer has no replica");
    return backend;
  }

  async #look(): Promise<void> {
    await Promise.all(
      [...this.#backends.values()].map(async (backend) => {
        backend.ready = await fetch(`${backend.url}/ready`).then(
          ({ ok }) => ok,
          () => false,
        );
      }),
    );
  }
}
