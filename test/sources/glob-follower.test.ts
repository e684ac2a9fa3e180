import { appendFile, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GlobFollower, isGlob } from "../../src/sources/glob-follower.ts";
import { setUp, until } from "./follow-setup.ts";

async function files() {
  const { folder } = await setUp();
  const lines: string[] = [];
  const stored = new Map<string, string>();
  const state = {
    get: async (key: string) => stored.get(key),
    set: async (key: string, value: string) => void stored.set(key, value),
  };
  const follower = (fromStart = false): GlobFollower =>
    new GlobFollower({
      file: join(folder, "*.log"),
      fromStart,
      state,
      onLine: (line) => void lines.push(line),
    });
  const append = (name: string, text: string): Promise<void> => appendFile(join(folder, name), text);
  return { folder, lines, follower, append };
}

describe("a glob", () => {
  test("names several files, unless one has that very name", async () => {
    const { folder } = await setUp();
    expect(isGlob("/var/log/*.log")).toBe(true);
    expect(isGlob("/var/log/app.log")).toBe(false);
    await writeFile(join(folder, "odd[1].log"), "");
    expect(isGlob(join(folder, "odd[1].log"))).toBe(false);
  });

  test("follows those that are there, and those that come later from their start; others are left alone", async () => {
    const { follower, lines, append } = await files();
    await append("a.log", "old\n");
    await append("a.txt", "no\n");
    await using all = follower();
    await all.start();
    await append("a.log", "one\n");
    await append("b.log", "two\n");
    await until(() => lines.length === 2);
    expect(lines.toSorted()).toEqual(["one", "two"]);
    expect(all.files).toHaveLength(2);
  });

  test("goes on in each file where it stopped, also in one that was rotated meanwhile", async () => {
    const { folder, follower, lines, append } = await files();
    await append("a.log", "one\n");
    await append("b.log", "two\n");
    const first = follower(true);
    await first.start();
    await first.caughtUp();
    await first.stop();
    await append("a.log", "three\n");
    await rename(join(folder, "b.log"), join(folder, "b.log.1"));
    await append("b.log.1", "four\n");
    await append("b.log", "five\n");
    await using second = follower(true);
    await second.start();
    await second.caughtUp();
    expect(lines.toSorted()).toEqual(["five", "four", "one", "three", "two"]);
  });

  test("that names rotated files and folders, too, gives no line twice", async () => {
    const { folder } = await setUp();
    const lines: string[] = [];
    const onLine = (line: string) => void lines.push(line);
    await using all = new GlobFollower({ file: join(folder, "*"), fromStart: true, onLine });
    const path = join(folder, "app.log");
    await mkdir(join(folder, "archive"));
    await writeFile(path, "one\n");
    await all.start();
    await all.caughtUp();
    await rename(path, `${path}.1`);
    await writeFile(path, "two\n");
    await all.caughtUp();
    await rename(`${path}.1`, `${path}-20261123.gz`);
    await all.caughtUp();
    expect(lines).toEqual(["one", "two"]);
    expect(all.files).toEqual([path]);
  });

  test("finds files in folders that are made later", async () => {
    const { folder } = await setUp();
    const lines: string[] = [];
    await using all = new GlobFollower({
      file: join(folder, "**/app.log"),
      onLine: (line) => void lines.push(line),
    });
    await all.start();
    await mkdir(join(folder, "deep/er"), { recursive: true });
    await writeFile(join(folder, "deep/er/app.log"), "found\n");
    await all.caughtUp();
    expect(lines).toEqual(["found"]);
  });
});
