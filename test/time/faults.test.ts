import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { MINUTE, START } from "./replica.ts";
import { Cluster, every, LEASE, type Place } from "./faults-cluster.ts";

/*
 * Random deaths and stops in virtual time. To look at a run again:
 *
 *   FAULTS_SEED=<seed> npx vitest run test/time/faults.test.ts
 */
const SEED = Number(process.env["FAULTS_SEED"] ?? 17);
const TICKS = 10_000;

describe.each([
  ["memory", 0.01],
  ["sqlite", 0.002],
] as const)("10,000 ticks over three replicas on %s, of which any may die at any moment", (kind, risk) => {
  test(`are fired once each, and each is run (seed ${SEED})`, { timeout: 120_000 }, async () => {
    const cluster = new Cluster(kind);
    const random = seededRandom(SEED);
    const deaths = new Map<Place, number>();
    let immortal = false;
    const dies = (place: Place): boolean => {
      const now = !immortal && random() < risk;
      if (now) deaths.set(place, (deaths.get(place) ?? 0) + 1);
      return now;
    };
    const tasks = {
      task: { every: "1s", overlap: "allow", misfire: "all", retry: { attempts: 100 } },
    } as const;
    // So that all three are on their way to the engine when one of them has won.
    const latency = (): number => Math.floor(random() * 3);
    const fill = async (): Promise<void> => {
      while (cluster.alive.size < 3) await cluster.join(tasks, { dies, latency });
    };
    let stops = 0;
    for (let left = TICKS; left > 0;) {
      await fill();
      const step = Math.min(left, 1 + Math.floor(random() * 20));
      // Not on the second: a deploy comes at any time.
      const part = 10 + Math.floor(random() * 900);
      await cluster.clock.advance(step * 1_000 - part);
      let passed = 0;
      const [one] = cluster.alive;
      if (random() < risk * 10 && one) {
        const stopped = one.stop();
        await cluster.clock.advance((passed = 10));
        await stopped;
        stops++;
      }
      await fill();
      await cluster.clock.advance(part - passed);
      left -= step;
    }
    // The last victims' work is found once their leases have passed.
    immortal = true;
    await fill();
    await cluster.clock.advance(3 * LEASE);
    const wanted = Array.from({ length: TICKS }, (_, at) => (at + 1) * 1_000);
    console.log(`${kind}: ${stops} stops, deaths ${JSON.stringify(Object.fromEntries(deaths))}`);
    expect(cluster.ticks().slice(0, TICKS)).toEqual(wanted);
    expect(cluster.unfinished()).toEqual([]);
    expect(cluster.doubles()).toEqual([]);
    const observer = await cluster.join(tasks);
    const [row] = await observer.engine.schedules.list("task");
    expect(row?.fired).toBe(cluster.fired.size);
    // It has happened everywhere.
    expect(deaths.size).toBe(5);
    expect(stops).toBeGreaterThan(5);
  });
});

describe("a process that stops between claim and run", () => {
  test.each(["memory", "sqlite"] as const)(
    "%s: killed, its tick is run elsewhere within the lease and a look, as attempt 2",
    async (kind) => {
      const cluster = new Cluster(kind);
      const tasks = { task: { every: "1m", overlap: "allow" } } as const;
      await cluster.join(tasks, { dies: (place) => place === "after claim" });
      await cluster.clock.advance("30s");
      await cluster.join(tasks, { work: () => {} });
      // The second starts later, so its timers come after the first one's.
      await cluster.clock.advance("30s");
      await cluster.clock.advance(LEASE + 5_000);
      const [run] = cluster.attempts;
      expect(cluster.attempts).toHaveLength(1);
      expect(run).toMatchObject({ tick: START + MINUTE, attempt: 2, replica: "replica 2", ended: true });
      expect((run?.at ?? 0) - START - MINUTE).toBeLessThanOrEqual(LEASE + 5_000);
      expect(cluster.doubles()).toEqual([]);
    },
  );
});

test("maxRuns is exact, whoever dies when", async () => {
  const cluster = new Cluster("memory");
  const random = seededRandom(SEED);
  const dies = (): boolean => random() < 0.02;
  const tasks = { task: { every: "1s", overlap: "allow", misfire: "all", maxRuns: 500 } } as const;
  for (let second = 0; second < 600; second++) {
    while (cluster.alive.size < 3) await cluster.join(tasks, { dies });
    await cluster.clock.advance("1s");
  }
  const survivor = await cluster.join(tasks);
  await cluster.clock.advance(3 * LEASE);
  expect(cluster.ticks()).toEqual(every(1_000, 1_000, 500_000));
  expect(cluster.doubles()).toEqual([]);
  expect(cluster.unfinished()).toEqual([]);
  const [row] = await survivor.engine.schedules.list("task");
  expect(row).toMatchObject({ fired: 500, next: undefined });
});

describe.each(["memory", "sqlite"] as const)("kill the winner, on %s", (kind) => {
  test("whoever fired the last tick dies, each time, and the next one fires all the same", async () => {
    const cluster = new Cluster(kind);
    const tasks = { task: { every: "1m", overlap: "allow" } } as const;
    let winners = 0;
    const dies = (place: Place): boolean => place === "after fire" && ++winners > 0;
    for (let round = 1; round <= 20; round++) {
      while (cluster.alive.size < 2) await cluster.join(tasks, { dies });
      // One second before, at, or after the tick.
      await cluster.clock.advance(MINUTE);
    }
    await cluster.join(tasks);
    await cluster.clock.advance(3 * LEASE);
    expect(winners).toBe(20);
    expect(cluster.ticks()).toEqual(every(MINUTE, MINUTE, 20 * MINUTE));
    expect(cluster.doubles()).toEqual([]);
    expect(cluster.unfinished()).toEqual([]);
  });
});
