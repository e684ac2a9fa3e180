import { EngineError, FrameworkError, SealedError } from "../../errors.ts";

/** Replies of a server that is there and cannot do it just now: the same call may succeed in a moment. */
const PASSING = [
  "LOADING",
  "READONLY",
  "MASTERDOWN",
  "CLUSTERDOWN",
  "TRYAGAIN",
  "BUSY",
  "MOVED",
  "ASK",
  "NOREPLICAS",
  "UNBLOCKED",
];
/** The client's words for a connection that it had not got, and for a server that told it to come again until it gave up: nothing was done. */
const NOT_SENT =
  /isn't writeable|Cluster isn't ready|None of startup nodes|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ReplyError: (TRYAGAIN|MOVED|ASK|CLUSTERDOWN)/;

/** The first word of a server's reply: `OOM`, `NOSCRIPT`, … Empty when the error is no reply. */
export function replyCode(error: unknown): string {
  if (!(error instanceof Error) || error.name !== "ReplyError") return "";
  return /^[A-Z]+/.exec(error.message)?.[0] ?? "ERR";
}

/** Whether waiting may help: there is no connection, or the server is about to be ready. */
export function isPassing(error: unknown): boolean {
  const code = replyCode(error);
  if (code === "") return !(error instanceof FrameworkError);
  return PASSING.includes(code) || /max number of clients/.test((error as Error).message);
}

/** Whether the server may have done what it did not answer for. */
export function mayBeDone(error: unknown): boolean {
  return replyCode(error) === "" && !NOT_SENT.test(String(error));
}

/** Turns what the client threw into an error that says what to do. @param location Without the password. */
export function toFailure(error: unknown, location: string): FrameworkError {
  if (error instanceof FrameworkError) return error;
  const why = error instanceof Error ? error.message : String(error);
  const code = replyCode(error);
  if (code === "SEALED") return new SealedError(location, why.slice(code.length + 1));
  if (code === "OOM") {
    return new EngineError(
      "ENGINE_FULL",
      `${location} has reached its maxmemory: nothing of this call was stored. Raise maxmemory, or let the workers catch up.`,
      { cause: error, retryable: true },
    );
  }
  if (code === "MISCONF") {
    return new EngineError(
      "ENGINE_FULL",
      `${location} cannot write to its disk, and takes no writes: nothing of this call was stored. Look at the server's log and free space on its disk.`,
      { cause: error, retryable: true },
    );
  }
  if (code === "WRONGPASS" || code === "NOAUTH" || /without any password configured/.test(why)) {
    return new EngineError(
      "ENGINE_DENIED",
      `${location} refused the user or password (${why}). Check them in the engine URL; percent-encode special characters.`,
      { cause: error },
    );
  }
  if (code === "NOPERM") {
    return new EngineError(
      "ENGINE_DENIED",
      `${location} does not let this user do that (${why}). docs/engines/redis.md lists what it needs.`,
      { cause: error },
    );
  }
  if (/DB index is out of range|SELECT is not allowed/.test(why)) {
    return new EngineError("ENGINE_URL_INVALID", `${location} has no such database (${why}). Use /0.`, {
      cause: error,
    });
  }
  if (isPassing(error)) return unavailable(location, why, { cause: error, unsure: mayBeDone(error) });
  return new EngineError("ENGINE_FAILED", `${location} refused a call: ${why}.`, { cause: error });
}

/** The server cannot be reached, or cannot work now. @param options.unsure The call may have been done. */
export function unavailable(
  location: string,
  why: string,
  { cause, unsure = false }: { readonly cause?: unknown; readonly unsure?: boolean } = {},
): EngineError {
  const done = unsure ? " The connection broke in the middle of the call: it may have been done or not." : "";
  return new EngineError(
    "ENGINE_UNAVAILABLE",
    `${location} cannot be used right now (${why}).${done} Check that the server runs and can be reached from here.`,
    { cause, retryable: true },
  );
}

/** What was in the server is not there any more. */
export function storeLost(location: string): EngineError {
  return new EngineError(
    "ENGINE_STORE_LOST",
    `What was stored in ${location} is gone: it was flushed, or the server came back without its data. Nothing is accepted until this process is started anew; then it begins with an empty store, or with the one that was restored.`,
  );
}

/** A publisher fell silent for longer than its lease in the middle of a call, and what it had stored was tidied up. */
export function givenUp(location: string): EngineError {
  return unavailable(location, "this instance was taken for dead while it published", { unsure: true });
}
