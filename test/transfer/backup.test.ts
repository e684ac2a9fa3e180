import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { beforeEach, describe, expect, test } from "vitest";
import type { Engine } from "../../src/engine.ts";
import { memoryEngine } from "../../src/engines/memory/engine.ts";
import { MemoryStore } from "../../src/engines/memory/store.ts";
import { sqliteEngine } from "../../src/engines/sqlite/engine.ts";
import { backup, migrate, restore, undoMigrate } from "../../src/transfer/transfer.ts";
import { newDirectory } from "../engines/sqlite/data-dir.ts";
import { contentOf, fill, using } from "./filled-store.ts";

let dir = "";

beforeEach(async () => {
  dir = await newDirectory();
});

const url = (name: string): string => `sqlite:${join(dir, name)}`;

/** Its third load fails. */
function failing(engine: Engine, before: () => Promise<void> = async () => {}): Engine {
  const load = engine.transfer.load.bind(engine.transfer);
  let calls = 0;
  engine.transfer.load = async (records) => {
    if (++calls < 3) return load(records);
    await before();
    throw new Error("the disk is full");
  };
  return engine;
}

describe("backup and restore", () => {
  test("the content is the same after a round over a file and another engine, and back", async () => {
    const first = url("first.db");
    const content = await using(first, async (engine) => {
      await fill(engine, 2_500);
      return contentOf(engine);
    });
    const file = join(dir, "one.ndjson.gz");
    const { records } = await backup({ engine: first, file });
    expect(records).toMatchObject({
      subscription: 3,
      delivery: 4_995,
      dead_letter: 6,
      schedule: 1,
      state: 1,
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);

    const store = new MemoryStore();
    await restore({ engine: memoryEngine({ store }), file });
    const again = join(dir, "two.ndjson.gz");
    await backup({ engine: memoryEngine({ store }), file: again });
    await restore({ engine: url("second.db"), file: again });
    expect(await using(url("second.db"), contentOf)).toEqual(content);
  });

  test("is taken while an app works on the file, and says how far it is", async () => {
    await using(url("busy.db"), async (engine) => {
      await fill(engine, 1_500);
      const seen: number[] = [];
      const { records } = await backup({
        engine: url("busy.db"),
        file: join(dir, "b.gz"),
        onProgress: (done) => void seen.push(done),
      });
      expect(seen.at(-1)).toBe(Object.values(records).reduce((a, b) => a + b, 0));
      expect(seen.length).toBeGreaterThan(3);
      await engine.state.set("still", "open");
    });
  });

  test("an engine that holds anything is refused, and emptied when that is asked for", async () => {
    await using(url("a.db"), (engine) => fill(engine, 10));
    await using(url("b.db"), (engine) => engine.state.set("mine", "1"));
    const file = join(dir, "a.gz");
    await backup({ engine: url("a.db"), file });
    await expect(restore({ engine: url("b.db"), file })).rejects.toMatchObject({ code: "ENGINE_NOT_EMPTY" });
    await restore({ engine: url("b.db"), file, replace: true });
    expect(await using(url("b.db"), contentOf)).toEqual(await using(url("a.db"), contentOf));
  });

  test("a target that cannot be written leaves the backup that was there", async () => {
    await using(url("some.db"), (engine) => fill(engine, 10));
    const file = join(dir, "kept.gz");
    await backup({ engine: url("some.db"), file });
    const before = readFileSync(file);
    await expect(
      backup({ engine: url("some.db"), file: join(dir, "no/such/place.gz") }),
    ).rejects.toMatchObject({
      code: "BACKUP_UNWRITABLE",
    });
    expect(readFileSync(file)).toEqual(before);
    expect(readdirSync(dir).filter((name) => name.includes("partial"))).toEqual([]);
  });

  test("two to the same file at once leave one that is whole, and readable by its owner only", async () => {
    await using(url("some.db"), (engine) => fill(engine, 1_500));
    const file = join(dir, "one.gz");
    const victim = join(dir, "victim");
    writeFileSync(victim, "mine");
    symlinkSync(victim, `${file}.partial`);
    await Promise.all([1, 2, 3].map(() => backup({ engine: url("some.db"), file })));
    await restore({ engine: url("again.db"), file });
    expect(await using(url("again.db"), contentOf)).toEqual(await using(url("some.db"), contentOf));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(victim, "utf8")).toBe("mine");
  });

  test("of nothing is refused: the URL was meant otherwise, and the backup that was there stays", async () => {
    const file = join(dir, "kept.gz");
    writeFileSync(file, "older");
    await expect(backup({ engine: url("typo.db"), file })).rejects.toMatchObject({ code: "ENGINE_EMPTY" });
    await expect(backup({ engine: memoryEngine(), file })).rejects.toMatchObject({ code: "ENGINE_EMPTY" });
    expect(existsSync(join(dir, "typo.db"))).toBe(false);
    expect(readFileSync(file, "utf8")).toBe("older");
  });

  test("a restore that fails leaves the engine empty and open; meanwhile it is sealed", async () => {
    await using(url("some.db"), (engine) => fill(engine, 1_500));
    const file = join(dir, "one.gz");
    await backup({ engine: url("some.db"), file });
    await using(url("target.db"), async (app) => {
      const target = failing(sqliteEngine(url("target.db")), async () => {
        await expect(app.check()).rejects.toThrow("is not whole yet");
        await expect(backup({ engine: url("target.db"), file: join(dir, "part.gz") })).rejects.toMatchObject({
          code: "ENGINE_SEALED",
        });
        await expect(restore({ engine: url("target.db"), file })).rejects.toMatchObject({
          code: "ENGINE_BUSY",
        });
      });
      await expect(restore({ engine: target, file })).rejects.toThrow("the disk is full");
      expect(await app.transfer.isEmpty()).toBe(true);
      await app.check();
    });
  });
});

describe("a backup that is not whole is refused before anything is written", () => {
  let file = "";
  beforeEach(async () => {
    file = join(dir, "whole.gz");
    await using(url("source.db"), (engine) => fill(engine, 1_200));
    await backup({ engine: url("source.db"), file });
  });

  /** The same file with its text changed. */
  function changed(change: (text: string) => string): void {
    writeFileSync(file, gzipSync(change(gunzipSync(readFileSync(file)).toString())));
  }

  const damages: Record<string, () => void> = {
    "cut off": () => writeFileSync(file, readFileSync(file).subarray(0, -2_000)),
    "with a byte changed": () => {
      const bytes = readFileSync(file);
      bytes[Math.floor(bytes.length / 2)]! ^= 0x55;
      writeFileSync(file, bytes);
    },
    "with a word changed": () => changed((text) => text.replace('\\"n\\":7', '\\"n\\":8')),
    "with a line gone": () => changed((text) => text.split("\n").toSpliced(5, 1).join("\n")),
    "without its last line": () => changed((text) => text.trimEnd().split("\n").slice(0, -1).join("\n")),
    "with something behind it": () => changed((text) => `${text}{"kind":"state","key":"a","value":"b"}\n`),
    "that is not compressed": () => writeFileSync(file, "hello"),
    "that is empty": () => writeFileSync(file, ""),
    "with a line that is no record": () => changed((text) => text.replace("\n", "\nnull\n")),
    "of nothing but null": () => writeFileSync(file, gzipSync("null\n")),
    "of something else": () => writeFileSync(file, gzipSync('{"some":"json"}\n')),
    "with bytes behind the end of the archive": () => appendFileSync(file, "xyz"),
  };

  test.each(Object.keys(damages))("one %s", async (how) => {
    damages[how]?.();
    await expect(restore({ engine: url("target.db"), file, replace: true })).rejects.toMatchObject({
      code: "BACKUP_DAMAGED",
    });
    expect(existsSync(join(dir, "target.db"))).toBe(false);
  });

  test("one of a later form, and one that is not there", async () => {
    changed((text) => text.replace('"version":1', '"version":2'));
    await expect(restore({ engine: url("t.db"), file })).rejects.toMatchObject({ code: "BACKUP_VERSION" });
    await expect(restore({ engine: url("t.db"), file: join(dir, "none.gz") })).rejects.toMatchObject({
      code: "BACKUP_UNREADABLE",
    });
  });
});

describe("migrate", () => {
  test("moves everything, and fences off who still works with the source", async () => {
    await using(url("old.db"), async (old) => {
      await fill(old, 600);
      const { claims } = await old.queue.claim([{ handler: "b", limit: 1 }]);
      const [claim] = claims;
      if (!claim) throw new Error("nothing was claimed");
      const content = await contentOf(old);
      await migrate({ from: url("old.db"), to: url("new.db") });
      await expect(old.queue.settle([{ claim, kind: "done" }])).rejects.toMatchObject({
        code: "ENGINE_SEALED",
      });
      await expect(old.check()).rejects.toThrow(url("new.db"));
      await using(url("new.db"), async (moved) => {
        expect(await contentOf(moved)).toEqual(content);
        const [again] = (await moved.queue.claim([{ handler: "b", limit: 1_000 }])).claims.filter(
          ({ id }) => id === claim.id,
        );
        expect(again?.attempt).toBe(2);
      });
    });
  });

  test("that fails opens the source again and leaves the target empty", async () => {
    await using(url("old.db"), (old) => fill(old, 600));
    const target = failing(sqliteEngine(url("new.db")));
    await expect(migrate({ from: url("old.db"), to: target })).rejects.toThrow("the disk is full");
    await using(url("new.db"), async (engine) => expect(await engine.transfer.isEmpty()).toBe(true));
    await using(url("old.db"), (engine) => engine.state.set("k", "open again"));
  });

  test("back to where it came from opens that again", async () => {
    await using(url("old.db"), (old) => fill(old, 50));
    const content = await using(url("old.db"), contentOf);
    await migrate({ from: url("old.db"), to: url("new.db") });
    await expect(migrate({ from: url("new.db"), to: url("old.db") })).rejects.toMatchObject({
      code: "ENGINE_SEALED",
    });
    await migrate({ from: url("new.db"), to: url("old.db"), replace: true });
    expect(await using(url("old.db"), contentOf)).toEqual(content);
    await using(url("old.db"), (old) => old.check());
  });

  test("of what was moved already is refused, and opens nothing", async () => {
    await using(url("old.db"), (old) => fill(old, 50));
    await migrate({ from: url("old.db"), to: url("new.db") });
    await expect(migrate({ from: url("old.db"), to: url("third.db") })).rejects.toThrow("has moved to");
    await expect(undoMigrate({ from: url("old.db") })).rejects.toMatchObject({ code: "ENGINE_SEALED" });
    await expect(using(url("old.db"), (old) => old.check())).rejects.toMatchObject({ code: "ENGINE_SEALED" });
  });

  test("keeps the target from everybody until it is whole", async () => {
    await using(url("old.db"), (old) => fill(old, 600));
    await using(url("new.db"), async (eager) => {
      const target = failing(sqliteEngine(url("new.db")), async () => {
        await expect(eager.state.set("k", "v")).rejects.toMatchObject({ code: "ENGINE_SEALED" });
        await expect(undoMigrate({ from: url("old.db") })).rejects.toMatchObject({ code: "ENGINE_BUSY" });
      });
      await expect(migrate({ from: url("old.db"), to: target })).rejects.toThrow("the disk is full");
    });
  });

  test("that cannot be undone says both reasons, and that nothing is lost", async () => {
    await using(url("old.db"), (old) => fill(old, 600));
    const target = failing(sqliteEngine(url("new.db")));
    const clear = target.transfer.clear.bind(target.transfer);
    let clears = 0;
    target.transfer.clear = () =>
      ++clears === 1 ? clear() : Promise.reject(new Error("the server is gone"));
    await expect(migrate({ from: url("old.db"), to: target })).rejects.toThrow(
      /the disk is full; the server is gone.*nothing is lost/,
    );
    await using(url("old.db"), (old) => old.check());
    const content = await using(url("old.db"), contentOf);
    await migrate({ from: url("old.db"), to: url("new.db") });
    expect(await using(url("new.db"), contentOf)).toEqual(content);
  });

  test("ends where it is told to, and is undone", async () => {
    await using(url("old.db"), (old) => fill(old, 3_000));
    const stop = new AbortController();
    const moving = migrate({
      from: url("old.db"),
      to: url("new.db"),
      signal: stop.signal,
      onProgress: () => stop.abort(new Error("enough")),
    });
    await expect(moving).rejects.toThrow("enough");
    await using(url("old.db"), (old) => old.check());
    expect(await using(url("new.db"), ({ transfer }) => transfer.isEmpty())).toBe(true);
  });

  test("between two stores in memory, which have one name", async () => {
    const [from, to] = [new MemoryStore(), new MemoryStore()];
    await using(memoryEngine({ store: from }), (engine) => fill(engine, 10));
    await migrate({ from: memoryEngine({ store: from }), to: memoryEngine({ store: to }) });
    expect(await using(memoryEngine({ store: to }), ({ transfer }) => transfer.isEmpty())).toBe(false);
  });

  test("from nothing is refused: the URL was meant otherwise", async () => {
    await expect(migrate({ from: url("typo.db"), to: url("new.db") })).rejects.toMatchObject({
      code: "ENGINE_EMPTY",
    });
  });

  test("to itself, or onto something, is refused, and nothing is sealed", async () => {
    await using(url("one.db"), (engine) => engine.state.set("a", "1"));
    await using(url("two.db"), (engine) => engine.state.set("b", "1"));
    symlinkSync(dir, join(dir, "link"));
    for (const to of [url("one.db"), url("./x/../one.db"), url("link/one.db")])
      await expect(migrate({ from: url("one.db"), to, replace: true })).rejects.toMatchObject({
        code: "ENGINE_SAME",
      });
    await expect(migrate({ from: url("one.db"), to: url("two.db") })).rejects.toMatchObject({
      code: "ENGINE_NOT_EMPTY",
    });
    await using(url("one.db"), (engine) => engine.state.set("a", "2"));
  });
});
