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

  next(): number {
    if (this.#next === this.#end) {
      this.#end = this.#db.get<[number]>(RESERVE, BLOCK)?.[0] ?? 0;
      this.#next = this.#end - BLOCK;
    }
    return ++this.#next;
  }

  /** The reservation may have been undone. */
  forget(): void {
    this.#next = 0;
    this.#end = 0;
  }
}
