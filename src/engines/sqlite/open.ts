import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { Database } from "./database.ts";
import type { DataFile } from "./data-file.ts";
import { corrupt, isBusy, toFailure, unwritable } from "./failures.ts";
import { migrate, schemaVersionOf } from "./migrations.ts";

/** For how long a start waits for other processes that are starting on the same file. */
const START_PATIENCE_MS = 10_000;
/** How long a call of SQLite may block the event loop to wait for the lock; longer waits are ours: see turn.ts. */
const BUSY_TIMEOUT_MS = 4;
/** A checkpoint waits for the disk: seldom (16 MB of log), since the same pages change again and again. */
const CHECKPOINT_PAGES = 4_000;
/** Above this size a whole check would hold up the start; below, it takes a fraction of a second. */
const CHECKED_SIZE = 64 * 1024 * 1024;

/**
 * Opens the data file, makes it when there is none, and brings its schema up to date.
 *
 * @throws {DataFileError} `DATA_FILE_UNWRITABLE`, `DATA_FILE_CORRUPT`, `DATA_FILE_FOREIGN`, `DATA_FILE_VERSION`; the file
 * is as it was then.
 */
export async function openDatabase(file: DataFile): Promise<Database> {
  const sqlite = await import("node:sqlite");
  const open = (readOnly: boolean): Database =>
    new Database(new sqlite.DatabaseSync(file.path, { readOnly, timeout: 1_000 }));
  for (const start = performance.now(); ;) {
    try {
      return prepare(file, open);
    } catch (error) {
      if (!isBusy(error) || performance.now() - start > START_PATIENCE_MS) throw toFailure(error, file.path);
    }
    // Real time, whatever the app's clock says: the lock is held by a real process.
    await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 20));
  }
}

/**
 * Looks for damage after a process did not stop properly: the whole file when it is small, and only its schema, which
 * was read anyway, when it is large.
 *
 * @throws {DataFileError} `DATA_FILE_CORRUPT`.
 */
export function checkAfterCrash(db: Database, path: string): void {
  if (statSync(path).size > CHECKED_SIZE) return;
  const [verdict] = db.get<[string]>("pragma quick_check(1)") ?? ["no answer"];
  if (verdict !== "ok") throw corrupt(path, verdict);
}

function prepare({ path, strict }: DataFile, open: (readOnly: boolean) => Database): Database {
  makeDirectory(path);
  inspect(path, open);
  const db = open(false);
  try {
    const [mode] = db.get<[string]>("pragma journal_mode = wal") ?? [];
    if (mode !== "wal") throw unwritable(path, `its journal mode stays "${mode}" where "wal" is needed`);
    db.exec(`pragma synchronous = ${strict ? "full" : "normal"}; pragma busy_timeout = ${BUSY_TIMEOUT_MS};
      pragma temp_store = memory; pragma cache_size = -16000; pragma journal_size_limit = 67108864;
      pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    migrate(db, path);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (cause) {
    throw unwritable(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Through a connection that cannot write, so that a file which is not ours stays as it is, to the byte. */
function inspect(path: string, open: (readOnly: boolean) => Database): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found && !found.isFile()) throw unwritable(path, "it is not a file");
  if (!found || found.size === 0) return;
  const db = open(true);
  try {
    schemaVersionOf(db, path);
  } finally {
    db.close();
  }
}
