import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { Database } from "../../../src/engines/sqlite/database.ts";
import { MUST_WRITE, Turn } from "../../../src/engines/sqlite/turn.ts";
import { newPath } from "./data-dir.ts";

describe("a turn", () => {
  test("what is asked for at once shares one transaction", async () => {
    const { turn, add, transactions } = await setup();
    const added = Array.from({ length: 50 }, (_, n) => turn.write(() => add(n)));
    expect(await Promise.all(added)).toHaveLength(50);
    expect(transactions()).toBe(1);
  });

  test("so does what each of many lanes asks for after its answer", async () => {
    const { turn, add, transactions } = await setup();
    const lane = async (): Promise<void> => {
      for (let n = 0; n < 10; n++) await turn.writeSoon(() => add(n));
    };
    await Promise.all(Array.from({ length: 100 }, lane));
    expect(transactions()).toBeLessThan(30);
  });

  test("calls that await each other leave the event loop its turns", async () => {
    const { turn, add } = await setup();
    let turns = 0;
    const count = setInterval(() => turns++, 1);
    const start = performance.now();
    while (turns <= 5 && performance.now() - start < 10_000) await turn.writeSoon(() => add(1));
    clearInterval(count);
    expect(turns).toBeGreaterThan(5);
  });

  test("one that fails is missing alone, with all it did", async () => {
    const { turn, add, rows } = await setup();
    const outcomes = await Promise.allSettled([
      turn.write(() => add(1)),
      turn.write(() => {
        add(2);
        throw new RangeError("no");
      }),
      turn.write(() => add(3)),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(rows()).toEqual([1, 3]);
  });

  test("a failed one may be alone, too", async () => {
    const { turn, add, rows } = await setup();
    const failed = turn.write(() => {
      add(2);
      throw new RangeError("no");
    });
    await expect(failed).rejects.toMatchObject({ code: "ENGINE_FAILED" });
    expect(rows()).toEqual([]);
  });

  test("a read sees what was asked for before it, and takes no lock when nobody writes", async () => {
    const { turn, add, rows, lock } = await setup();
    void turn.write(() => add(1));
    expect(await turn.read(rows)).toEqual([1]);
    lock("begin immediate");
    expect(await turn.read(rows)).toEqual([1]);
    expect(
      await turn.write(
        () => "wrote",
        () => "peeked",
      ),
    ).toBe("peeked");
    lock("rollback");
    expect(
      await turn.write(
        () => "wrote",
        () => MUST_WRITE,
      ),
    ).toBe("wrote");
  });

  test("waits, without holding up the event loop, for the lock of another process", async () => {
    const { turn, add, rows, lock } = await setup();
    lock("begin immediate");
    const added = turn.write(() => add(1));
    let longest = 0;
    for (let n = 0, last = performance.now(); n < 30; n++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }
    lock("rollback");
    await added;
    expect(rows()).toEqual([1]);
    // The lock was held for 30 rounds; waiting for it inside of SQLite would have taken as long in one.
    expect(longest).toBeLessThan(500);
  });

  test("a full disk refuses what does not fit, and goes on when there is room", async () => {
    const { turn, db, rows } = await setup();
    db.exec("pragma max_page_count = 8");
    const large = (): number => db.run("insert into item (n, filler) values (2, zeroblob(100000))");
    const outcomes = await Promise.allSettled([
      turn.write(() => db.run("insert into item (n) values (1)")),
      turn.write(large),
    ]);
    expect(outcomes[1]).toMatchObject({ reason: { code: "ENGINE_FULL", retryable: true } });
    // The other either fitted or was told so: what was acknowledged is there.
    expect(rows()).toEqual(outcomes[0]?.status === "fulfilled" ? [1] : []);
    db.exec("pragma max_page_count = 10000");
    await turn.write(large);
    expect(rows()).toContain(2);
  });

  test("a long queue is cut into several transactions", async () => {
    const { turn, transactions } = await setup();
    const slow = (): void => {
      for (const start = performance.now(); performance.now() - start < 2;);
    };
    await Promise.all(Array.from({ length: 20 }, () => turn.write(slow)));
    expect(transactions()).toBeGreaterThan(3);
  });
});

async function setup() {
  const path = await newPath();
  const db = new Database(new DatabaseSync(path, { timeout: 1 }));
  const other = new DatabaseSync(path);
  onTestFinished(() => {
    db.close();
    other.close();
  });
  db.exec("pragma journal_mode = wal; create table item (n integer, filler blob)");
  let began = 0;
  const events = { began: () => void began++, committed: () => {}, undone: () => {}, failed: () => {} };
  return {
    db,
    turn: new Turn(db, path, events),
    transactions: () => began,
    add: (n: number) => db.run("insert into item (n) values (?)", n),
    rows: () => db.all<[number]>("select n from item order by rowid").map(([n]) => n),
    lock: (sql: string) => other.exec(sql),
  };
}
