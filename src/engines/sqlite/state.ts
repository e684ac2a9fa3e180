import type { State } from "../../engine.ts";
import type { Seat } from "./seat.ts";

const GET = "select value from state where key = ?";
const SET =
  "insert into state (key, value) values (?, ?) on conflict (key) do update set value = excluded.value";
const ADD = "insert into state (key, value) values (?, ?) on conflict (key) do nothing";
const SWAP = "update state set value = ? where key = ? and value = ?";
const DELETE = "delete from state where key = ?";
/** The last code point comes after all that may follow a prefix. */
const LIST = "select key, value from state where key >= ?1 and key < ?1 || char(0x10ffff) order by key";

/** Small durable facts. */
export class SqliteState implements State {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  get(key: string): Promise<string | undefined> {
    return this.#seat.read(({ db }) => db.get<[string]>(GET, key)?.[0]);
  }

  async set(key: string, value: string): Promise<void> {
    await this.#seat.change(({ db }) => db.run(SET, key, value));
  }

  swap(key: string, expected: string | undefined, value: string): Promise<boolean> {
    return this.#seat.change(
      ({ db }) =>
        (expected === undefined ? db.run(ADD, key, value) : db.run(SWAP, value, key, expected)) === 1,
    );
  }

  async delete(key: string): Promise<void> {
    await this.#seat.change(({ db }) => db.run(DELETE, key));
  }

  list(prefix: string): Promise<readonly (readonly [key: string, value: string])[]> {
    return this.#seat.read(({ db }) => db.all<[string, string]>(LIST, prefix));
  }
}
