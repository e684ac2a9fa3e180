import { describe, expect, test } from "vitest";
import { Cluster, every } from "./faults-cluster.ts";
import { HOUR, MINUTE, START } from "./replica.ts";

const DAY = 24 * HOUR;
/** The last tick that falls into the sleep of eight hours which begins after ten minutes. */
const DOWN = 8 * HOUR + 10 * MINUTE;

describe.each(["memory", "sqlite"] as const)("the cluster's clock on %s", (kind) => {
  const tasks = { task: { every: "1m", overlap: "allow" } } as const;

  test.each([
    ["an hour", HOUR],
    ["a day", DAY],
  ])(
    "set forward %s: at most the latest of what was leapt over is run, and nothing twice",
    async (_, leap) => {
      const cluster = new Cluster(kind);
      await cluster.join(tasks);
      await cluster.join(tasks);
      await cluster.clock.advance("10m");
      cluster.clock.jump(leap + 10_000);
      // Noticed 30 s later at the latest, whatever clocks do: too late for the last tick that was leapt over.
      await cluster.clock.advance("30s");
      await cluster.clock.advance("5m");
      expect(cluster.ticks()).toEqual([
        ...every(MINUTE, MINUTE, 10 * MINUTE),
        ...every(MINUTE, 11 * MINUTE + leap, 15 * MINUTE + leap),
      ]);
      expect(cluster.doubles()).toEqual([]);
    },
  );

  test.each<[string, number]>([
    ["an hour", HOUR],
    // A day of looking for dead neighbours takes 15 s on a file.
    ...(kind === "memory" ? [["a day", DAY] satisfies [string, number]] : []),
  ])("set back %s: no tick comes again, and they go on when the time has passed", async (_, leap) => {
    const cluster = new Cluster(kind);
    await cluster.join(tasks);
    await cluster.join(tasks);
    await cluster.clock.advance("10m");
    cluster.clock.jump(-leap);
    await cluster.clock.advance(leap);
    expect(cluster.ticks()).toEqual(every(MINUTE, MINUTE, 10 * MINUTE));
    await cluster.clock.advance("3m");
    expect(cluster.ticks()).toEqual(every(MINUTE, MINUTE, 13 * MINUTE));
    expect(cluster.doubles()).toEqual([]);
  });

  test("set back an hour and right again, they lose nothing when they are told to catch up", async () => {
    const cluster = new Cluster(kind);
    await cluster.join({ task: { every: "1m", overlap: "allow", misfire: "all" } });
    await cluster.clock.advance("10m");
    cluster.clock.jump(-HOUR);
    await cluster.clock.advance("90s");
    cluster.clock.jump(HOUR);
    await cluster.clock.advance("90s");
    expect(cluster.ticks()).toEqual(every(MINUTE, MINUTE, 13 * MINUTE));
    expect(cluster.doubles()).toEqual([]);
  });

  test.each([
    // Noticed 30 s late, which is on time still.
    ["skip", 0, [DOWN]],
    ["skip", 10_000, []],
    ["once", 10_000, [DOWN]],
    // The last hundred, in their order, and none older than a day.
    ["all", 10_000, every(MINUTE, DOWN - 99 * MINUTE, DOWN)],
  ] as const)(
    "a laptop that sleeps for eight hours, misfire %s, awake %i ms after a tick",
    async (misfire, after, caughtUp) => {
      const cluster = new Cluster(kind);
      await cluster.join({ task: { every: "1m", misfire } });
      await cluster.clock.advance("10m");
      // Timers stand still while it sleeps, and the clock does not.
      cluster.clock.jump(8 * HOUR + after);
      await cluster.clock.advance("30s");
      const ran = cluster.attempts.map(({ tick }) => tick - START).filter((tick) => tick > 10 * MINUTE);
      const since = DOWN + after;
      expect(ran.filter((tick) => tick <= since)).toEqual(caughtUp);
      expect(cluster.doubles()).toEqual([]);
    },
  );
});

test("replicas whose clocks are 90 s apart tick by the engine's, each tick once and at its moment", async () => {
  const cluster = new Cluster("memory");
  const tasks = { task: { every: "10s", overlap: "allow" } } as const;
  await cluster.join(tasks);
  for (const skew of [-90_000, 90_000, 45_000]) await cluster.join(tasks, { skew });
  await cluster.clock.advance("10m");
  expect(cluster.ticks()).toEqual(every(10_000, 10_000, 10 * MINUTE));
  expect(cluster.doubles()).toEqual([]);
  expect(cluster.attempts.filter(({ at, tick }) => at !== tick)).toEqual([]);
});

describe("an event loop that is held up for ten seconds", () => {
  test.each([
    ["skip", [30_000]],
    ["once", [30_000]],
    ["all", every(1_000, 21_000, 30_000)],
  ] as const)("misfire %s: the ticks of the ten seconds", async (misfire, caughtUp) => {
    const cluster = new Cluster("memory");
    const alone = await cluster.join({ task: { every: "1s", overlap: "allow", misfire } });
    await cluster.clock.advance("20s");
    alone.hold(true);
    await cluster.clock.advance("10s");
    alone.hold(false);
    await cluster.clock.advance("3s");
    expect(cluster.ticks()).toEqual([
      ...every(1_000, 1_000, 20_000),
      ...caughtUp,
      ...every(1_000, 31_000, 33_000),
    ]);
    expect(cluster.doubles()).toEqual([]);
  });

  test("another replica fires meanwhile: no tick is late", async () => {
    const cluster = new Cluster("memory");
    const tasks = { task: { every: "1s", overlap: "allow" } } as const;
    const stuck = await cluster.join(tasks);
    await cluster.join(tasks);
    await cluster.clock.advance("5s");
    stuck.hold(true);
    await cluster.clock.advance("10s");
    stuck.hold(false);
    await cluster.clock.advance("5s");
    expect(cluster.ticks()).toEqual(every(1_000, 1_000, 20_000));
    expect(cluster.doubles()).toEqual([]);
    expect(cluster.attempts.filter(({ at, tick }) => at !== tick)).toEqual([]);
  });
});
