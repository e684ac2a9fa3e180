import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, test } from "vitest";
import { memoryEngine } from "../../src/engines/memory/engine.ts";
import { MemoryStore } from "../../src/engines/memory/store.ts";
import { redisEngine } from "../../src/engines/redis/engine.ts";
import { sqliteEngine } from "../../src/engines/sqlite/engine.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { REPLICAS, type Sequence, sequences } from "./model-steps.ts";
import { type Store, World } from "./model-world.ts";
import { server as postgresServer } from "./postgres/server.ts";
import { dropSchemas, postgres } from "./postgres/setup.ts";
import { dropStore, newUrl, server as redisServer } from "./redis/setup.ts";

/*
 * Random sequences of calls to three replicas of an engine, and to a model of it: every answer, and all that can be seen,
 * must be the same after each call. A failure is shrunk to a few calls and printed with its seed. To look at one again, or
 * to look for longer than the few seconds of the suite:
 *
 *   MODEL_SEED=<seed> npx vitest run test/engines/model.test.ts
 *   MODEL_TIMES=100 npx vitest run test/engines/model.test.ts
 */
const SEED = process.env["MODEL_SEED"];
const TIMES = Number(process.env["MODEL_TIMES"] ?? 1);
/** Shrinking a failure takes as long as it takes. */
const TIMEOUT = 3_600_000;
const LONGEST = 100;

test("memory does what the model does", () => check(1_200, newMemory), TIMEOUT);

const directory = mkdtemp(join(tmpdir(), "model-"));
afterAll(async () => rm(await directory, { recursive: true, maxRetries: 5 }));

test("sqlite does what the model does", () => check(150, newFile), TIMEOUT);

describe.skipIf(postgresServer.absent !== "")(`on a server${postgresServer.absent}`, () => {
  afterAll(dropSchemas);

  test("postgres does what the model does", () => check(15, postgres.create), TIMEOUT);
});

test.skipIf(redisServer.absent !== "")(
  `redis does what the model does${redisServer.absent}`,
  () => check(60, newKeys),
  TIMEOUT,
);

async function check(runs: number, create: () => Promise<Store>): Promise<void> {
  let clean: Store | undefined;
  const property = fc.asyncProperty(sequences(LONGEST), async (sequence) => {
    const store = clean ?? (await create());
    clean = undefined;
    await follow(store, sequence);
    clean = store;
  });
  await fc.assert(property, {
    numRuns: runs * TIMES,
    ...(SEED === undefined ? {} : { seed: Number(SEED) }),
  });
}

async function follow(store: Store, { without, steps }: Sequence): Promise<void> {
  const world = new World(store, without);
  try {
    await world.open(REPLICAS);
    for (const [at, { run }] of steps.entries()) {
      await run(world);
      await world.compare(at);
    }
    await world.drain();
    await world.clear();
  } finally {
    await world.close();
  }
}

async function newMemory(): Promise<Store> {
  const store = new MemoryStore();
  return { clock: new VirtualClock(), engine: () => memoryEngine({ store }) };
}

const stores: string[] = [];
afterAll(() => Promise.all(stores.map(dropStore)));
async function newKeys(): Promise<Store> {
  const clock = new VirtualClock();
  const url = newUrl();
  stores.push(url);
  return { clock, engine: () => redisEngine(url, { time: clock }) };
}

let files = 0;
async function newFile(): Promise<Store> {
  const url = `sqlite:${join(await directory, `${++files}.db`)}`;
  return { clock: new VirtualClock(), engine: () => sqliteEngine(url) };
}
