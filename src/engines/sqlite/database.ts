import type { DatabaseSync, StatementSync } from "node:sqlite";

/** What a column holds. We store text and numbers only. */
export type Cell = string | number | null;

/**
 * A connection that prepares each statement once and answers rows as arrays, which node:sqlite makes several times
 * faster than objects. Errors are node:sqlite's own: see failures.ts.
 *
 * Write `limit ?+0`, never `limit ?`: SQLite plans by the value of a bare parameter there, and plans anew (10 µs) each
 * time it is bound.
 */
export class Database {
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(connection: DatabaseSync) {
    this.#connection = connection;
  }

  get inTransaction(): boolean {
    return this.#connection.isTransaction;
  }

  /** Runs statements that have no parameters and no result. */
  exec(sql: string): void {
    this.#connection.exec(sql);
  }

  /** Runs a statement; answers how many rows it changed. */
  run(sql: string, ...parameters: Cell[]): number {
    return Number(this.#statement(sql).run(...parameters).changes);
  }

  /** The first row; the caller says what its columns are. */
  get<Row extends readonly Cell[]>(sql: string, ...parameters: Cell[]): Row | undefined {
    // Arrays, since #statement asks for them; the caller wrote the columns and knows their types.
    return this.#statement(sql).get(...parameters) as unknown as Row | undefined;
  }

  /** All rows; the caller says what their columns are. */
  all<Row extends readonly Cell[]>(sql: string, ...parameters: Cell[]): Row[] {
    // As in get.
    return this.#statement(sql).all(...parameters) as unknown as Row[];
  }

  close(): void {
    this.#statements.clear();
    if (this.#connection.isOpen) this.#connection.close();
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#connection.prepare(sql);
    statement.setReturnArrays(true);
    this.#statements.set(sql, statement);
    return statement;
  }
}
