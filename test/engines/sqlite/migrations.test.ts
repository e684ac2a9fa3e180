import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { type Cell, Database } from "../../../src/engines/sqlite/database.ts";
import { migrate, SCHEMA_VERSION, schemaVersionOf } from "../../../src/engines/sqlite/migrations.ts";
import { newPath } from "./data-dir.ts";

test("a file that another process makes while it is looked at is not taken for a stranger's", async () => {
  const path = await newPath();
  const other = new Database(new DatabaseSync(path));
  const looking = new Interrupted(new DatabaseSync(path), () => migrate(other, path));
  onTestFinished(() => {
    looking.close();
    other.close();
  });
  expect(schemaVersionOf(looking, path)).toBeLessThanOrEqual(SCHEMA_VERSION);
  migrate(looking, path);
  expect(schemaVersionOf(looking, path)).toBe(SCHEMA_VERSION);
});

/** Something happens before its tables are counted. */
class Interrupted extends Database {
  readonly #interrupt: () => void;

  constructor(connection: DatabaseSync, interrupt: () => void) {
    super(connection);
    this.#interrupt = interrupt;
  }

  override get<Row extends readonly Cell[]>(sql: string, ...parameters: Cell[]): Row | undefined {
    if (sql.includes("sqlite_schema")) this.#interrupt();
    return super.get<Row>(sql, ...parameters);
  }
}

test("a file of the first version is brought up to date with the schedules that are in it", async () => {
  const path = await newPath();
  const db = new Database(new DatabaseSync(path));
  onTestFinished(() => db.close());
  migrate(db, path);
  db.exec(`drop trigger schedule_removed; drop table task_run; alter table schedule drop column fired;
    alter table schedule drop column runs; drop table foreign_id; alter table meta drop column seal; pragma user_version = 1;
    insert into schedule (task, hash, definition, next, paused) values ('t', 'h', '{}', 5, 0)`);
  migrate(db, path);
  expect(schemaVersionOf(db, path)).toBe(SCHEMA_VERSION);
  expect(db.get("select task, next, fired, runs from schedule")).toEqual(["t", 5, 0, 0]);
  expect(db.get("select count(*) from task_run")).toEqual([0]);
});
