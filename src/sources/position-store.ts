import type { Clock } from "../clock.ts";
import type { State } from "../engine.ts";
import type { Logger } from "../log.ts";
import { type FilePosition, formatPosition, NOWHERE, parsePosition } from "./file-position.ts";

/** Lines and milliseconds after which a position is stored at the latest. */
const SAVE_LINES = 1_000;
const SAVE_MS = 1_000;

/** Keeps a follower's position in a state, and writes it only so often: each line's would cost more than the line. */
export class PositionStore {
  readonly #key: string;
  readonly #state: Pick<State, "get" | "set"> | undefined;
  readonly #clock: Clock;
  readonly #log: Logger;
  #moves = 0;
  #savedAt = 0;

  constructor(key: string, state: Pick<State, "get" | "set"> | undefined, clock: Clock, log: Logger) {
    this.#key = key;
    this.#state = state;
    this.#clock = clock;
    this.#log = log;
  }

  /** The stored position, or undefined when there is none; what cannot be read counts as the beginning. */
  async load(): Promise<FilePosition | undefined> {
    const text = await this.#state?.get(this.#key);
    if (text === undefined) return undefined;
    const position = parsePosition(text);
    if (!position) this.#log.warn({ text }, "the stored position cannot be read: reading from the start");
    return position ?? NOWHERE;
  }

  /** To be called each time the position has changed. */
  moved(): void {
    this.#moves++;
  }

  /** Whether the position has changed, and often or long enough ago to be stored. */
  get due(): boolean {
    const late = this.#clock.elapsed() - this.#savedAt >= SAVE_MS;
    return this.#moves >= SAVE_LINES || (this.#moves > 0 && late);
  }

  /** Stores a position. A state that fails is logged, and the next position tried in its turn: reading goes on. */
  async save(position: FilePosition): Promise<void> {
    this.#savedAt = this.#clock.elapsed();
    this.#moves = 0;
    try {
      await this.#state?.set(this.#key, formatPosition(position));
    } catch (error) {
      this.#moves = 1;
      const message = "the position could not be stored: after a restart lines may come again";
      this.#log.error({ err: error }, message);
    }
  }
}
