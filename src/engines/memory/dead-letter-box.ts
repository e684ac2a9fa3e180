import type { AttemptError, DeadLetter, DeadLetterFilter, DeadReason } from "../../engine.ts";
import type { Delivery, Message } from "./delivery.ts";

/** A dead letter with what is needed to bring it back. */
export interface Dead {
  readonly letter: DeadLetter;
  readonly message: Message;
}

/** All dead letters, oldest first, with an index by message. */
export class DeadLetterBox {
  readonly #all = new Set<Dead>();
  readonly #byId = new Map<string, Set<Dead>>();
  readonly #counts = new Map<string, number>();

  bury(delivery: Delivery, reason: DeadReason, error: AttemptError | undefined, now: number): void {
    if (error) delivery.addError(error);
    const { handler, attempt, steps, errors } = delivery;
    this.#add({
      message: delivery.message,
      letter: letterOf(delivery.message, now, { handler, attempt, reason, steps, errors }),
    });
  }

  /** Adds one as it is. */
  put(dead: Dead): void {
    this.#add({ ...dead, letter: Object.freeze(dead.letter) });
  }

  /** Keeps a message that nobody is subscribed to. */
  buryUnrouted(message: Message, now: number): void {
    const fate = {
      handler: "",
      attempt: 0,
      reason: "unrouted",
      steps: undefined,
      errors: undefined,
    } as const;
    this.#add({ message, letter: letterOf(message, now, fate) });
  }

  remove(dead: Dead): void {
    const { id, handler } = dead.letter;
    this.#all.delete(dead);
    const sameId = this.#byId.get(id);
    sameId?.delete(dead);
    if (sameId?.size === 0) this.#byId.delete(id);
    this.#counts.set(handler, this.countOf(handler) - 1);
    if (this.countOf(handler) === 0) this.#counts.delete(handler);
  }

  /** How many a handler has. */
  countOf(handler: string): number {
    return this.#counts.get(handler) ?? 0;
  }

  /** Those that fit the filter, oldest first, without its limit; none is skipped when found ones are removed on the way. */
  *matching(filter: DeadLetterFilter): Generator<Dead, undefined> {
    const candidates = filter.id === undefined ? this.#all : (this.#byId.get(filter.id) ?? []);
    for (const dead of candidates) if (fits(dead.letter, filter)) yield dead;
  }

  #add(dead: Dead): void {
    const { id, handler } = dead.letter;
    this.#all.add(dead);
    const sameId = this.#byId.get(id) ?? new Set();
    this.#byId.set(id, sameId.add(dead));
    this.#counts.set(handler, this.countOf(handler) + 1);
  }
}

function letterOf(
  { id, event, payload, headers, priority, key, publishedAt }: Message,
  diedAt: number,
  fate: Pick<DeadLetter, "handler" | "attempt" | "reason" | "steps" | "errors">,
): DeadLetter {
  return Object.freeze({ id, event, payload, headers, priority, key, publishedAt, diedAt, ...fate });
}

function fits(letter: DeadLetter, { handler, event, reason }: DeadLetterFilter): boolean {
  return (
    (handler === undefined || letter.handler === handler) &&
    (event === undefined || letter.event === event) &&
    (reason === undefined || letter.reason === reason)
  );
}
