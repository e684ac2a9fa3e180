import { toMs } from "../../duration.ts";
import { EngineError } from "../../errors.ts";

/** What the URL of a Postgres engine says. */
export interface ServerUrl {
  /** For the client: server, database, user and TLS. */
  readonly connect: string;
  /** The same for the connection that listens; undefined when it is the same server. */
  readonly listen: string | undefined;
  /** For people: no password. */
  readonly location: string;
  readonly schema: string;
  /** Connections for statements at the most; one more listens. */
  readonly connections: number;
  /** How long a call may take, reconnecting included, in milliseconds. */
  readonly timeout: number;
  /** Between us and the server is a pooler that gives each transaction another session. */
  readonly pooled: boolean;
  /** Whether the schema is brought up to date at the start. */
  readonly migrate: boolean;
  /** What `synchronous_commit` is set to; undefined: the server's. */
  readonly synchronous: "on" | "off" | undefined;
}

const FORM =
  "Write postgres://user:password@host:5432/database, with ?schema=, connections=, timeout=, pooler=, listen=, migrate=, synchronous= or sslmode= where needed.";
/** Read by the client itself. */
const OF_THE_CLIENT = ["sslmode", "sslrootcert", "sslcert", "sslkey", "application_name"];
const OURS = ["schema", "connections", "timeout", "pooler", "listen", "migrate", "synchronous"];

/**
 * Reads a URL such as `postgres://app@db.internal/shop?schema=orders&connections=6`.
 *
 * @throws {EngineError} `ENGINE_URL_INVALID` for an unknown parameter or value.
 */
export function serverUrlOf(text: string): ServerUrl {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.pathname.length < 2) throw invalid(url, "names no database");
  const parameters = new Map(url.searchParams);
  for (const name of parameters.keys()) {
    if (!OURS.includes(name) && !OF_THE_CLIENT.includes(name))
      throw invalid(url, `has the unknown parameter "${name}"`);
  }
  const one = <T extends string>(name: string, values: readonly T[]): T | undefined => {
    const value = parameters.get(name);
    const known = values.find((each) => each === value);
    if (value !== undefined && known === undefined)
      throw invalid(url, `has ${name}=${value}; it is ${values.join(" or ")}`);
    return known;
  };
  const pooled = one("pooler", ["transaction", "none"]) === "transaction";
  return {
    connect: bare(url),
    listen: parameters.get("listen"),
    location: locationOf(url),
    schema: schemaOf(url, parameters.get("schema") ?? "decorator_framework"),
    connections: numberOf(url, "connections", parameters.get("connections") ?? "4"),
    timeout: timeoutOf(url, parameters.get("timeout") ?? "10s"),
    pooled,
    migrate: one("migrate", ["on", "off"]) !== "off",
    synchronous: one("synchronous", ["on", "off"]),
  };
}

/** Without our own parameters. */
function bare(url: URL): string {
  const copy = new URL(url);
  for (const name of OURS) copy.searchParams.delete(name);
  return copy.href;
}

/** Under the engine's name, whichever of its schemes was written; whoever is told to go there finds the schema, too. */
function locationOf({ username, host, pathname, searchParams }: URL): string {
  const schema = searchParams.get("schema");
  const which = schema === null ? "" : `?schema=${schema}`;
  return `postgres://${username === "" ? "" : `${username}@`}${host}${pathname}${which}`;
}

/** An identifier of the server has 63 bytes at the most; longer ones would be cut without a word. */
function schemaOf(url: URL, schema: string): string {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) return schema;
  throw invalid(url, `has schema=${schema}; a schema is made of up to 63 of a-z, 0-9 and _`);
}

function numberOf(url: URL, name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 100) return value;
  throw invalid(url, `has ${name}=${text}; it is a whole number from 1 to 100`);
}

function timeoutOf(url: URL, text: string): number {
  try {
    const ms = toMs(/^\d+$/.test(text) ? Number(text) : text);
    if (ms >= 100) return ms;
  } catch {
    // Said below.
  }
  throw invalid(url, `has timeout=${text}; it is a duration of at least 100ms`);
}

function invalid(url: URL | undefined, fault: string): EngineError {
  const which = url ? `"${locationOf(url)}" ` : "";
  return new EngineError("ENGINE_URL_INVALID", `The engine URL ${which}${fault}. ${FORM}`);
}
