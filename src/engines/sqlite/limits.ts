import type { StoredLimit, StoredRecord } from "../../engine-transfer.ts";
import type { Limits, Taken } from "../../engine.ts";
import type { Database } from "./database.ts";
import type { Seat } from "./seat.ts";

const READ = "select size, used from limiter where key = ?";
const READ_USE = "select at from limiter_use where key = ? and slot = ?";
const READ_USES = "select slot, at from limiter_use where key = ?";
const WRITE = `insert into limiter (key, size, used, until) values (?, ?, ?, ?)
  on conflict (key) do update set size = excluded.size, used = excluded.used, until = max(until, excluded.until)`;
const WRITE_USE =
  "insert into limiter_use (key, slot, at) values (?, ?, ?) on conflict (key, slot) do update set at = excluded.at";
const SET_USED = "update limiter set used = ? where key = ?";
const DELETE_USE = "delete from limiter_use where key = ? and slot = ?";
const DELETE_USES = "delete from limiter_use where key = ?";
const DELETE = "delete from limiter where key = ?";
const READ_ALL = "select key, size, used, until from limiter order by key";

/**
 * Strict sliding windows. Of a limit of N uses the moments of the last N are kept, in a ring: there is room if the one
 * about to be overwritten has left the window, so a use costs the same whatever the limit is.
 */
export class SqliteLimits implements Limits {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  take(key: string, limit: number, window: number): Promise<Taken> {
    return this.#seat.change((session) => {
      if (limit <= 0) return { ok: false, retryAfter: window };
      const ring = new Ring(session.db, `take:${key}`, limit);
      const now = session.now();
      const oldest = ring.at(0);
      if (oldest !== undefined && oldest > now - window) {
        // Not above the window, should somebody have set the clock back.
        return { ok: false, retryAfter: Math.min(oldest + window - now, window) };
      }
      ring.add(now, now + window);
      return { ok: true, retryAfter: 0 };
    });
  }

  giveBack(key: string): Promise<void> {
    return this.#seat.change(({ db }) => {
      const row = db.get<[number, number]>(READ, `take:${key}`);
      if (!row || row[1] === 0) return;
      const used = row[1] - 1;
      db.run(DELETE_USE, `take:${key}`, used % row[0]);
      db.run(SET_USED, used, `take:${key}`);
    });
  }

  hit(key: string, count: number, window: number): Promise<boolean> {
    return this.#seat.change((session) => {
      const now = session.now();
      const ring = new Ring(session.db, `hit:${key}`, Math.max(1, count));
      // This hit is one of them: the others are those from the second place on.
      const first = count <= 1 ? now : ring.at(1);
      if (first === undefined || first <= now - window) {
        ring.add(now, now + window);
        return false;
      }
      ring.clear();
      return true;
    });
  }
}

/** The moments of the last `size` uses of a key. */
class Ring {
  readonly #db: Database;
  readonly #key: string;
  readonly #size: number;
  #used: number;

  constructor(db: Database, key: string, size: number) {
    this.#db = db;
    this.#key = key;
    this.#size = size;
    const row = db.get<[number, number]>(READ, key);
    this.#used = row?.[1] ?? 0;
    if (row && row[0] !== size) this.#resize(row[0]);
  }

  /** The moment of the use in a place, 0 for the one that the next use overwrites; undefined when it was not used. */
  at(place: number): number | undefined {
    return this.#db.get<[number]>(READ_USE, this.#key, (this.#used + place) % this.#size)?.[0];
  }

  add(moment: number, until: number): void {
    this.#db.run(WRITE_USE, this.#key, this.#used % this.#size, moment);
    this.#used++;
    this.#db.run(WRITE, this.#key, this.#size, this.#used, until);
  }

  clear(): void {
    this.#db.run(DELETE_USES, this.#key);
    this.#db.run(DELETE, this.#key);
  }

  /** Keeps the latest uses that fit. */
  #resize(oldSize: number): void {
    const kept = usesOf(this.#db, this.#key, oldSize, this.#used).slice(-this.#size);
    this.#db.run(DELETE_USES, this.#key);
    kept.forEach((moment, slot) => void this.#db.run(WRITE_USE, this.#key, slot, moment));
    this.#used = kept.length;
    this.#db.run(WRITE, this.#key, this.#size, this.#used, kept.at(-1) ?? 0);
  }
}

/** The moments in a ring, oldest first. */
function usesOf(db: Database, key: string, size: number, used: number): number[] {
  const bySlot = new Map(db.all<[number, number]>(READ_USES, key));
  const uses: number[] = [];
  for (let back = 1; back <= Math.min(size, used); back++) {
    const moment = bySlot.get((used - back) % size);
    if (moment === undefined) break;
    uses.unshift(moment);
  }
  return uses;
}

/** All limits, to be carried over. */
export function storedLimits(db: Database): StoredRecord[] {
  return db.all<[string, number, number, number]>(READ_ALL).map(([name, size, used, until]) => {
    const [of, key] = name.startsWith("take:")
      ? (["take", name.slice(5)] as const)
      : (["hit", name.slice(4)] as const);
    return { kind: "limit", of, key, uses: usesOf(db, name, size, used), until };
  });
}

/** Stores a limit that was carried over; whoever uses it next says how large it is. */
export function storeLimit(db: Database, { of, key, uses, until }: StoredLimit): void {
  if (uses.length === 0) return;
  const name = `${of}:${key}`;
  uses.forEach((moment, slot) => void db.run(WRITE_USE, name, slot, moment));
  db.run(WRITE, name, uses.length, uses.length, until);
}
