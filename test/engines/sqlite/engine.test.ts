import { renameSync, rmSync, truncateSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { sqliteEngine } from "../../../src/engines/sqlite/engine.ts";
import { message, newPath, startEngine, startOptions, until } from "./data-dir.ts";

const WANT = [{ handler: "h", limit: 100 }];

describe("the sqlite engine", () => {
  test("is strict when each commit waits for the disk", async () => {
    const path = await newPath();
    expect(sqliteEngine(`sqlite:${path}`).capabilities.strict).toBe(false);
    const engine = sqliteEngine(`sqlite:${path}?synchronous=full`);
    expect(engine.capabilities).toEqual({ durable: true, shared: true, strict: true });
    expect(engine.location).toBe(`sqlite:${path}`);
    await engine.start(startOptions());
    await engine.stop();
  });

  test("never gives an id twice, also when the last message is gone and the process with it", async () => {
    const path = await newPath();
    const seen = new Set<string>();
    for (let start = 0; start < 3; start++) {
      const engine = await startEngine(path);
      for (let n = 0; n < 5; n++) {
        const [published] = await engine.queue.publish([message()]);
        expect(seen.has(published?.id ?? "")).toBe(false);
        seen.add(published?.id ?? "");
        const { claims } = await engine.queue.claim(WANT);
        await engine.queue.settle(claims.map((claim) => ({ claim, kind: "done" })));
      }
      await engine.stop();
    }
    expect(seen.size).toBe(15);
  });

  test("each data file has ids of its own", async () => {
    const [one, other] = [await startEngine(await newPath()), await startEngine(await newPath())];
    const [[first], [second]] = await Promise.all([
      one.queue.publish([message()]),
      other.queue.publish([message()]),
    ]);
    expect(first?.id).not.toBe(second?.id);
    expect(await one.queue.find(second?.id ?? "")).toEqual([]);
  });

  test("a message published after a subscription of another engine value reaches it", async () => {
    const path = await newPath();
    const [one, other] = [await startEngine(path), await startEngine(path)];
    await one.queue.publish([message()]);
    await other.queue.subscribe([{ handler: "late", topic: "*" }]);
    expect((await one.queue.publish([message()]))[0]?.deliveries).toBe(2);
  });

  test("a claim costs the same with a million behind it as its plan says", async () => {
    const path = await newPath();
    await startEngine(path);
    const db = new DatabaseSync(path, { readOnly: true });
    const plan = (sql: string): string =>
      db
        .prepare(`explain query plan ${sql}`)
        .all()
        .map(({ detail }) => detail)
        .join("; ");
    const ready = plan(
      "select seq from delivery where state = 1 and sub = 1 order by priority, seq limit 10",
    );
    expect(ready).toContain("delivery_work");
    expect(ready).not.toContain("TEMP B-TREE");
    expect(plan("select min(until) from delivery where state = 2")).toContain("delivery_waiting");
    db.close();
  });

  test("a file that is deleted under it is noticed, and nothing is accepted any more", async () => {
    const path = await newPath();
    const engine = await startEngine(path);
    await engine.check();
    rmSync(path);
    await until("the loss is noticed", () =>
      engine.check().then(
        () => false,
        () => true,
      ),
    );
    await expect(engine.queue.publish([message()])).rejects.toMatchObject({
      code: "DATA_FILE_LOST",
      file: path,
    });
    await engine.stop();
  });

  test("so is one that is replaced by another", async () => {
    const path = await newPath();
    const other = await newPath();
    await (await startEngine(other)).stop();
    const engine = await startEngine(path);
    renameSync(other, path);
    await until("the loss is noticed", () =>
      engine.check().then(
        () => false,
        () => true,
      ),
    );
    await expect(engine.check()).rejects.toMatchObject({ code: "DATA_FILE_LOST" });
  });

  test("damage met while it runs is an error that names the file, and it stays unready", async () => {
    const path = await newPath();
    const first = await startEngine(path);
    await first.queue.publish(
      Array.from({ length: 5_000 }, () => message({ payload: JSON.stringify("x".repeat(2_000)) })),
    );
    await first.stop();
    const engine = await startEngine(path);
    truncateSync(path, 40 * 4_096);
    const failure: unknown = await engine.queue.list({ limit: 10_000 }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ file: path });
    await expect(engine.check()).rejects.toMatchObject({ file: path });
  });

  test("claims of many handlers find the few that have something", async () => {
    const engine = await startEngine(await newPath());
    const handlers = Array.from({ length: 50 }, (_, n) => `h${n}`);
    await engine.queue.subscribe(handlers.map((handler) => ({ handler, topic: undefined })));
    const wants = handlers.map((handler) => ({ handler, limit: 10 }));
    expect((await engine.queue.claim(wants)).claims).toEqual([]);
    await engine.queue.publish([message({ to: "h7" }), message({ to: "h41" })]);
    const { claims } = await engine.queue.claim(wants);
    expect(claims.map(({ handler }) => handler)).toEqual(["h7", "h41"]);
  });
});
