import { fork } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { listeningLog, MapState, setUp } from "./follow-setup.ts";

test("after a clean stop nothing is repeated and nothing is missing", async () => {
  const { append, follower, lines } = await setUp();
  const expected: string[] = [];
  for (let round = 0; round < 5; round++) {
    const one = follower({ fromStart: true });
    await append(`${round}: one\n${round}: tw`);
    await one.start();
    await one.caughtUp();
    await append(`o\n${round}: thr`);
    await one.caughtUp();
    await one.stop();
    await append("ee\n");
    expected.push(`${round}: one`, `${round}: two`, `${round}: three`);
  }
  const last = follower();
  await last.start();
  await last.caughtUp();
  expect(lines).toEqual(expected);
});

test("stopped in the middle of a batch, it goes on with the next line", async () => {
  const { append, follower, lines, state } = await setUp();
  await append("1\n2\n3\n4\n");
  const stopped: Promise<void>[] = [];
  const one = follower({
    fromStart: true,
    onLine: (line) => {
      lines.push(line);
      if (line === "2") stopped.push(one.stop());
    },
  });
  await one.start();
  await one.caughtUp().catch(() => {});
  await Promise.all(stopped);
  expect(lines).toEqual(["1", "2"]);
  const two = follower({ state });
  await two.start();
  await two.caughtUp();
  expect(lines).toEqual(["1", "2", "3", "4"]);
});

test("lines that came before the first start were not asked for, those after it are, whatever happens in between", async () => {
  const { append, follower, lines, state } = await setUp();
  await append("old\n");
  await follower().start();
  const crashed = new MapState();
  for (const [key, value] of state.values) crashed.values.set(key, value);
  await append("new\n");
  const two = follower({ state: crashed });
  await two.start();
  await two.caughtUp();
  expect(lines).toContain("new");
  expect(lines).not.toContain("old");
});

test("a file that was waited for is read from its start by the next process, too", async () => {
  const { append, follower, lines } = await setUp();
  const one = follower();
  await one.start();
  await one.stop();
  await append("first\n");
  const two = follower();
  await two.start();
  await two.caughtUp();
  expect(lines).toEqual(["first"]);
});

test("the position is stored every thousand lines, and after a second", async () => {
  const { append, follower, state } = await setUp();
  let time = 0;
  const clock = { ...systemClock, elapsed: () => time };
  const one = follower({ fromStart: true, clock });
  await one.start();
  expect(state.sets).toBe(1);
  await append("x\n".repeat(999));
  await one.caughtUp();
  expect(state.sets).toBe(1);
  await append("x\n");
  await one.caughtUp();
  expect(state.sets).toBe(2);
  await append("x\n");
  await one.caughtUp();
  expect(state.sets).toBe(2);
  time = 1_000;
  await one.caughtUp();
  expect(state.sets).toBe(2 + 1);
});

test("a position that cannot be read costs repetitions, not lines", async () => {
  const { append, follower, lines, state, file } = await setUp();
  const { log, said } = listeningLog();
  await append("one\n");
  state.values.set(`follow:${file}`, '{"offset":-3}');
  const one = follower({ log });
  await one.start();
  await one.caughtUp();
  expect(lines).toEqual(["one"]);
  expect(said[0]).toBe("warn: the stored position cannot be read: reading from the start");
});

test("a state that cannot be written to is logged, and lines go on", async () => {
  const { append, follower, lines } = await setUp();
  const { log, said } = listeningLog();
  await append("one\n");
  const state = { get: async () => undefined, set: () => Promise.reject(new Error("disk full")) };
  const one = follower({ fromStart: true, state, log });
  await one.start();
  await one.caughtUp();
  expect(lines).toEqual(["one"]);
  expect(said).toContain("error: the position could not be stored: after a restart lines may come again");
});

test("two followers of one file keep their positions under their own names", async () => {
  const { append, follower, lines, state } = await setUp();
  await append("one\n");
  for (const name of ["a", "b"]) {
    const one = follower({ name, fromStart: true });
    await one.start();
    await one.caughtUp();
    await one.stop();
  }
  expect(lines).toEqual(["one", "one"]);
  expect([...state.values.keys()]).toEqual(["follow:a", "follow:b"]);
});

test("killed with -9 in the middle, nothing is lost and only the last lines come again", async () => {
  const { folder, file, append, follower, lines } = await setUp();
  const total = 5_000;
  await append(Array.from({ length: total }, (_, index) => `line ${index}\n`).join(""));
  const stateFile = join(folder, "state.json");
  const outFile = join(folder, "out.txt");
  await writeFile(outFile, "");
  const child = fork(join(import.meta.dirname, "killed-follower.ts"), [file, stateFile, outFile, "2500"], {
    silent: true,
  });
  const [code, signal] = await once(child, "exit");
  expect([code, signal]).toEqual([null, "SIGKILL"]);

  const before = (await readFile(outFile, "utf8")).split("\n").slice(0, -1);
  expect(before.length).toBe(2_500);
  const state = new MapState();
  const stored: unknown = JSON.parse(await readFile(stateFile, "utf8"));
  for (const [key, value] of Object.entries(stored ?? {})) state.values.set(key, String(value));
  const two = follower({ state });
  await two.start();
  await two.caughtUp();
  expect(new Set([...before, ...lines]).size).toBe(total);
  expect(before.length + lines.length - total).toBeLessThanOrEqual(1_000);
});
