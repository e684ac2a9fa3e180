import type { Database } from "./database.ts";

/** How far the floor is moved ahead at a time, so that it is seldom written. */
const FLOOR_STEP = 256;

const RAISE_FLOOR = "update meta set floor = ?";
const ADOPT = "insert into foreign_id (seq, id) values (?, ?)";
const FOREIGN_ID = "select id from foreign_id where seq = ?";
const FOREIGN_SEQ = "select seq from foreign_id where id = ?";

/**
 * Gives out the numbers of deliveries, which are also the ids of messages, so none is ever given twice.
 *
 * SQLite's autoincrement would promise that with one more write for each row. Here the file has a floor: every number
 * of a row that is gone lies at or below it, so the next number is one above the floor and above all rows.
 */
export class Sequence {
  readonly #db: Database;
  #name = "";
  #next = 1;
  #floor = 0;
  /** Up to this number a message may have an id from another engine. */
  #foreignUpTo = 0;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Takes over what the file says. */
  load(name: string, floor: number, highest: number, foreignUpTo: number): void {
    this.#name = `${name}-`;
    this.#floor = floor;
    this.#foreignUpTo = foreignUpTo;
    this.#next = Math.max(floor, highest) + 1;
  }

  next(): number {
    return this.#next++;
  }

  /** To be told before the row with this number goes. */
  retire(seq: number): void {
    if (seq <= this.#floor) return;
    this.#floor = Math.max(seq, this.#next - 1) + FLOOR_STEP;
    this.#db.run(RAISE_FLOOR, this.#floor);
  }

  /** Retires the last number, with so many behind it that stay free for what is to stand in the same place one day. */
  reserve(seq: number, count: number): void {
    this.#next = Math.max(this.#next, seq + count + 1);
    this.retire(seq + count);
  }

  /** Gives the id of a message from another engine to the next number. */
  adopt(id: string): number {
    const seq = this.next();
    this.#foreignUpTo = seq;
    this.#db.run(ADOPT, seq, id);
    return seq;
  }

  /** The id of the message whose first delivery has this number. Ids of two data files do not meet. */
  idOf(seq: number): string {
    const foreign = seq > this.#foreignUpTo ? undefined : this.#db.get<[string]>(FOREIGN_ID, seq);
    return foreign ? foreign[0] : this.#name + seq.toString(36);
  }

  /** The number of the message's first delivery; undefined for an id that this file never gave. */
  seqOf(id: string): number | undefined {
    const foreign = this.#foreignUpTo === 0 ? undefined : this.#db.get<[number]>(FOREIGN_SEQ, id);
    if (foreign) return foreign[0];
    if (!id.startsWith(this.#name)) return undefined;
    const seq = Number.parseInt(id.slice(this.#name.length), 36);
    return this.idOf(seq) === id ? seq : undefined;
  }
}
