import type { Row, Statement } from "./statement.ts";

/** What the client lets us do with the wire: pg's Connection, of which its types tell little. */
export interface Wire {
  parse(message: { readonly name: string; readonly text: string }): void;
  bind(message: { readonly statement: string; readonly values: readonly (string | null)[] }): void;
  execute(message: object): void;
  close(message: { readonly type: "S"; readonly name: string }): void;
  sync(): void;
  readonly stream: { cork(): void; uncork(): void };
}

/**
 * Several statements that go to the server in one piece and share one transaction: all of them count or none, after one
 * round trip. (The extended protocol commits at Sync: PostgreSQL manual, "Message Flow", "Pipelining".)
 *
 * It is what pg calls a submittable: pg hands it the wire and what comes back.
 */
export class Batch {
  readonly results: Row[][] = [];
  /** Nothing: pg notes no statement of ours. */
  readonly name = undefined;
  readonly #statements: readonly Statement[];
  readonly #prepared: Set<string> | undefined;
  readonly #fresh: string[] = [];
  readonly #end: (error?: unknown) => void;
  #rows: Row[] = [];
  #failure: unknown;

  /**
   * @param prepared The statements that this session knows by name; undefined where sessions change with each transaction.
   * @param end Called once: when all of it counts, or with the reason why nothing does.
   */
  constructor(
    statements: readonly Statement[],
    prepared: Set<string> | undefined,
    end: (error?: unknown) => void,
  ) {
    this.#statements = statements;
    this.#prepared = prepared;
    this.#end = end;
  }

  submit(wire: Wire): void {
    wire.stream.cork();
    for (const { text, values } of this.#statements) {
      wire.bind({ statement: this.#prepare(wire, text), values });
      wire.execute({});
    }
    wire.sync();
    wire.stream.uncork();
  }

  handleDataRow({ fields }: { readonly fields: Row }): void {
    this.#rows.push(fields);
  }

  handleCommandComplete(): void {
    this.results.push(this.#rows);
    this.#rows = [];
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete();
  }

  /** At the end of the transaction; what failed is told then, too, so that the connection is free again. */
  handleReadyForQuery(): void {
    for (const text of this.#fresh) this.#prepared?.add(text);
    this.#end();
  }

  handleError(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#end(error);
  }

  handleRowDescription(): void {}
  handlePortalSuspended(): void {}

  /** The name of the statement: the server keeps its plan under it. Closed first, since what failed half-way may be there. */
  #prepare(wire: Wire, text: string): string {
    if (!this.#prepared) {
      wire.parse({ name: "", text });
      return "";
    }
    const name = nameOf(text);
    if (!this.#prepared.has(text) && !this.#fresh.includes(text)) {
      wire.close({ type: "S", name });
      wire.parse({ name, text });
      this.#fresh.push(text);
    }
    return name;
  }
}

const names = new Map<string, string>();

function nameOf(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = `df_${names.size}`;
  names.set(text, name);
  return name;
}
