import type { Database } from "./database.ts";
import { WAITING } from "./states.ts";

const EARLIEST = `select min(until) from delivery where state = ${WAITING}`;

/** The moment at which the next waiting delivery falls due: asked of the file only when it may have become later. */
export class DueDates {
  readonly #db: Database;
  #known = false;
  #next = Number.POSITIVE_INFINITY;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Infinity when nothing waits. */
  get next(): number {
    if (!this.#known) {
      this.#next = this.#db.get<[number | null]>(EARLIEST)?.[0] ?? Number.POSITIVE_INFINITY;
      this.#known = true;
    }
    return this.#next;
  }

  /** A delivery waits until then. */
  add(until: number): void {
    if (until < this.#next) this.#next = until;
  }

  /** Waiting deliveries were taken away, or others have changed the file. */
  forget(): void {
    this.#known = false;
  }
}
