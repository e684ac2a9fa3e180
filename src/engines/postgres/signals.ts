import type { Signals } from "../../engine.ts";
import type { Seat } from "./seat.ts";
import type { Session } from "./session.ts";
import { withNul, withoutNul } from "./statement.ts";

/** A notice has 8,000 bytes at the most. */
const LONGEST_NOTICE = 7_900;
/** How far the clocks of two replicas, each set by the server's, may be apart. */
const CLOCKS_APART_MS = 100;
/** A word takes no longer than this; later, moments are not compared any more, since somebody may set the clock. */
const ON_ITS_WAY_MS = 2_000;

const SEND = "select {s}.send_1($1, $2, $3)";
const LAST = "select coalesce(max(no), 0) from {s}.signal";
const READ = "select no, channel, body, at from {s}.signal where no > $1 and (large or $2) order by no";

/** Says a word to all: in a notice, unless it is too long, and in a row where somebody cannot hear notices. */
export const SEND_SCRIPT = `create function {s}.send_1(p_channel text, p_body text, p_now bigint) returns void language plpgsql as $$
declare v_word text := 's' || p_now || ':' || length(p_channel) || ':' || p_channel || p_body; v_large boolean := octet_length(v_word) > ${LONGEST_NOTICE};
begin
  if v_large or exists (select from {s}.instance i where not i.listens) then
    insert into {s}.signal (channel, body, large, at) values (p_channel, p_body, v_large, p_now);
  end if;
  perform pg_notify('{s}', case when v_large then 'r' else v_word end);
end $$`;

interface Listener {
  readonly hear: (body: string) => void;
  /** What was said before, and was still on its way, is not for it. */
  readonly since: number;
  /** By performance.now(). */
  readonly began: number;
}

/** Words between the replicas, this one included. */
export class PostgresSignals implements Signals {
  readonly #seat: Seat;
  readonly #channels = new Map<string, Set<Listener>>();
  /** The last row that was read. */
  #last = 0;
  #reading = false;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  /** Begins to hear. */
  async join(session: Session): Promise<void> {
    this.#last = Number((await session.call(LAST))[0]?.[0]);
  }

  async send(channel: string, body: string): Promise<void> {
    const { session } = this.#seat;
    await session.callOnce(SEND, withoutNul(channel), withoutNul(body), session.now());
  }

  listen(channel: string, hear: (body: string) => void): () => void {
    const { session } = this.#seat;
    const listeners = this.#channels.get(channel) ?? new Set();
    this.#channels.set(channel, listeners);
    // Wrapped, so that one function may listen twice and end once.
    const listener = { hear, since: session.now() - CLOCKS_APART_MS, began: performance.now() };
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#channels.get(channel) === listeners) this.#channels.delete(channel);
    };
  }

  /** A notice of SEND_SCRIPT. */
  hear(word: string, session: Session): void {
    if (word.startsWith("r")) return void this.read(session, false);
    const [at = "", length = ""] = word.split(":", 2);
    const start = at.length + length.length + 2;
    const end = start + Number(length);
    this.#tell(word.slice(start, end), word.slice(end), Number(at.slice(1)));
  }

  /** Reads what stands in rows. @param all Also what notices have told: for who cannot hear them. */
  async read(session: Session, all: boolean): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      for (const [no, channel, body, at] of await session.call(READ, this.#last, all)) {
        this.#last = Number(no);
        this.#tell(channel ?? "", body ?? "", Number(at));
      }
    } catch {
      // A signal is heard at most once; the engine's state tells of what is wrong.
    } finally {
      this.#reading = false;
    }
  }

  /** Ends all that listen. */
  close(): void {
    this.#channels.clear();
  }

  #tell(channel: string, body: string, at: number): void {
    for (const { hear, since, began } of this.#channels.get(withNul(channel)) ?? [])
      if (at >= since || performance.now() - began > ON_ITS_WAY_MS) hear(withNul(body));
  }
}
