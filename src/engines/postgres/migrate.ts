import { randomBytes } from "node:crypto";
import { EngineError, UnsupportedError } from "../../errors.ts";
import { stateOf } from "./failures.ts";
import { checkVersion, MIGRATIONS, SCHEMA_VERSION } from "./migrations.ts";
import type { Pool } from "./pool.ts";
import type { ServerUrl } from "./server-url.ts";
import { Sql, type Statement } from "./statement.ts";

/** What we use is there since 12; older ones are not tested. */
const OLDEST_SERVER = 130_000;

const SERVER = `select current_setting('server_version_num'), current_setting('server_version'), pg_is_in_recovery(),
  current_setting('fsync'), to_regclass('{s}.meta') is not null`;
const VERSIONS = "select version, oldest from {s}.meta";
/** Of many that start at once, one makes the step. */
const LOCK = "select pg_advisory_xact_lock(hashtextextended('decorator-framework {s}', 0))";
/** Divides by zero, so that nothing of the step counts, where another has made it meanwhile. */
const STILL = "select 1 / (to_regclass('{s}.meta') is null)::int";
const STILL_AT = "select 1 / count(*) from {s}.meta where version = $1";
const INIT = "insert into {s}.meta (version, oldest, name, catalog, foreign_up_to) values (1, 1, $1, 1, 0)";
const RAISE = "update {s}.meta set version = $1, oldest = $2, catalog = catalog + 1";
const DIVISION_BY_ZERO = "22012";
/** A step may have to rewrite an index of many rows. */
const STEP_TIMEOUT_MS = 600_000;

/**
 * Looks whether the server is one that can be used, and brings the schema up to date unless the URL says that others do.
 *
 * @throws {EngineError} `ENGINE_SERVER_OLD`, `ENGINE_READ_ONLY`, `ENGINE_SCHEMA`, `ENGINE_DENIED`; nothing was changed.
 */
export async function prepareSchema(pool: Pool, url: ServerUrl): Promise<void> {
  const sql = new Sql(url.schema);
  let version = await versionOf(pool, url, sql);
  while (url.migrate && version < SCHEMA_VERSION) {
    try {
      await pool.run(stepOf(sql, url.schema, version), { timeout: STEP_TIMEOUT_MS });
    } catch (error) {
      if (!(error instanceof EngineError) || stateOf(error.cause) !== DIVISION_BY_ZERO) throw error;
    }
    version = await versionOf(pool, url, sql);
  }
  checkVersion(url, version, 0);
}

/** The schema's version, 0 where there is none. */
async function versionOf(pool: Pool, url: ServerUrl, sql: Sql): Promise<number> {
  const [[server] = []] = await pool.run([sql.statement(SERVER)]);
  const [number, name, standby, fsync, exists] = server ?? [];
  if (Number(number) < OLDEST_SERVER) {
    throw new EngineError(
      "ENGINE_SERVER_OLD",
      `${url.location} is PostgreSQL ${name}; version 13 or newer is needed. Upgrade the server.`,
    );
  }
  if (standby === "t") {
    throw new EngineError(
      "ENGINE_READ_ONLY",
      `${url.location} is a standby, which only reads: give the URL of the primary.`,
      { retryable: true },
    );
  }
  if (url.synchronous === "on" && fsync === "off") {
    throw new UnsupportedError(
      "postgres",
      "strict durability: its server runs with fsync = off, and may lose in a power cut what it has acknowledged",
      "Set fsync = on in the server, or leave ?synchronous=on out.",
    );
  }
  if (exists !== "t") return 0;
  const [[versions] = []] = await pool.run([sql.statement(VERSIONS)]);
  checkVersion(url, Math.max(Number(versions?.[0]), SCHEMA_VERSION), Number(versions?.[1]));
  return Number(versions?.[0]);
}

/** One step, all of it or nothing. */
function stepOf(sql: Sql, schema: string, from: number): Statement[] {
  const step = MIGRATIONS[from];
  if (!step) return [];
  const statements = step.statements.map((text) => sql.statement(text));
  const lock = sql.statement(LOCK);
  if (from > 0) {
    const raise = sql.statement(RAISE, from + 1, step.oldest);
    return [lock, sql.statement(STILL_AT, from), ...statements, raise];
  }
  const create = sql.statement(`create schema if not exists ${schema}`);
  const name = randomBytes(4).toString("hex");
  return [lock, sql.statement(STILL), create, ...statements, sql.statement(INIT, name)];
}
