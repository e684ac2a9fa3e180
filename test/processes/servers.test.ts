import { describe, expect, test } from "vitest";
import { startOptions } from "../engines/sqlite/data-dir.ts";
import { engineOf } from "../../src/engines.ts";
import type { Setup, Task } from "./setup.ts";
import { atOnce, onAll, type Store, STORES } from "./stores.ts";
import { inOrder, newFile, Worker } from "./worker-process.ts";

/* Several processes on one server. On one file they know more of each other: death.test.ts, order.test.ts, wake.test.ts. */

const SERVERS = STORES.filter(({ clock }) => clock === "server");
const LEASE_MS = 900;
const KEYS = 4;
const OF_KEY = 15;

const newSetup = async ({ create }: Store): Promise<Setup> => ({ path: newFile(), engine: await create() });

describe(`several processes ${onAll(SERVERS)}`, () => {
  test(
    "one that is killed with -9 has its work taken over when its lease has passed, with the attempt counted",
    () =>
      atOnce(SERVERS, async (store) => {
        const setup = { ...(await newSetup(store)), lease: LEASE_MS };
        const dying = await Worker.start(setup);
        await dying.publish([1, 2, 3].map((n) => ({ n, ask: "wait" })));
        await dying.saysTimes(/^began \d 1$/, 3);
        const neighbour = await Worker.start(setup);
        await dying.kill();
        const { at: died } = await dying.says("exit");
        await neighbour.saysTimes(/^began \d 2$/, 3);
        const { at: again } = await neighbour.says("began 1 2");
        console.log(
          `${store.engine}: taken over ${Math.round(again - died)} ms after the death, lease ${LEASE_MS} ms`,
        );
        // The lease, and the third of it until somebody looks; the rest is for a busy machine.
        expect(again - died).toBeLessThan(LEASE_MS * 5);
        neighbour.tell({ do: "release" });
        await neighbour.saysTimes(/^ended \d 2$/, 3);
      }),
    60_000,
  );

  test(
    "one that is told to stop gives back what it held at once, and no attempt is spent",
    () =>
      atOnce(SERVERS, async (store) => {
        const setup = await newSetup(store);
        const leaving = await Worker.start({ ...setup, shutdownTimeout: 50 });
        await leaving.publish([{ n: 1, ask: "hang" }]);
        await leaving.says("began 1 1");
        const staying = await Worker.start(setup);
        leaving.child.kill("SIGTERM");
        await staying.says("began 1 1");
      }),
    60_000,
  );

  test(
    "what one publishes is begun by another within milliseconds",
    () =>
      atOnce(SERVERS, async (store) => {
        const setup = await newSetup(store);
        const [worker, publisher] = [await Worker.start(setup), await Worker.start({ ...setup, idle: true })];
        const waits: number[] = [];
        for (let n = 0; n < 10; n++) {
          await publisher.publish([{ n }]);
          const { at: began } = await worker.says(`began ${n} 1`);
          const published = publisher.lines.findLast(({ text }) => text.startsWith("published"));
          waits.push(Math.round(began - (published?.at ?? 0)));
          await worker.says(`ended ${n} 1`);
        }
        console.log(`${store.engine}: begun in another process after ${waits.join(", ")} ms`);
        // A notice may be lost, and then a look finds it; most are heard.
        expect(waits.toSorted((one, other) => one - other)[5]).toBeLessThan(500);
        expect(Math.max(...waits)).toBeLessThan(6_000);
      }),
    60_000,
  );

  test(
    "messages of one key run in their order, one at a time, also while the first is retried",
    () =>
      atOnce(SERVERS, async (store) => {
        const setup = await newSetup(store);
        const workers = await Promise.all([1, 2, 3].map(() => Worker.start({ ...setup, attempts: 3 })));
        for (let place = 0; place < OF_KEY; place++)
          for (let key = 0; key < KEYS; key++)
            await workers[0]?.publish([taskOf(key, place)], { key: `key ${key}` });
        await expect
          .poll(() => workers.reduce((sum, worker) => sum + worker.count(/^ended/), 0), { timeout: 20_000 })
          .toBe(KEYS * OF_KEY);
        const told = inOrder(workers).map(({ text }) => text);
        for (let key = 0; key < KEYS; key++) {
          const ofKey = told.filter(
            (text) => /^(began|ended)/.test(text) && Math.floor(Number(text.split(" ")[1]) / 100) === key,
          );
          expect(ofKey).toEqual(
            Array.from({ length: OF_KEY }, (_, place) => linesOf(taskOf(key, place))).flat(),
          );
        }
      }),
    60_000,
  );

  test(
    "fifty publishes of one dedupe key at once, from each of three, store one message",
    () =>
      atOnce(SERVERS, async (store) => {
        const setup = await newSetup(store);
        const publishers = await Promise.all([1, 2, 3].map(() => Worker.start({ ...setup, idle: true })));
        const tasks = Array.from({ length: 50 }, () => ({ n: 1 }));
        const ids = await Promise.all(
          publishers.map((publisher) => publisher.publish(tasks, { dedupe: "once" })),
        );
        expect(ids.flat()).toHaveLength(150);
        expect(new Set(ids.flat()).size).toBe(1);
        const engine = await engineOf(setup.engine ?? "");
        await engine.start(startOptions());
        const stored = await engine.queue.list({});
        await engine.stop();
        expect(stored).toHaveLength(1);
      }),
    60_000,
  );
});

function taskOf(key: number, place: number): Task {
  const n = key * 100 + place;
  return place % 5 === 0 ? { n, ask: "fail", times: 2 } : { n };
}

/** What is told of a task. */
function linesOf({ n, times = 0 }: Task): string[] {
  const began = Array.from({ length: times + 1 }, (_, attempt) => `began ${n} ${attempt + 1}`);
  return [...began, `ended ${n} ${times + 1}`];
}
