import type { Database } from "./database.ts";

/** How many are reserved at a time, so that the file is seldom written for them. */
const BLOCK = 1_000_000;

const RESERVE = "update meta set tokens = tokens + ? returning tokens";

/** Gives each claim a fencing token that no other claim of this file had or will have. */
export class Tokens {
  readonly #db: Database;
  #next = 0;
  #end = 0;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The first of so many in a row. */
  next(count: number): number {
    if (this.#next + count > this.#end) {
      const block = Math.max(BLOCK, count);
      this.#end = this.#db.get<[number]>(RESERVE, block)?.[0] ?? 0;
      this.#next = this.#end - block;
    }
    const first = this.#next + 1;
    this.#next += count;
    return first;
  }

  /** The reservation may have been undone. */
  forget(): void {
    this.#next = 0;
    this.#end = 0;
  }
}
