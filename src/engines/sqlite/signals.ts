import type { Signals } from "../../engine.ts";
import type { Seat } from "./seat.ts";
import type { Session } from "./session.ts";

const SEND = "insert into signal (channel, body, at) values (?, ?, ?)";
const LAST = "select coalesce(max(id), 0) from signal";
const READ_AFTER = "select id, channel, body from signal where id > ? order by id";

/** Words between the processes of one file, this one included: rows that each process reads when it is woken. */
export class SqliteSignals implements Signals {
  readonly #seat: Seat;
  readonly #channels = new Map<string, Set<{ readonly hear: (body: string) => void }>>();
  /** The last signal that was heard, or that came when nobody listened. */
  #last = 0;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  /** Begins to hear. */
  join(session: Session): void {
    session.wakes.onNews(() => this.#deliver(session));
  }

  async send(channel: string, body: string): Promise<void> {
    await this.#seat.write((session) => {
      session.db.run(SEND, channel, body, session.now());
      session.wakes.news();
    });
  }

  listen(channel: string, hear: (body: string) => void): () => void {
    if (this.#channels.size === 0) this.#last = this.#seat.session.db.get<[number]>(LAST)?.[0] ?? 0;
    const listeners = this.#channels.get(channel) ?? new Set();
    this.#channels.set(channel, listeners);
    // Wrapped, so that one function may listen twice and end once.
    const listener = { hear };
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#channels.get(channel) === listeners) this.#channels.delete(channel);
    };
  }

  /** Ends all that listen. */
  close(): void {
    this.#channels.clear();
  }

  #deliver(session: Session): void {
    if (this.#channels.size === 0) return;
    for (const [id, channel, body] of session.db.all<[number, string, string]>(READ_AFTER, this.#last)) {
      this.#last = id;
      for (const { hear } of this.#channels.get(channel) ?? []) hear(body);
    }
  }
}
