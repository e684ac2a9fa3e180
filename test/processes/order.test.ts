import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { startEngine } from "../engines/sqlite/data-dir.ts";
import type { Task } from "./setup.ts";
import { inOrder, newFile, Worker } from "./worker-process.ts";

const KEYS = 4;
const OF_KEY = 15;

test("messages of one key run in their order, one at a time, across processes, also while the first is retried", async () => {
  const path = newFile();
  const workers = await Promise.all([1, 2, 3].map(() => Worker.start({ path, attempts: 3 })));
  const [first] = workers;
  if (!first) throw new Error("three were started");
  for (let place = 0; place < OF_KEY; place++) {
    for (let key = 0; key < KEYS; key++) await first.publish([taskOf(key, place)], { key: `key ${key}` });
  }
  const engine = await startEngine(path);
  await expect.poll(() => engine.queue.list({}), { timeout: 15_000 }).toEqual([]);

  // One of each key never works: it is a dead letter, and those behind it go on.
  expect(await engine.deadLetters.count({ reason: "exhausted" })).toBe(KEYS);
  const told = inOrder(workers).map(({ text }) => text);
  for (let key = 0; key < KEYS; key++) {
    const ofKey = told.filter((text) => /^(began|ended)/.test(text) && keyOf(text) === key);
    expect(ofKey).toEqual(Array.from({ length: OF_KEY }, (_, place) => linesOf(taskOf(key, place))).flat());
  }
  expect(workers.filter((worker) => worker.count(/^began/) > 0).length).toBeGreaterThan(1);
});

test("fifty publishes of one dedupe key at once, from each of three processes, store one message", async () => {
  const path = newFile();
  const publishers = await Promise.all([1, 2, 3].map(() => Worker.start({ path, idle: true })));
  const tasks = Array.from({ length: 50 }, () => ({ n: 1 }));
  const ids = await Promise.all(publishers.map((publisher) => publisher.publish(tasks, { dedupe: "once" })));
  expect(ids.flat()).toHaveLength(150);
  expect(new Set(ids.flat()).size).toBe(1);
  const db = new DatabaseSync(path, { readOnly: true });
  expect(db.prepare("select count(*) as rows from delivery").get()).toEqual({ rows: 1 });
  db.close();
});

function taskOf(key: number, place: number): Task {
  const n = key * 100 + place;
  if (place === 7) return { n, ask: "fail", times: 3 };
  return place % 5 === 0 ? { n, ask: "fail", times: 2 } : { n };
}

/** What is told of a task with three attempts. */
function linesOf({ n, times = 0 }: Task): string[] {
  const began = [1, 2, 3].slice(0, times + 1).map((attempt) => `began ${n} ${attempt}`);
  return times < 3 ? [...began, `ended ${n} ${times + 1}`] : began;
}

function keyOf(line: string): number {
  return Math.floor(Number(line.split(" ")[1]) / 100);
}
