import { DataFileError } from "../../errors.ts";
import type { Database } from "./database.ts";

/** `PRAGMA application_id` of our files: "DFrm". A SQLite file without it belongs to somebody else. */
export const APPLICATION_ID = 0x44_46_72_6d;

/**
 * The schema, step by step: entry N leads from version N to N + 1. Forward only; what was released is never changed.
 * A step must leave the file usable for processes that know the version before, or say so in docs/upgrading.
 */
const MIGRATIONS: readonly string[] = [
  // One row for each message and subscription. The row's number is the order of publishing and, for the message's first
  // row, its id: no further index is needed for it. states: 0 running, 1 ready, 2 waiting, 3 blocked: see states.ts.
  `create table meta (
     one integer primary key check (one = 1),
     name text not null,
     floor integer not null,
     subscriptions integer not null,
     tokens integer not null,
     checks integer not null
   );
   create table subscription (
     no integer primary key,
     handler text not null unique,
     topic text,
     active integer not null
   );
   create table delivery (
     seq integer primary key,
     sub integer not null,
     state integer not null,
     priority integer not null,
     attempt integer not null,
     token integer not null,
     published integer not null,
     due integer not null,
     until integer,
     owner integer,
     expires integer,
     message integer,
     key text,
     event text not null,
     headers text,
     steps text,
     errors text,
     payload text not null
   );
   create index delivery_work on delivery (sub, state, priority, seq);
   create index delivery_waiting on delivery (until) where state = 2;
   create index delivery_key on delivery (sub, key, seq) where key is not null;
   create index delivery_message on delivery (message) where message is not null;
   create table dead_letter (
     no integer primary key,
     seq integer not null,
     message integer,
     handler text not null,
     target text,
     event text not null,
     attempt integer not null,
     priority integer not null,
     key text,
     published integer not null,
     due integer not null,
     died integer not null,
     reason text not null,
     headers text,
     steps text,
     errors text,
     payload text not null
   );
   create index dead_letter_handler on dead_letter (handler);
   create index dead_letter_message on dead_letter (coalesce(message, seq));
   create table dedupe (key text primary key, id text not null, until integer not null) without rowid;
   create index dedupe_until on dedupe (until);
   create table schedule (
     task text primary key,
     hash text not null,
     definition text not null,
     next integer,
     paused integer not null,
     last_tick integer,
     last_success integer
   ) without rowid;
   create table limiter (key text primary key, size integer not null, used integer not null, until integer not null) without rowid;
   create index limiter_until on limiter (until);
   create table limiter_use (key text not null, slot integer not null, at integer not null, primary key (key, slot)) without rowid;
   create table state (key text primary key, value text not null) without rowid;
   create table instance (
     no integer primary key autoincrement,
     id text not null unique,
     host text not null,
     pid integer not null,
     version text not null,
     started integer not null,
     seen integer not null,
     beat real not null,
     lease integer not null,
     boot text not null,
     space text not null,
     process integer not null,
     born text not null
   );
   create table signal (id integer primary key autoincrement, channel text not null, body text not null, at integer not null);
   insert into meta values (1, lower(hex(randomblob(4))), 0, 1, 0, 0);`,
  // A task's last runs in a ring: run N of a task overwrites the one that stood in its place. The trigger, because whoever
  // removes a task need not know of them.
  `alter table schedule add column fired integer not null default 0;
   alter table schedule add column runs integer not null default 0;
   create table task_run (
     task text not null,
     place integer not null,
     no integer not null,
     tick integer not null,
     started integer not null,
     duration integer not null,
     outcome text not null,
     instance text not null,
     attempt integer not null,
     error text,
     primary key (task, place)
   ) without rowid;
   create trigger schedule_removed after delete on schedule begin
     delete from task_run where task = old.task;
   end;`,
  // What came from another engine keeps its id; and a file may be sealed: nothing is changed while its content moves.
  `create table foreign_id (seq integer primary key, id text not null unique);
   alter table meta add column seal text;`,
];

/** The schema that this version of the framework writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

const COUNT_TABLES = "select count(*) from sqlite_schema";

/**
 * Refuses a file that is not ours or that a newer version wrote; changes nothing. Answers the file's version, 0 for an
 * empty one.
 *
 * @throws {DataFileError} `DATA_FILE_FOREIGN`, `DATA_FILE_VERSION`.
 */
export function schemaVersionOf(db: Database, file: string): number {
  const version = pragma(db, "user_version");
  const application = pragma(db, "application_id");
  if (application === 0 && version === 0 && db.get<[number]>(COUNT_TABLES)?.[0] === 0) return 0;
  // Asked once more: another process may just have made the file, between the answers.
  if (application !== APPLICATION_ID && pragma(db, "application_id") !== APPLICATION_ID) {
    throw new DataFileError(
      "DATA_FILE_FOREIGN",
      file,
      `The file ${file} is a SQLite database of another program; it was not touched. Give the engine a file of its own.`,
    );
  }
  if (version > SCHEMA_VERSION) {
    throw new DataFileError(
      "DATA_FILE_VERSION",
      file,
      `The data file ${file} has schema version ${version}; this version of the framework knows up to ${SCHEMA_VERSION}. It was not touched. Run the newer version that wrote it, or restore a backup made before the upgrade.`,
    );
  }
  return version;
}

/** Brings the schema up to date in one transaction; of many processes that start at once, one does it. */
export function migrate(db: Database, file: string): void {
  if (schemaVersionOf(db, file) === SCHEMA_VERSION) return;
  db.exec("begin immediate");
  try {
    const version = schemaVersionOf(db, file);
    for (const step of MIGRATIONS.slice(version)) db.exec(step);
    db.exec(`pragma application_id = ${APPLICATION_ID}; pragma user_version = ${SCHEMA_VERSION}; commit`);
  } catch (error) {
    if (db.inTransaction) db.exec("rollback");
    throw error;
  }
}

function pragma(db: Database, name: "user_version" | "application_id"): number {
  return db.get<[number]>(`pragma ${name}`)?.[0] ?? 0;
}
