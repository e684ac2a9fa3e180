import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { message, startEngine } from "../engines/sqlite/data-dir.ts";
import type { Setup } from "./setup.ts";
import { inOrder, newFile, Worker } from "./worker-process.ts";

describe("a process that is killed with -9 in the middle of its work", () => {
  test("has it taken over by a neighbour, with the attempt counted, within a look of a few seconds", async () => {
    const path = newFile();
    const [dying, neighbour] = [await Worker.start({ path }), await Worker.start({ path, idle: true })];
    await neighbour.publish([{ n: 1, ask: "wait" }]);
    await dying.says("began 1 1");
    const worker = await Worker.start({ path });
    await dying.kill();
    const { at: died } = await dying.says("exit");
    const { at: again } = await worker.says("began 1 2");
    // It looks every five seconds. The lease of thirty need not run out: that would be longer than the test waits.
    console.log(`taken over by a neighbour after ${Math.round(again - died)} ms`);
    worker.tell({ do: "release" });
    await worker.says("ended 1 2");
  });

  test("has it taken over at once by the next process that starts, on a host of the same name", async () => {
    const path = newFile();
    const dying = await Worker.start({ path });
    await dying.publish([1, 2, 3].map((n) => ({ n, ask: "wait" })));
    await dying.saysTimes(/^began/, 3);
    await dying.kill();
    const next = await Worker.start({ path });
    await next.saysTimes(/^began \d 2$/, 3);
    const { at: ready } = await next.says("ready");
    const { at: again } = await next.says("began 1 2");
    console.log(`taken over by the next process ${Math.round(again - ready)} ms after it was ready`);
    expect(again - ready).toBeLessThan(1_000);
  });

  test("has all of it taken over once, though two neighbours look for it at the same moment", async () => {
    const path = newFile();
    const dying = await Worker.start({ path, concurrency: 200 });
    const neighbours = await Promise.all([1, 2, 3].map(() => Worker.start({ path, idle: true })));
    await dying.publish(Array.from({ length: 200 }, (_, n) => ({ n, ask: "wait" })));
    await dying.saysTimes(/^began/, 200);
    await dying.kill();
    for (const neighbour of neighbours) neighbour.tell({ do: "sweep" });
    const swept = await Promise.all(neighbours.map((neighbour) => neighbour.says(/^swept/)));
    expect(swept.map(({ text }) => Number(text.split(" ")[1])).toSorted((one, other) => one - other)).toEqual(
      [0, 0, 200],
    );
    const takers = await Promise.all([Worker.start({ path }), Worker.start({ path })]);
    for (const taker of takers) await taker.saysTimes(/^began \d+ 2$/, 100);
    const begun = inOrder(takers)
      .map(({ text }) => text)
      .filter((text) => text.startsWith("began"));
    expect(new Set(begun).size).toBe(200);
    expect(begun).toHaveLength(200);
  });

  test("is found behind ten thousand that a living process holds", async () => {
    const path = newFile();
    const holder = await startEngine(path);
    await holder.queue.publish(Array.from({ length: 10_000 }, () => message()));
    expect((await holder.queue.claim([{ handler: "h", limit: 10_000 }])).claims).toHaveLength(10_000);
    const dying = await Worker.start({ path });
    await dying.publish([{ n: 1, ask: "wait" }]);
    await dying.says("began 1 1");
    await dying.kill();
    expect(await holder.presence.sweep()).toBe(1);
    expect(await holder.presence.sweep()).toBe(0);
  });
});

describe("a message that ends its process each time", () => {
  test("is a dead letter after exactly as many attempts as it may have, and the others are done", async () => {
    const path = newFile();
    const setup: Setup = { path, attempts: 3, idle: false };
    const publisher = await Worker.start({ path, idle: true });
    const lives: Worker[] = [await Worker.start(setup)];
    const [poison = ""] = await publisher.publish([{ n: 1, ask: "abort" }]);
    await publisher.publish([{ n: 2 }, { n: 3 }]);
    // As a supervisor does.
    for (let deaths = 1; deaths <= 3; deaths++) {
      expect(await lives.at(-1)?.exit()).toBe("SIGABRT");
      lives.push(await Worker.start(setup));
    }
    const last = lives.at(-1) as Worker; // there are four
    await last.publish([{ n: 4 }]);
    await last.says("ended 4 1");

    const begun = inOrder(lives)
      .map(({ text }) => text)
      .filter((text) => text.startsWith("began 1 "));
    expect(begun).toEqual(["began 1 1", "began 1 2", "began 1 3"]);
    // Those that were claimed together with it ran, though no process lived long enough to begin them beside it.
    const ended = (): number => inOrder(lives).filter(({ text }) => /^ended [23] /.test(text)).length;
    await expect.poll(ended, { timeout: 10_000 }).toBe(2);
    const engine = await startEngine(path);
    const letters = await engine.deadLetters.list({});
    expect(letters.map(({ id, reason, handler }) => [id, reason, handler])).toEqual([
      [poison, "poison", "work"],
    ]);
    expect(last.child.exitCode).toBeNull();
  });
});

describe("a row that somebody has spoiled by hand", () => {
  test.each([
    ["payload", '{"n": 1', "invalid"],
    ["payload", "", "invalid"],
  ])("its %s is %j: a dead letter, and the next is handled", async (column, value, reason) => {
    const path = newFile();
    const publisher = await Worker.start({ path, idle: true });
    const [spoiled = ""] = await publisher.publish([{ n: 1 }]);
    spoil(path, column, value);
    const worker = await Worker.start({ path });
    await publisher.publish([{ n: 2 }]);
    await worker.says("ended 2 1");
    const engine = await startEngine(path);
    const letters = async (): Promise<unknown[]> =>
      (await engine.deadLetters.list({})).map((letter) => [letter.id, letter.reason]);
    await expect.poll(letters, { timeout: 10_000 }).toEqual([[spoiled, reason]]);
    expect(worker.count(/^began 1/)).toBe(0);
  });

  test.each([
    ["headers", '{"reply-to": "x'],
    ["headers", "null"],
    ["steps", "[oops"],
    ["errors", "oops"],
  ])("its %s are %j: the process lives, and the message comes to an end", async (column, value) => {
    const path = newFile();
    const publisher = await Worker.start({ path, idle: true });
    await publisher.publish([{ n: 1, ask: "fail", times: 1 }]);
    spoil(path, column, value);
    const worker = await Worker.start({ path, attempts: 3 });
    await publisher.publish([{ n: 2 }]);
    await worker.says("ended 2 1");
    const engine = await startEngine(path);
    await expect.poll(() => engine.queue.list({}), { timeout: 10_000 }).toEqual([]);
    await engine.deadLetters.list({});
    expect(await worker.kill("SIGTERM")).toBe(0);
  });
});

function spoil(path: string, column: string, value: string): void {
  const db = new DatabaseSync(path);
  db.prepare(`update delivery set ${column} = ?`).run(value);
  db.close();
}
