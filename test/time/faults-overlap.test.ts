import { describe, expect, test } from "vitest";
import { Cluster, every } from "./faults-cluster.ts";
import { START } from "./replica.ts";

describe.each(["memory", "sqlite"] as const)("a task that runs longer than its interval, on %s", (kind) => {
  async function run(overlap: "skip" | "queue" | "allow"): Promise<{ cluster: Cluster; most: number }> {
    const cluster = new Cluster(kind);
    let running = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => void cluster.clock.setTimer(resolve, 25_000));
      running--;
    };
    const tasks = { task: { every: "10s", overlap } } as const;
    for (let replicas = 0; replicas < 3; replicas++) await cluster.join(tasks, { work });
    await cluster.clock.advance("60s");
    for (const replica of cluster.alive) await replica.app.scheduler.pause("task");
    await cluster.clock.advance("5m");
    expect(running).toBe(0);
    expect(cluster.doubles()).toEqual([]);
    return { cluster, most };
  }

  test("overlap skip: one at a time over all replicas, and those that fall due meanwhile are left out", async () => {
    const { cluster, most } = await run("skip");
    expect(cluster.ticks()).toEqual([10_000, 40_000]);
    expect(most).toBe(1);
  });

  test("overlap queue: one at a time over all replicas, none left out", async () => {
    const { cluster, most } = await run("queue");
    expect(cluster.ticks()).toEqual(every(10_000, 10_000, 60_000));
    expect(most).toBe(1);
    const begun = cluster.attempts.map(({ at }) => at - START);
    expect(begun).toEqual(every(25_000, 10_000, 135_000));
  });

  test("overlap allow: each at its moment", async () => {
    const { cluster, most } = await run("allow");
    expect(cluster.ticks()).toEqual(every(10_000, 10_000, 60_000));
    expect(most).toBe(3);
    expect(cluster.attempts.filter(({ at, tick }) => at !== tick)).toEqual([]);
  });
});
