import { describe, expect, test } from "vitest";
import { CHANGES, inZone, listed, momentOf, scheduleText } from "./dst-golden.ts";
import { Cluster } from "./faults-cluster.ts";

describe.each(CHANGES.filter(({ what }) => what !== "–"))("in a cluster, $zone $what", (change) => {
  test("three replicas run each line of the table once, also when one dies in the middle of it", async () => {
    const [from, to] = change.days.map((text) => momentOf(change, text)) as [number, number];
    const rows = change.rows.filter(({ within }) => within === "days");
    const tasks = Object.fromEntries(
      rows.map(({ schedule }) => [
        scheduleText(schedule),
        { ...inZone(schedule, change.zone), overlap: "allow" as const },
      ]),
    );
    const cluster = new Cluster("alone", from - 1);
    const [doomed] = [await cluster.join(tasks), await cluster.join(tasks), await cluster.join(tasks)];
    const half = Math.floor((to - from) / 2);
    await cluster.clock.advance(half);
    doomed?.kill();
    await cluster.clock.advance(to - from - half);
    for (const { schedule, runs } of rows) {
      const ran = cluster.attempts.filter(({ task }) => task === scheduleText(schedule));
      const moments = ran.map(({ tick }) => tick).sort((one, other) => one - other);
      expect(moments).toEqual(listed(runs).map((text) => momentOf(change, text)));
      expect(ran.filter(({ at, tick }) => at !== tick)).toEqual([]);
    }
    expect(cluster.doubles()).toEqual([]);
  });
});
