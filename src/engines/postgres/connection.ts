import type { Client, ClientConfig } from "pg";
import { loadClient } from "../../engine-kit/load-client.ts";
import { Batch } from "./batch.ts";
import type { ServerUrl } from "./server-url.ts";
import type { Row, Statement } from "./statement.ts";

/** How long the server may take to accept a connection. */
const CONNECT_MS = 5_000;
/** A statement does not outlive who asked by long. `$3`: for one transaction only. */
const SETTLE = `select set_config('lock_timeout', '20s', $3), set_config('statement_timeout', $1, $3),
  set_config('synchronous_commit', coalesce($2, current_setting('synchronous_commit')), $3)`;
/** A client that has vanished keeps what it has locked for 25 s at the most. */
const KEEP_ALIVE: Statement = {
  text: `select set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false),
    set_config('tcp_keepalives_count', '3', false), set_config('idle_in_transaction_session_timeout', '30s', false)`,
  values: [],
};

/** The connection broke while a call was under way: whether it counts is not known. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** A word that another session has sent. */
export type Hear = (payload: string) => void;

/** One session on the server: what it is asked together counts together. */
export class Connection {
  /** Why it cannot be used any more; undefined while it can. */
  fault: Error | undefined;
  readonly #client: Client;
  readonly #prepared: Set<string> | undefined;
  readonly #onEnd = new Set<() => void>();

  private constructor(client: Client, pooled: boolean) {
    this.#client = client;
    this.#prepared = pooled ? undefined : new Set();
    // pg tells of the same end by several events, or by one only.
    client.on("error", (error) => this.#ended(error));
    client.on("end", () => this.#ended(new ConnectionLost("the server closed the connection")));
  }

  /** @throws what pg or the system says: see failures.ts. */
  static async open(url: ServerUrl, connect = url.connect): Promise<Connection> {
    const { default: pg } = await loadClient("postgres", "pg", () => import("pg"));
    const pooled = url.pooled && connect === url.connect;
    const client = new pg.Client(configOf(connect));
    const connection = new Connection(client, pooled);
    try {
      await client.connect();
      if (!pooled) await connection.run([settings(url, false), KEEP_ALIVE], CONNECT_MS);
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  }

  /** Runs statements in one transaction and one round trip; answers the rows of each. @param timeout Milliseconds; after them the connection is given up. */
  run(statements: readonly Statement[], timeout: number): Promise<Row[][]> {
    if (this.fault) return Promise.reject(this.fault);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#destroy(new ConnectionLost(`no answer came within ${timeout} ms`));
      }, timeout);
      let over = false;
      const lost = (): void => end(this.fault);
      const end = (error?: unknown): void => {
        if (over) return;
        over = true;
        clearTimeout(late);
        this.#onEnd.delete(lost);
        if (error === undefined) resolve(batch.results);
        else reject(error);
      };
      const batch = new Batch(statements, this.#prepared, end);
      this.#onEnd.add(lost);
      this.#client.query(batch as { submit: (wire: unknown) => void });
    });
  }

  /** Hears all that is sent to a channel. */
  async listen(channel: string, hear: Hear): Promise<void> {
    this.#client.on("notification", ({ payload = "" }) => hear(payload));
    await this.run([{ text: `listen ${channel}`, values: [] }], CONNECT_MS);
  }

  /** Calls back once when it can be used no more. */
  onEnd(run: () => void): void {
    if (this.fault) run();
    else this.#onEnd.add(run);
  }

  /** Says good-bye; what is under way is given up. */
  close(): void {
    const { stream } = wireOf(this.#client);
    this.#ended(new ConnectionLost("the connection was closed"));
    void this.#client.end().catch(() => {});
    // A server that does not answer does not take a good-bye either.
    setTimeout(() => stream.destroy(), 1_000).unref();
  }

  /** Whether it alone keeps the process running. */
  unref(): void {
    wireOf(this.#client).stream.unref?.();
  }

  #destroy(error: Error): void {
    this.#ended(error);
    wireOf(this.#client).stream.destroy();
  }

  #ended(error: Error): void {
    this.fault ??= error;
    const waiting = [...this.#onEnd];
    this.#onEnd.clear();
    for (const run of waiting) run();
  }
}

/** pg's Connection, which its types leave out. */
function wireOf(client: Client): { readonly stream: { destroy(): void; unref?(): void } } {
  return (client as unknown as { connection: { stream: { destroy(): void; unref?(): void } } }).connection;
}

function configOf(connectionString: string): ClientConfig {
  return {
    connectionString,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    fallback_application_name: "decorator-framework",
  };
}

/** What a session is set to. @param local For the transaction that it goes in, where the next one has another session. */
export function settings({ timeout, synchronous }: ServerUrl, local: boolean): Statement {
  return {
    text: SETTLE,
    values: [String(Math.max(60_000, 2 * timeout)), synchronous ?? null, String(local)],
  };
}
