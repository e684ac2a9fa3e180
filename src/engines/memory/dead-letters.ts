import type { DeadLetter, DeadLetterFilter, DeadLetters } from "../../engine.ts";
import type { Dead } from "./dead-letter-box.ts";
import { Delivery } from "./delivery.ts";
import type { Seat } from "./seat.ts";

const DEFAULT_LIMIT = 100;

/** What failed for good, with its whole history. */
export class MemoryDeadLetters implements DeadLetters {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  async list(filter: DeadLetterFilter): Promise<readonly DeadLetter[]> {
    const found: DeadLetter[] = [];
    this.#each(filter, ({ letter }) => found.push(letter) > 0);
    return found;
  }

  async count(filter: DeadLetterFilter): Promise<number> {
    return this.#each({ ...filter, limit: Number.POSITIVE_INFINITY }, () => true);
  }

  async replay(filter: DeadLetterFilter): Promise<number> {
    return this.#each(filter, (dead) => this.#revive(dead));
  }

  async discard(filter: DeadLetterFilter): Promise<number> {
    return this.#each(filter, (dead) => {
      this.#seat.open.dead.remove(dead);
      return true;
    });
  }

  /** Does something to each, oldest first, until `limit` of them were `done`; answers how many. */
  #each(filter: DeadLetterFilter, done: (dead: Dead) => boolean): number {
    const limit = filter.limit ?? DEFAULT_LIMIT;
    let count = 0;
    if (limit <= 0) return count;
    for (const dead of this.#seat.store.dead.matching(filter)) {
      if (done(dead) && ++count >= limit) break;
    }
    return count;
  }

  /** False when nobody is subscribed: it stays, and takes no other's place in the limit. */
  #revive(dead: Dead): boolean {
    const { handler, steps, errors } = dead.letter;
    const now = this.#seat.store.now();
    // Who replays a message wants it to run: neither its delay nor its end counts any more.
    const message = { ...dead.message, due: now, expires: undefined };
    const backlogs =
      handler === ""
        ? this.#seat.store.backlogsFor(message)
        : this.#seat.store.backlogsFor({ ...message, to: handler });
    if (backlogs.length === 0) return false;
    this.#seat.open.dead.remove(dead);
    for (const backlog of backlogs) {
      const delivery = new Delivery(message, backlog);
      delivery.steps = steps;
      delivery.errors = errors;
      this.#seat.store.add(delivery);
    }
    return true;
  }
}
