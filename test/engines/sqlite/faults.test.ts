import {
  copyFileSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type Clock, systemClock } from "../../../src/clock.ts";
import type { Engine } from "../../../src/engine.ts";
import { sqliteEngine } from "../../../src/engines/sqlite/engine.ts";
import { SCHEMA_VERSION } from "../../../src/engines/sqlite/migrations.ts";
import { type App, createApp, createRegistry } from "../../../src/index.ts";
import { faultsOf } from "../../crash/consistency.ts";
import { message, newPath, startEngine, startOptions, until } from "./data-dir.ts";
import { Replica } from "./replica.ts";
import { mark, smallDisk } from "./small-disk.ts";

const WANT = [{ handler: "h", limit: 1_000 }];
const PAGE = 4_096;

describe("a full disk", () => {
  test("refuses what does not fit, keeps what was acknowledged, and goes on when there is room", async (context) => {
    const disk = await smallDisk(context);
    const path = join(disk.directory, "app.db");
    const app = await startApp(path);
    const { engine } = app;
    const first = await engine.queue.publish([message(), message()]);
    disk.fill();
    const { ids, refusal } = await publishUntilRefused(engine);
    expect(refusal).toMatchObject({ code: "ENGINE_FULL", retryable: true });
    const acknowledged = [...first.map(({ id }) => id), ...ids];
    await until("it is not ready", async () => (await app.ready()).status === "down");
    expect((await app.ready()).problems.join()).toContain(`no room left for the data file ${path}`);
    expect(await idsOf(engine)).toEqual(acknowledged);

    disk.free();
    await engine.check();
    expect((await app.ready()).status).toBe("ok");
    expect((await engine.queue.publish([message()]))[0]?.deliveries).toBe(1);
    const { claims } = await engine.queue.claim(WANT);
    expect(claims.map(({ id }) => id).slice(0, -1)).toEqual(acknowledged);
    expect(await engine.queue.settle(claims.map((claim) => ({ claim, kind: "done" })))).not.toContain(false);
    expect(faultsOf(path)).toEqual([]);
  });

  test("refuses the start, and leaves no half-made file behind that would refuse the next", async (context) => {
    const disk = await smallDisk(context);
    const path = join(disk.directory, "app.db");
    disk.fill();
    await expect(sqliteEngine(`sqlite:${path}`).start(startOptions())).rejects.toMatchObject({
      code: "ENGINE_FULL",
    });
    disk.free();
    const engine = await startEngine(path);
    expect((await engine.queue.publish([message()]))[0]?.deliveries).toBe(1);
  });
});

describe("what cannot be written", () => {
  test("a file system that is read-only", async (context) => {
    const disk = await smallDisk(context);
    const path = join(disk.directory, "app.db");
    await filled(path, 10);
    disk.freeze();
    await isUnwritable(path);
  });

  test("a file that nobody may change", async (context) => {
    const path = await newPath();
    await filled(path, 10);
    mark(context, "+i", path);
    onTestFinished(() => mark(context, "-i", path));
    await isUnwritable(path);
  });

  test("a directory in which nobody may make a file", async (context) => {
    const path = await newPath();
    await filled(path, 10);
    mark(context, "+i", join(path, ".."));
    onTestFinished(() => mark(context, "-i", join(path, "..")));
    await isUnwritable(path);
  });

  test("a file that becomes so while it is in use: unready, and ready again when it is over", async (context) => {
    const path = await newPath();
    const engine = await startEngine(path);
    await engine.queue.publish([message()]);
    for (const name of [path, `${path}-wal`]) {
      mark(context, "+i", name);
      onTestFinished(() => void (existsSync(name) && mark(context, "-i", name)));
    }
    const refused = await engine.check().then(
      () => undefined,
      (error: unknown) => error,
    );
    for (const name of [path, `${path}-wal`]) mark(context, "-i", name);
    if (refused === undefined)
      return context.skip("this file system lets open files be written all the same");
    expect(refused).toMatchObject({
      code: expect.stringMatching(/ENGINE_UNAVAILABLE|DATA_FILE_UNWRITABLE/) as string,
    });
    await engine.check();
    expect(await idsOf(engine)).toHaveLength(1);
  });
});

describe("files that are taken away while they are in use", () => {
  test.each(["", "-wal", "-shm"])(
    "app.db%s: noticed at once, and nothing is accepted any more",
    async (suffix) => {
      const path = await newPath();
      const engine = await startEngine(path);
      await engine.queue.publish([message()]);
      rmSync(path + suffix);
      const start = performance.now();
      await until("the loss is noticed", () =>
        engine.check().then(
          () => false,
          () => true,
        ),
      );
      expect(performance.now() - start).toBeLessThan(500);
      await expect(engine.queue.publish([message()])).rejects.toMatchObject({
        code: "DATA_FILE_LOST",
        file: path,
      });
      await expect(engine.queue.claim(WANT)).rejects.toMatchObject({ code: "DATA_FILE_LOST" });
      await engine.stop();
    },
  );
});

describe("damage", () => {
  test("pages in the middle of a file: named when touched, and never written over", async () => {
    const path = await newPath();
    await filled(path, 2_000);
    const [first, last] = damage(path);
    const damaged = readFileSync(path).subarray(first, last);
    const app = await startApp(path);
    const { engine } = app;
    await expect(engine.queue.list({ limit: Infinity })).rejects.toMatchObject({
      code: "DATA_FILE_CORRUPT",
      file: path,
    });
    expect((await app.ready()).status).toBe("down");
    await expect(engine.queue.publish([message()])).rejects.toMatchObject({ code: "DATA_FILE_CORRUPT" });
    await app.stop();
    expect(readFileSync(path).subarray(first, last).equals(damaged)).toBe(true);
  });

  test("found at the start after a crash: the file is left as it is, to the byte", async () => {
    const path = await newPath();
    await filled(path, 2_000);
    const db = new DatabaseSync(path);
    db.exec(`insert into instance (id, host, pid, version, started, seen, beat, lease, boot, space, process, born)
      values ('dead', 'host', 1, '1.0.0', 0, 0, 0, 30000, 'earlier', '', 1, '')`);
    db.close();
    damage(path);
    const before = readFileSync(path);
    await expect(sqliteEngine(`sqlite:${path}`).start(startOptions())).rejects.toMatchObject({
      code: "DATA_FILE_CORRUPT",
      file: path,
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("a file that was cut off is refused when it is met, and left as it is", async () => {
    const path = await newPath();
    await filled(path, 2_000);
    truncateSync(path, Math.floor(statSync(path).size / 2 / PAGE) * PAGE);
    const size = statSync(path).size;
    await expect(sqliteEngine(`sqlite:${path}`).start(startOptions())).rejects.toMatchObject({
      code: "DATA_FILE_CORRUPT",
      file: path,
    });
    expect(statSync(path).size).toBe(size);
  });

  test.each([0, 0.3, 0.7, 0.999])(
    "a log that was cut off at %d of its length: what is before is kept",
    async (part) => {
      const [path, copy] = [await newPath(), await newPath()];
      const engine = await startEngine(path);
      const ids: string[] = [];
      for (let n = 0; n < 200; n++) {
        const [published] = await engine.queue.publish([
          message({ payload: JSON.stringify("x".repeat(500)) }),
        ]);
        ids.push(published?.id ?? "");
      }
      // As after a power cut: the file and its log as they are on the disk right now.
      copyFileSync(path, copy);
      copyFileSync(`${path}-wal`, `${copy}-wal`);
      truncateSync(`${copy}-wal`, Math.floor(statSync(`${copy}-wal`).size * part));
      const survivor = await startEngine(copy);
      const kept = await idsOf(survivor);
      expect(ids.slice(0, kept.length)).toEqual(kept);
      expect(kept.length).toBeLessThan(ids.length);
      expect(faultsOf(copy)).toEqual([]);
      // The last ids may be given again, since nothing of them is left; those that are left are not.
      const [next] = await survivor.queue.publish([message()]);
      expect(kept).not.toContain(next?.id);
    },
  );

  test("a log with a torn page ends before it", async () => {
    const [path, copy] = [await newPath(), await newPath()];
    const engine = await startEngine(path);
    for (let n = 0; n < 50; n++) await engine.queue.publish([message()]);
    copyFileSync(path, copy);
    const log = readFileSync(`${path}-wal`);
    log.fill(0xee, Math.floor(log.length / 2), Math.floor(log.length / 2) + 64);
    writeFileSync(`${copy}-wal`, log);
    const survivor = await startEngine(copy);
    expect((await idsOf(survivor)).length).toBeLessThan(50);
    expect(faultsOf(copy)).toEqual([]);
  });
});

describe("other processes", () => {
  test("one that brings the file to a newer version: this one stops, and writes nothing more", async () => {
    const path = await newPath();
    const app = await startApp(path);
    const { engine } = app;
    await engine.queue.publish([message()]);
    const newer = new DatabaseSync(path);
    onTestFinished(() => newer.close());
    newer.exec(
      `begin immediate; alter table delivery add column later text; pragma user_version = ${SCHEMA_VERSION + 1}; commit`,
    );
    const changes = (): unknown => newer.prepare("pragma data_version").get();
    const before = changes();
    await expect(engine.queue.publish([message()])).rejects.toMatchObject({
      code: "DATA_FILE_VERSION",
      file: path,
      retryable: false,
    });
    await expect(engine.queue.claim(WANT)).rejects.toThrow(`schema version ${SCHEMA_VERSION + 1}`);
    expect((await app.ready()).status).toBe("down");
    await app.stop();
    expect(changes()).toEqual(before);
  });

  test("one that keeps the lock: told after the patience is over, nothing of it stored, and then it goes on", async () => {
    const path = await newPath();
    const engine = await startEngine(path);
    const greedy = new DatabaseSync(path);
    onTestFinished(() => greedy.close());
    greedy.exec("begin immediate");
    // Its patience goes by this clock: nobody has to wait for it to end.
    let elapsed = performance.now();
    const clock = vi.spyOn(performance, "now").mockImplementation(() => (elapsed += 0.1));
    onTestFinished(() => clock.mockRestore());
    const refused = engine.queue.publish([message()]).catch((error: unknown) => error);
    const checked = engine.check().catch((error: unknown) => error);
    const asked = elapsed;
    await until("it has tried to get the lock", () => elapsed - asked > 2);
    elapsed += 11_000;
    expect(await refused).toMatchObject({ code: "ENGINE_BUSY", retryable: true });
    expect(await checked).toMatchObject({ code: "ENGINE_BUSY" });
    clock.mockRestore();
    const patient = engine.queue.publish([message({ payload: "1" })]);
    greedy.exec("rollback");
    await patient;
    expect((await engine.queue.list({})).map(({ payload }) => payload)).toEqual(["1"]);
  });

  test("one that reads for long holds nobody up", async () => {
    const path = await newPath();
    await filled(path, 100);
    const engine = await startEngine(path);
    const reader = new DatabaseSync(path, { readOnly: true });
    onTestFinished(() => reader.close());
    reader.exec("begin; select count(*) from delivery");
    expect(await engine.queue.publish([message()])).toHaveLength(1);
    const { claims } = await engine.queue.claim(WANT);
    expect(claims).toHaveLength(101);
  });
});

describe("the machine's clock", () => {
  test.each([
    ["back", -3_600_000],
    ["forward", 3_600_000],
  ])("is set %s: nobody's work is taken away, and nothing new waits for the old time", async (_, jump) => {
    const path = await newPath();
    let offset = 0;
    const clock: Clock = { ...systemClock, now: () => Date.now() + offset };
    const engine = await startEngine(path, startOptions(clock));
    const neighbour = await Replica.start(path);
    await engine.queue.publish([message(), message(), message({ due: clock.now() + 60_000 })]);
    await neighbour.ask({ do: "claim", limit: 1 });
    offset = jump;
    expect(await engine.presence.sweep()).toBe(0);
    expect(await engine.presence.instances()).toHaveLength(2);
    const due = clock.now();
    await engine.queue.publish([message({ due, dedupe: { key: "d", until: due + 1_000 } })]);
    const [again] = await engine.queue.publish([message({ due, dedupe: { key: "d", until: due + 1_000 } })]);
    expect(again?.duplicate).toBe(true);
    // What was put off comes early when the clock is set forward, and late when it is set back.
    expect((await engine.queue.claim(WANT)).claims).toHaveLength(jump > 0 ? 3 : 2);
    expect(await engine.presence.beat()).toBe(true);
  });
});

async function startApp(path: string): Promise<App> {
  const app = createApp({ engine: `sqlite:${path}`, registry: createRegistry(), log: "silent", env: {} });
  onTestFinished(() => app.stop());
  await app.start();
  await app.engine.queue.subscribe([{ handler: "h", topic: "e" }]);
  return app;
}

/** A file with so many messages, that nobody has open. */
async function filled(path: string, messages: number): Promise<void> {
  const engine = await startEngine(path);
  const payload = JSON.stringify("x".repeat(1_000));
  await engine.queue.publish(Array.from({ length: messages }, () => message({ payload })));
  await engine.stop();
}

/** Publishes until it is refused; answers the ids of what was not, and why the last was. */
async function publishUntilRefused(engine: Engine): Promise<{ ids: string[]; refusal: unknown }> {
  const payload = JSON.stringify("x".repeat(2_000));
  for (const ids: string[] = []; ;) {
    try {
      const published = await engine.queue.publish([message({ payload })]);
      ids.push(...published.map(({ id }) => id));
    } catch (refusal) {
      return { ids, refusal };
    }
  }
}

async function idsOf(engine: Engine): Promise<string[]> {
  return (await engine.queue.list({ limit: Infinity })).map(({ id }) => id);
}

/** Spoils pages in the middle of a file; answers from where to where. */
function damage(path: string): [from: number, to: number] {
  const bytes = readFileSync(path);
  const from = Math.floor(bytes.length / 2 / PAGE) * PAGE;
  bytes.fill(0xff, from, from + 8 * PAGE);
  writeFileSync(path, bytes);
  return [from, from + 8 * PAGE];
}

async function isUnwritable(path: string): Promise<void> {
  const before = readFileSync(path);
  const start = sqliteEngine(`sqlite:${path}`).start(startOptions());
  await expect(start).rejects.toMatchObject({ code: "DATA_FILE_UNWRITABLE", file: path });
  await expect(start).rejects.toThrow(path);
  expect(readFileSync(path).equals(before)).toBe(true);
}
