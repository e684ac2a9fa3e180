import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { sqliteEngine } from "../../../src/engines/sqlite/engine.ts";
import { APPLICATION_ID, SCHEMA_VERSION } from "../../../src/engines/sqlite/migrations.ts";
import { DataFileError } from "../../../src/errors.ts";
import { message, newDirectory, newPath, startEngine, startOptions } from "./data-dir.ts";

describe("opening a data file", () => {
  test("makes the file and its directories, marked as ours", async () => {
    const path = join(await newDirectory(), "deep", "down", "app.db");
    await startEngine(path);
    const db = new DatabaseSync(path, { readOnly: true });
    expect(db.prepare("pragma application_id").get()).toEqual({ application_id: APPLICATION_ID });
    expect(db.prepare("pragma user_version").get()).toEqual({ user_version: SCHEMA_VERSION });
    expect(db.prepare("pragma journal_mode").get()).toEqual({ journal_mode: "wal" });
    db.close();
  });

  test("takes an empty file for a new one", async () => {
    const path = await newPath();
    writeFileSync(path, "");
    const engine = await startEngine(path);
    expect((await engine.queue.publish([message()]))[0]?.deliveries).toBe(1);
  });

  test("of many that start at once on a new file all succeed", async () => {
    const path = await newPath();
    const engines = await Promise.all(Array.from({ length: 8 }, () => startEngine(path)));
    expect(await engines[0]?.presence.instances()).toHaveLength(8);
  });

  test("leaves one file behind when it stops, with everything in it", async () => {
    const path = await newPath();
    const engine = await startEngine(path);
    await engine.queue.publish([message()]);
    await engine.stop();
    expect([existsSync(`${path}-wal`), existsSync(`${path}-shm`)]).toEqual([false, false]);
    expect(await (await startEngine(path)).queue.list({})).toHaveLength(1);
  });
});

describe("a file that is not for us is left as it is", () => {
  test("the database of another program", async () => {
    const path = await newPath();
    withDatabase(path, "create table customers (name text); insert into customers values ('Ada')");
    expect(await refusal(path)).toMatchObject({ code: "DATA_FILE_FOREIGN", file: path });
  });

  test("a file that a newer version wrote, naming both versions", async () => {
    const path = await newPath();
    await (await startEngine(path)).stop();
    withDatabase(path, `pragma user_version = ${SCHEMA_VERSION + 1}`);
    const error = await refusal(path);
    expect(error.code).toBe("DATA_FILE_VERSION");
    expect(error.message).toContain(`schema version ${SCHEMA_VERSION + 1}`);
    expect(error.message).toContain(`up to ${SCHEMA_VERSION}`);
  });

  test("a file that is no database", async () => {
    const path = await newPath();
    writeFileSync(path, "dear diary, ".repeat(1_000));
    expect(await refusal(path)).toMatchObject({ code: "DATA_FILE_CORRUPT", file: path });
  });

  test("a file whose schema is damaged", async () => {
    const path = await newPath();
    await (await startEngine(path)).stop();
    const bytes = readFileSync(path);
    bytes.fill(0xff, 100, 4_096);
    writeFileSync(path, bytes);
    expect(await refusal(path)).toMatchObject({ code: "DATA_FILE_CORRUPT", file: path });
  });

  test("a damaged page is found after a process that did not stop properly", async () => {
    const path = await newPath();
    const engine = await startEngine(path);
    await engine.queue.publish(Array.from({ length: 1_000 }, () => message()));
    await engine.stop();
    // As it is left by a process that was killed on an earlier boot of the machine.
    withDatabase(
      path,
      `insert into instance (id, host, pid, version, started, seen, beat, lease, boot, space, process, born)
       values ('dead', 'host', 1, '1.0.0', 0, 0, 0, 30000, 'earlier', '', 1, '')`,
    );
    const bytes = readFileSync(path);
    const page = bytes.length - 20 * 4_096;
    bytes.fill(0xff, page, page + 4_096);
    writeFileSync(path, bytes);
    await expect(sqliteEngine(`sqlite:${path}`).start(startOptions())).rejects.toMatchObject({
      code: "DATA_FILE_CORRUPT",
      file: path,
    });
  });
});

describe("a place where nothing can be written", () => {
  test("a directory in the file's place", async () => {
    const path = await newPath();
    mkdirSync(path);
    await expect(startEngine(path)).rejects.toMatchObject({ code: "DATA_FILE_UNWRITABLE", file: path });
    expect(statSync(path).isDirectory()).toBe(true);
  });

  test("a file in its directory's place", async () => {
    const directory = await newDirectory();
    writeFileSync(join(directory, "data"), "not a directory");
    const path = join(directory, "data", "app.db");
    await expect(startEngine(path)).rejects.toMatchObject({ code: "DATA_FILE_UNWRITABLE", file: path });
  });
});

function withDatabase(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}

/** The start is refused, and each byte of the file is what it was. */
async function refusal(path: string): Promise<DataFileError> {
  const before = readFileSync(path);
  const error: unknown = await sqliteEngine(`sqlite:${path}`)
    .start(startOptions())
    .catch((reason: unknown) => reason);
  if (!(error instanceof DataFileError)) throw new Error("it was not refused", { cause: error });
  expect(error.retryable).toBe(false);
  expect(error.message).toContain(path);
  expect(readFileSync(path).equals(before)).toBe(true);
  return error;
}
