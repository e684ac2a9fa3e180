import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { Cluster, every } from "./faults-cluster.ts";

/* `FAULTS_SEED=<seed> npx vitest run test/time/faults-registering.test.ts` looks at another run. */
const SEED = Number(process.env["FAULTS_SEED"] ?? 17);

describe.each([
  ["memory", 100],
  ["sqlite", 5],
] as const)("registering on %s", (kind, restarts) => {
  test(
    `20 replicas that start at once, each ${restarts} times, register a task once`,
    { timeout: 60_000 },
    async () => {
      const cluster = new Cluster(kind);
      const tasks = { task: { every: "10s", overlap: "allow", misfire: "all" } } as const;
      for (let round = 0; round < restarts; round++) {
        const before = [...cluster.alive];
        await Promise.all(Array.from({ length: 20 }, () => cluster.join(tasks)));
        await cluster.clock.advance("7s");
        await Promise.all(before.map((replica) => replica.stop()));
      }
      // One of them wrote it, and nobody after it.
      expect([...cluster.stored]).toEqual([expect.stringContaining('"by":"replica ')]);
      expect(cluster.ticks()).toEqual(every(10_000, 10_000, restarts * 7_000));
      expect(cluster.doubles()).toEqual([]);
      // Beyond the line that says that it has started.
      expect([...cluster.alive].flatMap(({ log }) => log.lines.slice(1))).toEqual([]);
    },
  );

  test("replicas with two definitions, restarted at random, tick by the one stored last, none twice, and say so", async () => {
    const cluster = new Cluster(kind);
    const random = seededRandom(SEED);
    const said = new Set<string>();
    for (let round = 0; round < 30; round++) {
      const interval = random() < 0.5 ? "10s" : "4s";
      const fresh = await cluster.join({ task: { every: interval, overlap: "allow" } });
      await cluster.clock.advance(Math.floor(random() * 60_000));
      for (const { log } of cluster.alive) for (const entry of log.lines) said.add(entry);
      const [oldest] = cluster.alive;
      if (cluster.alive.size > 3 && oldest !== fresh) await oldest?.stop();
    }
    expect(cluster.doubles()).toEqual([]);
    expect(cluster.ticks().filter((tick) => tick % 10_000 !== 0 && tick % 4_000 !== 0)).toEqual([]);
    const gaps = cluster.ticks().map((tick, at, all) => tick - (all[at - 1] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(10_000);
    expect([...said].some((entry) => entry.startsWith("warn replicas disagree"))).toBe(true);
  });
});
