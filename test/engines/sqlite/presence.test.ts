import { expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { message, newPath, startEngine, startOptions, until } from "./data-dir.ts";

const LEASE = 200;
const WANT = [{ handler: "h", limit: 10 }];

test("who was suspended itself lets its neighbours say first that they are alive", async () => {
  const path = await newPath();
  const silent = await startEngine(path, startOptions(systemClock, LEASE));
  await silent.queue.publish([message()]);
  await silent.queue.claim(WANT);
  const sweeper = await startEngine(path, startOptions(systemClock, LEASE));
  const start = performance.now();
  await until("both were silent for longer than a lease", () => performance.now() - start > LEASE * 1.5);
  // As after a laptop's sleep: both leases have lapsed, and nobody is dead.
  expect(await sweeper.presence.sweep()).toBe(0);
  expect(await silent.presence.beat()).toBe(true);
  expect(await sweeper.presence.sweep()).toBe(0);
});

test("a silent neighbour loses its claims to one that was awake, and learns of it at its next beat", async () => {
  const path = await newPath();
  const silent = await startEngine(path, startOptions(systemClock, LEASE));
  await silent.queue.publish([message()]);
  const [claim] = (await silent.queue.claim(WANT)).claims;
  const sweeper = await startEngine(path, startOptions(systemClock, LEASE));
  let rescued = 0;
  await until("it is rescued", async () => {
    await sweeper.presence.beat();
    rescued = await sweeper.presence.sweep();
    return rescued > 0;
  });
  expect(rescued).toBe(1);
  expect(claim && (await silent.queue.settle([{ claim, kind: "done" }]))).toEqual([false]);
  // It must not claim under a name that the others have buried.
  expect((await silent.queue.claim(WANT)).claims).toEqual([]);
  expect(await silent.presence.beat()).toBe(false);
  expect((await silent.queue.claim(WANT)).claims.map(({ attempt }) => attempt)).toEqual([2]);
});
