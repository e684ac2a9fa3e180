import type { State } from "../../engine.ts";
import type { Seat } from "./seat.ts";

/** Texts by key. */
export class MemoryState implements State {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  async get(key: string): Promise<string | undefined> {
    return this.#seat.store.facts.get(key);
  }

  async set(key: string, value: string): Promise<void> {
    this.#seat.open.facts.set(key, value);
  }

  async swap(key: string, expected: string | undefined, value: string): Promise<boolean> {
    if (this.#seat.open.facts.get(key) !== expected) return false;
    this.#seat.store.facts.set(key, value);
    return true;
  }

  async delete(key: string): Promise<void> {
    this.#seat.open.facts.delete(key);
  }

  async list(prefix: string): Promise<readonly (readonly [key: string, value: string])[]> {
    const found = [...this.#seat.store.facts].filter(([key]) => key.startsWith(prefix));
    return found.sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
