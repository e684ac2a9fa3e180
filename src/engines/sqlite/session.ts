import type { Clock } from "../../clock.ts";
import type { InstanceInfo } from "../../engine.ts";
import { SealedError } from "../../errors.ts";
import { Catalog } from "./catalog.ts";
import type { Database } from "./database.ts";
import { DueDates } from "./due-dates.ts";
import { isUntrustworthy, toFailure } from "./failures.ts";
import { schemaVersionOf } from "./migrations.ts";
import { Sequence } from "./sequence.ts";
import { Tokens } from "./tokens.ts";
import { Turn, type TurnEvents } from "./turn.ts";
import { Wakes } from "./wakes.ts";

const DATA_VERSION = "pragma data_version";
const READ_META = `select name, floor, subscriptions, coalesce((select max(seq) from delivery), 0),
  exists (select 1 from instance where no = ?), coalesce((select max(seq) from foreign_id), 0), seal from meta`;

type Meta = [
  name: string,
  floor: number,
  subscriptions: number,
  highest: number,
  present: number,
  foreignUpTo: number,
  seal: string | null,
];

/** One start of the engine on its data file: the connection, and what is kept in memory of the file. */
export class Session implements TurnEvents {
  readonly db: Database;
  readonly path: string;
  readonly clock: Clock;
  readonly info: InstanceInfo;
  readonly lease: number;
  readonly turn: Turn;
  readonly catalog: Catalog;
  readonly sequence: Sequence;
  readonly tokens: Tokens;
  readonly due: DueDates;
  readonly wakes: Wakes;
  /** This instance's number in the file; a new one when it had been given up as dead. */
  instance = 0;
  /** Whether the others have given this instance up as dead. */
  givenUp = false;
  /** Why nothing of what the file holds may be changed; undefined while it may. */
  seal: string | undefined;
  /** Counts this process's own transactions. */
  commits = 0;
  /** Why the file cannot be trusted any more; undefined while it can. */
  fault: Error | undefined;
  /** The file's version as SQLite counts it: it changes with each commit of another process. */
  #version: number | undefined;

  constructor(db: Database, path: string, clock: Clock, info: InstanceInfo, lease: number) {
    this.db = db;
    this.path = path;
    this.clock = clock;
    this.info = info;
    this.lease = lease;
    this.turn = new Turn(db, path, this);
    this.catalog = new Catalog(db);
    this.sequence = new Sequence(db);
    this.tokens = new Tokens(db);
    this.due = new DueDates(db);
    this.wakes = new Wakes(this.catalog);
  }

  now(): number {
    return this.clock.now();
  }

  /** To be called in a transaction that would change what the file holds. @throws {SealedError} */
  needOpen(): void {
    if (this.seal !== undefined) throw new SealedError(`sqlite:${this.path}`, this.seal);
  }

  /** What is kept in memory of the file is read anew with the next transaction. */
  forget(): void {
    this.#version = undefined;
    this.catalog.forget();
  }

  began(): void {
    if (this.fault) throw this.fault;
    const version = this.#dataVersion();
    if (version === this.#version) return;
    this.wakes.sawVersion(version);
    // A newer version of the framework may have changed what the file looks like.
    schemaVersionOf(this.db, this.path);
    const meta = this.db.get<Meta>(READ_META, this.instance);
    if (meta === undefined) throw new Error("the data file has lost its table of contents");
    const [name, floor, subscriptions, highest, present, foreignUpTo, seal] = meta;
    this.sequence.load(name, floor, highest, foreignUpTo);
    this.seal = seal ?? undefined;
    this.catalog.load(subscriptions);
    this.due.forget();
    this.givenUp = this.instance !== 0 && present === 0;
    this.#version = version;
  }

  committed(): void {
    this.commits++;
    this.wakes.call();
  }

  undone(): void {
    this.forget();
    this.tokens.forget();
  }

  failed(error: unknown): void {
    if (isUntrustworthy(error)) this.fault = error;
  }

  /** Looks whether another process has changed the file since the last time, and wakes who listens if so. */
  look(): boolean {
    let changed = false;
    try {
      changed = this.wakes.sawVersion(this.#dataVersion());
    } catch (error) {
      this.failed(toFailure(error, this.path));
    }
    this.wakes.call();
    return changed;
  }

  #dataVersion(): number {
    return this.db.get<[number]>(DATA_VERSION)?.[0] ?? 0;
  }
}
