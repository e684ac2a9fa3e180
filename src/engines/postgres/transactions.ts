import type { NewMessage, Published } from "../../engine.ts";
import { EngineError } from "../../errors.ts";
import { toFailure } from "./failures.ts";
import { parcelOf } from "./publish.ts";
import type { Session } from "./session.ts";
import type { Value } from "./statement.ts";

/** A client of the package pg, in a transaction. */
interface PgClient {
  query(query: { text: string; values: Value[]; rowMode: "array" }): Promise<{ rows: unknown[][] }>;
  /** `I` outside of a transaction. */
  getTransactionStatus?(): string | null;
}

/** What the package postgres gives to the function of `sql.begin`. */
interface PostgresJs {
  unsafe(text: string, values: Value[]): { values(): Promise<unknown[][]> };
}

/**
 * Stores messages in a transaction of the caller's: they are there, and their notice goes out, when it commits; when it is
 * rolled back, or its client dies, they never were.
 *
 * @throws {EngineError} `ENGINE_TRANSACTION` for what is no client, or in no transaction; what the server says, after which the transaction can
 * only be rolled back.
 */
export async function publishInside(
  session: Session,
  messages: readonly NewMessage[],
  transaction: object,
): Promise<readonly Published[]> {
  const run = runnerOf(transaction);
  if (messages.length === 0) return [];
  // Asked of the server now: in there, an older state may be seen.
  await session.refresh();
  await session.needOpen();
  needBegun(transaction);
  const parcel = parcelOf(session, messages, { lane: null, batch: 0, open: true, me: 0, catalog: null });
  try {
    const rows = await run(session.sql.fill(`select ${parcel.call}::text`), [...parcel.values]);
    const published = parcel.read(rows[0]?.[0] as string | null | undefined); // one text, as it is asked for
    if (published) return await session.named(published);
  } catch (error) {
    throw toFailure(error, session.location);
  }
  throw new EngineError("ENGINE_FAILED", `${session.location} gave no numbers to what was published.`);
}

function runnerOf(transaction: object): (text: string, values: Value[]) => Promise<unknown[][]> {
  if (isPostgresJs(transaction)) return (text, values) => transaction.unsafe(text, values).values();
  if (isPgClient(transaction)) {
    return async (text, values) => (await transaction.query({ text, values, rowMode: "array" })).rows;
  }
  throw new EngineError(
    "ENGINE_TRANSACTION",
    'What was given as "transaction" is neither a client of the package pg in a transaction, nor the sql that sql.begin of the package postgres gives: a pool, and the sql that begins, take another connection.',
  );
}

/** Only who begins has `begin`: what is sent through that goes on any connection. */
function isPostgresJs(value: object): value is PostgresJs {
  return "unsafe" in value && typeof value.unsafe === "function" && !("begin" in value);
}

/** Only a pool counts its clients. */
function isPgClient(value: object): value is PgClient {
  return "query" in value && typeof value.query === "function" && !("totalCount" in value);
}

function needBegun(transaction: object): void {
  if (!isPgClient(transaction) || transaction.getTransactionStatus?.() !== "I") return;
  throw new EngineError(
    "ENGINE_TRANSACTION",
    'The client that was given as "transaction" is in none: send "begin" on it first, or leave "transaction" out. Nothing was stored.',
  );
}
