import { EngineError, FrameworkError, SealedError } from "../../errors.ts";
import { ConnectionLost } from "./connection.ts";

type Remedy = readonly [code: string, retryable: boolean, remedy: string];

/** Errors of the server by SQLSTATE (PostgreSQL manual, Appendix A), and of the system, that mean something of their own to us. */
const REMEDIES: Record<string, Remedy> = {
  "28P01": ["ENGINE_DENIED", false, "The password is wrong: check the engine's URL."],
  "28000": ["ENGINE_DENIED", false, "The server does not let this user in: check the user and pg_hba.conf."],
  "3D000": ["ENGINE_DENIED", false, "There is no such database: create it, or correct the engine's URL."],
  "42501": [
    "ENGINE_DENIED",
    false,
    "This user may not do that: grant it what docs/engines/postgres.md lists, or let the owner of the schema start first.",
  ],
  "25006": [
    "ENGINE_READ_ONLY",
    true,
    "The server only reads, as a standby does: give the URL of the primary.",
  ],
  "53100": [
    "ENGINE_FULL",
    true,
    "The server's disk is full: free space there. Nothing of this call was stored.",
  ],
  "53200": ["ENGINE_FULL", true, "The server is out of memory. Nothing of this call was stored."],
  "53300": [
    "ENGINE_UNAVAILABLE",
    true,
    "The server has no connection left: lower ?connections=, raise max_connections, or put a pooler in between (?pooler=transaction).",
  ],
  "57014": ["ENGINE_BUSY", true, "The statement took too long. Nothing of this call was stored."],
  "55P03": [
    "ENGINE_BUSY",
    true,
    "Somebody else keeps a row locked: look for a transaction that stays open. Nothing of this call was stored.",
  ],
  "40P01": ["ENGINE_BUSY", true, "The server broke a deadlock. Nothing of this call was stored."],
  "40001": ["ENGINE_BUSY", true, "Another transaction came in between. Nothing of this call was stored."],
  "42P01": ["ENGINE_SCHEMA", false, "A table is missing: start once with ?migrate=on as the schema's owner."],
  "42883": [
    "ENGINE_SCHEMA",
    false,
    "A function is missing: start once with ?migrate=on as the schema's owner.",
  ],
  "3F000": ["ENGINE_SCHEMA", false, "The schema is missing: start once with ?migrate=on as its owner."],
  "26000": [
    "ENGINE_FAILED",
    false,
    "A pooler is in between that gives each transaction another session: write ?pooler=transaction.",
  ],
  "25P02": [
    "ENGINE_FAILED",
    false,
    "The transaction that was given has failed before: nothing more counts in it.",
  ],
  ENOENT: ["ENGINE_FAILED", false, "The engine's URL names a file that is not there."],
  ENOTFOUND: ["ENGINE_UNAVAILABLE", true, "The host has no address: check the engine's URL and the DNS."],
  ECONNREFUSED: [
    "ENGINE_UNAVAILABLE",
    true,
    "Nobody listens there: check that the server runs, and the port.",
  ],
};
/** What Node says of a certificate. */
const UNTRUSTED =
  /^(SELF_SIGNED_CERT.*|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_.*|CERT_.*|ERR_TLS_CERT_ALTNAME_INVALID)$/;
const DISTRUST: Remedy = [
  "ENGINE_DENIED",
  false,
  "The server's certificate is not trusted: give its CA as ?sslrootcert=, and the host by a name that is in the certificate.",
];
const NO_TLS: Remedy = [
  "ENGINE_DENIED",
  false,
  "The URL's sslmode asks for TLS: set ssl = on in the server.",
];
/** The session is gone, or there will be none: connection exceptions, shutdown, crash of a neighbour, start-up. */
const UNREACHABLE = /^(08...|57P0[1-5]|ECONN.*|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)$/;

/** Raised by MUST_BE_OPEN. */
const SEALED = "DF002";

/** Whether the connection failed rather than the call: the call may have counted. */
export function isLost(error: unknown): boolean {
  return (
    error instanceof ConnectionLost ||
    UNREACHABLE.test(stateOf(error)) ||
    (error instanceof Error &&
      /^(Connection terminated|timeout expired|Client has encountered)/.test(error.message))
  );
}

/** Whether the same connect may succeed in a moment. */
export function isPassing(error: unknown): boolean {
  return isLost(error) || ["53300", "ENOTFOUND"].includes(stateOf(error));
}

/** Whether the call met another transaction, and may be made again at once: it did not count. */
export function isConflict(error: unknown): boolean {
  return ["40P01", "40001"].includes(stateOf(error));
}

/** Whether the schema does not have what we ask: it is another version's. */
export function isUndefined(error: unknown): boolean {
  return ["42P01", "42883", "3F000"].includes(stateOf(error));
}

/** Turns what pg, the server or the system said into an error that says where and what to do. */
export function toFailure(error: unknown, location: string): FrameworkError {
  if (error instanceof FrameworkError) return error;
  if (stateOf(error) === SEALED) return new SealedError(location, (error as Error).message);
  const why = error instanceof Error ? error.message : String(error);
  const [code, retryable, remedy] = remedyOf(error, why);
  return new EngineError(code, `${location}: ${why}. ${remedy}`, { cause: error, retryable });
}

function remedyOf(error: unknown, why: string): Remedy {
  const state = stateOf(error);
  const known = REMEDIES[state];
  if (known) return known;
  if (UNTRUSTED.test(state)) return DISTRUST;
  if (why.includes("does not support SSL")) return NO_TLS;
  return isLost(error)
    ? ["ENGINE_UNAVAILABLE", true, "The connection is being made anew."]
    : ["ENGINE_FAILED", false, "See the server's log."];
}

/** No answer in time; `doubt` where a change may have been stored all the same. */
export function unavailable(location: string, timeout: number, cause: unknown, doubt: boolean): EngineError {
  const why = cause instanceof Error ? cause.message : "no connection was free";
  const stored = doubt ? "It is not known whether this call was stored" : "Nothing of this call was stored";
  return new EngineError(
    "ENGINE_UNAVAILABLE",
    `${location} did not answer within ${timeout} ms (${why}). ${stored}; the connection is being made anew. Check that the server runs and can be reached.`,
    { cause, retryable: true },
  );
}

/** The SQLSTATE, or what the system calls the error; empty when it has neither. */
export function stateOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
