import { DataFileError, EngineError, FrameworkError } from "../../errors.ts";

/** SQLite's primary result codes that mean something of their own to us. */
const BUSY = 5;
const LOCKED = 6;
const READ_ONLY = 8;
const IO_ERROR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const NOT_A_DATABASE = 26;

/** Whether another process has the write lock, so that the same call may succeed in a moment. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === BUSY || code === LOCKED;
}

/** What, once it is met, holds until the process starts anew on a file that is in order. */
const LASTING = ["DATA_FILE_CORRUPT", "DATA_FILE_LOST", "DATA_FILE_VERSION"];

/** Whether nothing that the file says can be trusted any more, and nothing must be written to it. */
export function isUntrustworthy(error: unknown): error is DataFileError {
  return error instanceof DataFileError && LASTING.includes(error.code);
}

/** Turns what node:sqlite or the file system threw into an error that names the file and says what to do. */
export function toFailure(error: unknown, file: string): FrameworkError {
  if (error instanceof FrameworkError) return error;
  const options = { cause: error };
  const why = error instanceof Error ? error.message : String(error);
  switch (resultCode(error)) {
    case BUSY:
    case LOCKED:
      return busy(file, error);
    case FULL:
      return new EngineError(
        "ENGINE_FULL",
        `There is no room left for the data file ${file}: nothing of this call was stored. Free space on its disk.`,
        { ...options, retryable: true },
      );
    case IO_ERROR:
      return new EngineError(
        "ENGINE_UNAVAILABLE",
        `The disk under the data file ${file} failed (${why}): nothing of this call was stored. Look at the machine's log for disk errors.`,
        { ...options, retryable: true },
      );
    case CORRUPT:
    case NOT_A_DATABASE:
      return corrupt(file, why, error);
    case READ_ONLY:
    case CANNOT_OPEN:
      return unwritable(file, why, error);
    default:
      return new EngineError("ENGINE_FAILED", `The data file ${file} refused a call: ${why}.`, options);
  }
}

/** Another process held the write lock for longer than anybody should. */
export function busy(file: string, cause: unknown): EngineError {
  return new EngineError(
    "ENGINE_BUSY",
    `Another process kept the data file ${file} locked for too long: nothing of this call was stored. Try again; if it lasts, look for a tool that has the file open.`,
    { cause, retryable: true },
  );
}

export function corrupt(file: string, why: string, cause?: unknown): DataFileError {
  return new DataFileError(
    "DATA_FILE_CORRUPT",
    file,
    `The data file ${file} is damaged, or is not a SQLite database (${why}). It was left as it is: restore a backup in its place, or move it away to start with an empty one.`,
    { cause },
  );
}

export function unwritable(file: string, why: string, cause?: unknown): DataFileError {
  return new DataFileError(
    "DATA_FILE_UNWRITABLE",
    file,
    `The data file ${file} cannot be opened for writing (${why}). Check that its directory exists and that this user may write the file and the directory.`,
    { cause },
  );
}

export function lost(file: string): DataFileError {
  return new DataFileError(
    "DATA_FILE_LOST",
    file,
    `The data file ${file}, or the -wal or -shm beside it, was deleted or replaced while it was in use: nothing is accepted any more, since it could not be found again. Restart the process, on the file that should be there.`,
  );
}

/** The primary result code of an error of node:sqlite; undefined for any other. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number")
    return undefined;
  return error.errcode & 0xff;
}
