import type { EngineStart } from "../../engine.ts";
import { EngineError, SealedError } from "../../errors.ts";
import { Catalog, READ_META, READ_SUBSCRIPTIONS } from "./catalog.ts";
import { isUndefined } from "./failures.ts";
import { Listener } from "./listener.ts";
import { LostClaims } from "./lost-claims.ts";
import { checkVersion } from "./migrations.ts";
import { OPEN } from "./open.ts";
import { Pool } from "./pool.ts";
import { Publishing } from "./publish-lane.ts";
import type { ServerTime } from "./server-time.ts";
import type { ServerUrl } from "./server-url.ts";
import type { PostgresSignals } from "./signals.ts";
import { type Argument, numbers, type Row, Sql, type Statement } from "./statement.ts";
import { Wakes } from "./wakes.ts";
import { WorkLane } from "./work-lane.ts";

const FOREIGN_SEQ = "select seq from {s}.foreign_id where id = $1";
const FOREIGN_IDS = "select seq, id from {s}.foreign_id where seq = any ($1)";
/** How long what looks at much may take: lists, counts. */
const SLOW_MS = 60_000;
/** How long a new connection may take to answer for the first time. */
const GREETING_MS = 5_000;

/** One start of the engine on its server: the connections, and what is kept in memory of the schema. */
export class Session {
  readonly url: ServerUrl;
  readonly start: EngineStart;
  readonly time: ServerTime;
  readonly sql: Sql;
  readonly pool: Pool;
  readonly catalog = new Catalog();
  readonly wakes = new Wakes(this.catalog);
  readonly lostClaims = new LostClaims(this);
  readonly publishing: Publishing;
  readonly work: WorkLane;
  readonly listener: Listener;
  /** This instance's number in the schema; a new one when it had been given up as dead. */
  instance = 0;
  /** Whether it has ended. */
  over = false;
  /** Why nothing can be done on this schema any more; undefined while it can. */
  fault: Error | undefined;
  /** Why nothing of what the schema holds may be changed; undefined while it may. */
  seal: string | undefined;
  #idPrefix = "";
  /** Up to this number a message may have an id from another engine. */
  #foreignUpTo = 0;

  constructor(url: ServerUrl, start: EngineStart, time: ServerTime, signals: PostgresSignals) {
    this.url = url;
    this.start = start;
    this.time = time;
    this.sql = new Sql(url.schema);
    this.pool = new Pool(url, (connection) =>
      time.sync((statements) => connection.run(statements, GREETING_MS)),
    );
    this.publishing = new Publishing(this);
    this.work = new WorkLane(this);
    const hear = (word: string): void =>
      word.startsWith("w") ? this.wakes.hear(word, this.instance) : signals.hear(word, this);
    this.listener = new Listener(this, hear, () => {
      this.wakes.touch("all");
      if (!this.listener.possible) void signals.read(this, true);
    });
  }

  /** Ends all connections. */
  close(): void {
    this.over = true;
    this.listener.close();
    this.pool.close();
  }

  get location(): string {
    return this.url.location;
  }

  now(): number {
    return this.time.now();
  }

  /** Runs one statement; it may come twice, where the connection breaks before its answer. */
  async call(template: string, ...values: Argument[]): Promise<Row[]> {
    return await this.#run(template, values, true);
  }

  /** As {@link call}, but never twice: a connection that breaks is an error. */
  async callOnce(template: string, ...values: Argument[]): Promise<Row[]> {
    return await this.#run(template, values, false);
  }

  /** As {@link call}, for what may look at a million rows. */
  async readSlowly(template: string, ...values: Argument[]): Promise<Row[]> {
    return await this.#run(template, values, true, Math.max(SLOW_MS, this.url.timeout));
  }

  /** As {@link call}, for what changes the content. @throws {SealedError} */
  async change(template: string, ...values: Argument[]): Promise<Row[]> {
    return (await this.changeAll([this.sql.statement(template, ...values)]))[0] ?? [];
  }

  /** The same for several, all or none. */
  async changeAll(statements: readonly Statement[], timeout?: number, again = true): Promise<Row[][]> {
    if (this.fault) throw this.fault;
    const options = { again, ...(timeout !== undefined && { timeout }) };
    return (await this.pool.run([this.sql.statement(OPEN), ...statements], options)).slice(1);
  }

  /** Reads the subscriptions again. @throws {EngineError} `ENGINE_SCHEMA` when a newer version has changed the schema. */
  async refresh(): Promise<void> {
    if (this.fault) throw this.fault;
    const { sql, url } = this;
    const [[meta] = [], rows = []] = await this.pool.run([
      sql.statement(READ_META),
      sql.statement(READ_SUBSCRIPTIONS),
    ]);
    const [version, oldest, name, catalog, foreignUpTo, seal] = meta ?? [];
    try {
      checkVersion(url, Number(version), Number(oldest));
    } catch (error) {
      this.fault = error as Error; // it throws nothing else
      throw error;
    }
    this.#idPrefix = `${name}-`;
    this.#foreignUpTo = Number(foreignUpTo);
    this.seal = seal ?? undefined;
    this.catalog.load(Number(catalog), rows);
  }

  /** Refuses changes of a schema that is sealed. @throws {SealedError} */
  async needOpen(): Promise<void> {
    // Perhaps it has been opened again.
    if (this.seal !== undefined) await this.refresh();
    if (this.seal !== undefined) throw new SealedError(this.location, this.seal);
  }

  /** The id that this schema gives to the message whose first delivery has this number. Ids of two schemas do not meet. */
  ownIdOf(seq: number): string {
    return this.#idPrefix + seq.toString(36);
  }

  /** The number of the message's first delivery; undefined for an id that this schema never gave. */
  ownSeqOf(id: string): number | undefined {
    if (!id.startsWith(this.#idPrefix)) return undefined;
    const seq = Number.parseInt(id.slice(this.#idPrefix.length), 36);
    return this.ownIdOf(seq) === id ? seq : undefined;
  }

  /** As {@link ownSeqOf}, of messages from other engines, too. */
  async seqOf(id: string): Promise<number | undefined> {
    const own = this.ownSeqOf(id);
    if (own !== undefined || this.#foreignUpTo === 0) return own;
    const [row] = await this.call(FOREIGN_SEQ, id);
    return row && Number(row[0]);
  }

  /** Gives messages from other engines their own ids, where a schema's own stand. */
  async named<T extends { readonly id: string }>(items: readonly T[]): Promise<readonly T[]> {
    if (this.#foreignUpTo === 0) return items;
    const seqs = items.map(({ id }) => this.ownSeqOf(id) ?? Number.POSITIVE_INFINITY);
    const foreign = seqs.filter((seq) => seq <= this.#foreignUpTo);
    if (foreign.length === 0) return items;
    const ids = new Map(
      (await this.call(FOREIGN_IDS, numbers(foreign))).map(([seq, id]) => [Number(seq), id]),
    );
    return items.map((item, at) => ({ ...item, id: ids.get(seqs[at] ?? 0) ?? item.id }));
  }

  async #run(
    template: string,
    values: readonly Argument[],
    again: boolean,
    timeout?: number,
  ): Promise<Row[]> {
    if (this.fault) throw this.fault;
    const statement = this.sql.statement(template, ...values);
    try {
      const [rows = []] = await this.pool.run([statement], {
        again,
        ...(timeout !== undefined && { timeout }),
      });
      return rows;
    } catch (error) {
      // Perhaps another version has changed the schema: that says more.
      if (error instanceof EngineError && isUndefined(error.cause)) await this.refresh();
      throw error;
    }
  }
}
