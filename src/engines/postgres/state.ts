import type { State } from "../../engine.ts";
import type { Seat } from "./seat.ts";
import { withNul, withoutNul } from "./statement.ts";

const GET = "select value from {s}.state where key = $1";
const SET = `insert into {s}.state (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value`;
const ADD = "insert into {s}.state (key, value) values ($1, $2) on conflict (key) do nothing returning key";
const SWAP = "update {s}.state set value = $3 where key = $1 and value = $2 returning key";
const DELETE = "delete from {s}.state where key = $1";
/** By bytes; the last code point comes after all that may follow a prefix. */
const LIST = `select key, value from {s}.state where key >= $1 and key < $1 || U&'\\+10FFFF' order by key`;

/** Small durable facts. */
export class PostgresState implements State {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  async get(key: string): Promise<string | undefined> {
    const [row] = await this.#seat.session.call(GET, withoutNul(key));
    return row && withNul(row[0] ?? "");
  }

  async set(key: string, value: string): Promise<void> {
    await this.#seat.session.change(SET, withoutNul(key), withoutNul(value));
  }

  async swap(key: string, expected: string | undefined, value: string): Promise<boolean> {
    const { session } = this.#seat;
    const [name, text] = [withoutNul(key), withoutNul(value)];
    const swap =
      expected === undefined
        ? session.sql.statement(ADD, name, text)
        : session.sql.statement(SWAP, name, withoutNul(expected), text);
    // Not twice: of a swap that counted, the second try would say that it did not.
    const [rows = []] = await session.changeAll([swap], undefined, false);
    return rows.length === 1;
  }

  async delete(key: string): Promise<void> {
    await this.#seat.session.change(DELETE, withoutNul(key));
  }

  async list(prefix: string): Promise<readonly (readonly [key: string, value: string])[]> {
    const rows = await this.#seat.session.readSlowly(LIST, withoutNul(prefix));
    return rows.map(([key, value]) => [withNul(key ?? ""), withNul(value ?? "")] as const);
  }
}
