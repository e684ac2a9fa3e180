import { type Clock, systemClock } from "../../clock.ts";
import type { Capabilities, Engine, EngineStart } from "../../engine.ts";
import { EngineError } from "../../errors.ts";
import { type DataFile, dataFileOf, needFile } from "./data-file.ts";
import type { Database } from "./database.ts";
import { SqliteDeadLetters } from "./dead-letters.ts";
import { isUntrustworthy, toFailure } from "./failures.ts";
import { FileWatch } from "./file-watch.ts";
import { SqliteLimits } from "./limits.ts";
import { checkAfterCrash, openDatabase } from "./open.ts";
import { SqlitePresence } from "./presence.ts";
import { SqliteQueue } from "./queue.ts";
import { SqliteSchedules } from "./schedules.ts";
import { Seat } from "./seat.ts";
import { Session } from "./session.ts";
import { SqliteSignals } from "./signals.ts";
import { SqliteState } from "./state.ts";
import { SqliteTransfer } from "./transfer.ts";

const PROVE_WRITABLE = "update meta set checks = checks + 1";

/**
 * The engine that keeps everything in one SQLite file: for one machine, with as many processes on the file as it has.
 *
 * What is published in one turn of the event loop shares a transaction. An acknowledged message survives the death of
 * the process; with `?synchronous=full` also a power cut.
 *
 * @param url `sqlite:data/app.db`, relative to the working directory, or `sqlite:/var/lib/app/app.db`; `?synchronous=full` for strict durability. @default synchronous=normal
 * @throws {EngineError} `ENGINE_URL_INVALID`. `start` rejects with a DataFileError when the file cannot be used.
 *
 * @example
 * const app = createApp({ engine: sqliteEngine("sqlite:data/app.db?synchronous=full") });
 */
export function sqliteEngine(url: string): Engine {
  return new SqliteEngine(dataFileOf(url));
}

class SqliteEngine implements Engine {
  readonly name = "sqlite";
  readonly location: string;
  readonly capabilities: Capabilities;
  readonly queue: SqliteQueue;
  readonly deadLetters: SqliteDeadLetters;
  readonly schedules: SqliteSchedules;
  readonly limits: SqliteLimits;
  readonly state: SqliteState;
  readonly presence: SqlitePresence;
  readonly signals: SqliteSignals;
  readonly transfer: SqliteTransfer;
  readonly #file: DataFile;
  readonly #seat = new Seat();
  #watch: FileWatch | undefined;
  #starting = false;
  #clock: Clock = systemClock;

  constructor(file: DataFile) {
    this.#file = file;
    this.location = `sqlite:${file.path}`;
    this.capabilities = Object.freeze({ durable: true, shared: true, strict: file.strict });
    this.queue = new SqliteQueue(this.#seat);
    this.deadLetters = new SqliteDeadLetters(this.#seat);
    this.schedules = new SqliteSchedules(this.#seat);
    this.limits = new SqliteLimits(this.#seat);
    this.state = new SqliteState(this.#seat);
    this.presence = new SqlitePresence(this.#seat);
    this.signals = new SqliteSignals(this.#seat);
    this.transfer = new SqliteTransfer(this.#seat);
  }

  async start({ clock, instance, lease, existing = false }: EngineStart): Promise<void> {
    if (this.#seat.taken || this.#starting) {
      throw new EngineError("ENGINE_STARTED", "The sqlite engine is started already: call stop() first.");
    }
    this.#starting = true;
    this.#clock = clock;
    let db: Database | undefined;
    try {
      if (existing) needFile(this.#file);
      db = await openDatabase(this.#file);
      const session = new Session(db, this.#file.path, clock, instance, lease);
      if (await this.presence.findsOrphans(session)) checkAfterCrash(db, this.#file.path);
      await this.presence.join(session);
      this.signals.join(session);
      this.#watch = new FileWatch(session);
      this.#seat.take(session);
    } catch (error) {
      db?.close();
      throw toFailure(error, this.#file.path);
    } finally {
      this.#starting = false;
    }
  }

  async stop(): Promise<void> {
    const session = this.#seat.leave();
    if (!session) return;
    this.#watch?.close();
    this.signals.close();
    session.wakes.close();
    try {
      // After all that was asked for before; what others are told of it they read from the file.
      await session.turn.write(() => this.presence.leave(session));
    } catch (error) {
      // What a file that is gone or damaged says of this instance does not matter any more.
      if (!isUntrustworthy(error)) throw error;
    } finally {
      session.db.close();
    }
  }

  /** The machine's time, which all processes on the file share. */
  now(): number {
    return this.#clock.now();
  }

  async check(): Promise<void> {
    await this.#seat.change(({ db }) => db.run(PROVE_WRITABLE));
  }
}
