import { mkdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FileFollower } from "../../src/sources/file-follower.ts";
import { follow } from "../../src/sources/follow.ts";
import { listeningLog, setUp, until } from "./follow-setup.ts";

describe("where reading begins", () => {
  test("at the end of the file, unless told otherwise", async () => {
    const { append, follower, lines } = await setUp();
    await append("old\n");
    const one = follower();
    await one.start();
    await append("new\n");
    await one.caughtUp();
    expect(lines).toEqual(["new"]);
  });

  test("a line that is half written at the start is given out whole", async () => {
    const { append, follower, lines } = await setUp();
    await append("old\nha");
    const one = follower();
    await one.start();
    await append("lf\n");
    await one.caughtUp();
    expect(lines).toEqual(["half"]);
  });

  test("at its start with fromStart", async () => {
    const { append, follower, lines } = await setUp();
    await append("one\r\ntwo\n");
    const one = follower({ fromStart: true });
    await one.start();
    await one.caughtUp();
    expect(lines).toEqual(["one", "two"]);
  });

  test("a file that is not there is waited for, said once, and read from its start", async () => {
    const { append, follower, lines } = await setUp();
    const { log, said } = listeningLog();
    const one = follower({ log });
    await one.start();
    await one.caughtUp();
    await one.caughtUp();
    expect(said).toEqual(["warn: the file does not exist: waiting for it"]);
    await append("first\n");
    await until(() => lines.length > 0);
    expect(lines).toEqual(["first"]);
  });

  test("a folder that is not there is waited for, too", async () => {
    const { folder, follower, lines } = await setUp();
    const file = join(folder, "deep", "app.log");
    const one = follower({ file });
    await one.start();
    await mkdir(join(folder, "deep"));
    await writeFile(file, "first\n");
    await one.caughtUp();
    expect(lines).toEqual(["first"]);
  });

  test("what is not a file is said once and looked at again", async () => {
    const { folder, file, follower, lines } = await setUp();
    const { log, said } = listeningLog();
    await mkdir(file);
    const one = follower({ log, fromStart: true });
    await one.start();
    await writeFile(join(folder, "other"), "");
    await until(() => said.length > 0);
    await rmdir(file);
    await writeFile(file, "one\n");
    await one.caughtUp();
    expect(said).toEqual([
      `error: the file cannot be read (${file} is not a file): trying again`,
      "debug: reading the file",
    ]);
    expect(lines).toEqual(["one"]);
  });
});

describe("lines", () => {
  test("come without anybody asking", async () => {
    const { append, follower, lines } = await setUp();
    await append("");
    await follower().start();
    await append("one\n");
    await until(() => lines.length === 1);
    await append("two\nthree\n");
    await until(() => lines.length === 3);
    expect(lines).toEqual(["one", "two", "three"]);
  });

  test("a partial line waits for its end; a character may be written in two parts", async () => {
    const { append, follower, lines } = await setUp();
    const one = follower({ fromStart: true });
    const [first, second] = [Buffer.from("smör").subarray(0, 3), Buffer.from("smör").subarray(3)];
    await append(first);
    await one.start();
    await one.caughtUp();
    expect(lines).toEqual([]);
    await append(Buffer.concat([second, Buffer.from([0xff, 0x0a])]));
    await one.caughtUp();
    expect(lines).toEqual(["smör\ufffd"]);
  });

  test("a last line without its end is given out when it is asked for", async () => {
    const { append, follower, lines } = await setUp();
    await append("one\ntwo");
    const one = follower({ fromStart: true });
    await one.start();
    await one.caughtUp({ unfinished: true });
    await one.caughtUp({ unfinished: true });
    expect(lines).toEqual(["one", "two"]);
  });

  test("one that is too long is cut, and the log says so once", async () => {
    const { append, follower, lines } = await setUp();
    const { log, said } = listeningLog();
    await append(`${"x".repeat(200_000)}\n${"y".repeat(11)}\nshort\n`);
    const one = follower({ fromStart: true, maxLine: 10, log });
    await one.start();
    await one.caughtUp();
    expect(lines).toEqual(["x".repeat(10), "y".repeat(10), "short"]);
    expect(said.filter((line) => line.includes("too long"))).toHaveLength(1);
  });

  test("carry their place in the file", async () => {
    const { append, follower, file } = await setUp();
    const offsets: [string, number][] = [];
    await append("ä\r\nb\n");
    const one = follower({ fromStart: true, onLine: (_, at) => void offsets.push([at.file, at.offset]) });
    await one.start();
    await one.caughtUp();
    expect(offsets).toEqual([
      [file, 0],
      [file, 4],
    ]);
  });

  test("the next one comes when the one before was handled", async () => {
    const { append, follower } = await setUp();
    await append("one\ntwo\nthree\n");
    let under = 0;
    let most = 0;
    const one = follower({
      fromStart: true,
      onLine: async () => {
        most = Math.max(most, ++under);
        await new Promise((resolve) => setImmediate(resolve));
        under--;
      },
    });
    await one.start();
    await one.caughtUp();
    expect([most, under]).toEqual([1, 0]);
  });
});

describe("life", () => {
  test("stop before start, start twice and stop twice are legal, and it may be started again", async () => {
    const { append, follower, lines } = await setUp();
    const one = follower({ fromStart: true });
    await one.stop();
    await Promise.all([one.start(), one.start()]);
    await append("one\n");
    await one.caughtUp();
    await Promise.all([one.stop(), one.stop()]);
    await append("two\n");
    await one.start();
    await one.caughtUp();
    expect(lines).toEqual(["one", "two"]);
  });

  test("stop waits for the line that is being handled, and no other is given out", async () => {
    const { append, follower } = await setUp();
    await append("one\ntwo\n");
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const seen: string[] = [];
    const one = follower({
      fromStart: true,
      onLine: async (line) => {
        begun.resolve();
        await goOn.promise;
        seen.push(line);
      },
    });
    await one.start();
    await begun.promise;
    const stopped = one.stop();
    goOn.resolve();
    await stopped;
    expect(seen).toEqual(["one"]);
  });

  test("caughtUp rejects when the follower is not running, or stops first", async () => {
    const { append, follower } = await setUp();
    await append("one\n");
    const one = follower({ fromStart: true, onLine: () => Promise.reject(new Error("no")) });
    await expect(one.caughtUp()).rejects.toMatchObject({ code: "FOLLOWER_STOPPED" });
    await one.start();
    const [caughtUp] = await Promise.allSettled([one.caughtUp(), one.stop()]);
    expect(caughtUp).toMatchObject({ status: "rejected", reason: { code: "FOLLOWER_STOPPED" } });
  });

  test("a state that cannot be read fails the start, and the next start may succeed", async () => {
    const { append, follower, lines } = await setUp();
    await append("one\n");
    const answers = [Promise.reject(new Error("down")), Promise.resolve(undefined)];
    const get = () => answers.shift() ?? Promise.resolve(undefined);
    const one = follower({ fromStart: true, state: { get, set: async () => {} } });
    await expect(one.start()).rejects.toThrow("down");
    await one.start();
    await one.caughtUp();
    expect(lines).toEqual(["one"]);
  });

  test("follow() gives a started follower", async () => {
    const { append, file, lines } = await setUp();
    await append("one\n");
    await using follower = await follow(file, { fromStart: true, onLine: (line) => void lines.push(line) });
    await follower.caughtUp();
    expect(lines).toEqual(["one"]);
  });

  test.each([{ file: "" }, { file: "app.log", maxLine: 0 }])("refuses %j", (options) => {
    expect(() => new FileFollower({ onLine: () => {}, ...options })).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID" }),
    );
  });
});
