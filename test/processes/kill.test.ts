import { expect, test } from "vitest";
import { Hands } from "./jobs.ts";
import { EACH_ENGINE, onEachEngine } from "./stores.ts";
import type { Worker } from "./worker-process.ts";

test(
  `kill -9 in the middle of 10,000 jobs, ${EACH_ENGINE}: none is lost, and only those are handled twice whose handler had started`,
  () =>
    onEachEngine(async (store) => {
      const crew = await Hands.on(store, { lease: 2_000 });
      const publisher = await crew.start({ idle: true });
      const hands = await Promise.all([1, 2, 3].map(() => crew.start()));
      const killed = new Set<number | undefined>();
      const replace = async (seats: readonly number[]): Promise<void> => {
        for (const seat of seats) {
          const victim = hands[seat] as Worker; // there are three
          killed.add(victim.child.pid);
          expect(await victim.kill()).toBe("SIGKILL");
        }
        for (const seat of seats) hands[seat] = await crew.start();
      };

      publisher.tell({ do: "publish", from: 0, jobs: 4_000 });
      await crew.ended(1_000);
      await replace([0]);
      // Whichever begins a job next dies in its handler, and the others wherever they are.
      for (const hand of hands) hand.tell({ do: "die" });
      publisher.tell({ do: "publish", from: 4_000, jobs: 3_000 });
      await Promise.race(hands.map((hand) => hand.says("exit")));
      await replace([0, 1, 2]);
      publisher.tell({ do: "publish", from: 7_000, jobs: 3_000 });
      await crew.ended(8_000);
      await replace([1]);
      await crew.ended(10_000);

      const last = new Map<number, { readonly pid: number; readonly attempt: number }>();
      const wrong: string[] = [];
      let again = 0;
      for (const { what, n, attempt, pid } of crew.read()) {
        if (what !== "began") continue;
        const before = last.get(n);
        last.set(n, { pid, attempt });
        if (!before) continue;
        again++;
        if (!killed.has(before.pid) || attempt <= before.attempt)
          wrong.push(`${n}: attempt ${before.attempt} in ${before.pid}, then ${attempt} in ${pid}`);
      }
      expect(wrong).toEqual([]);
      expect(again).toBeGreaterThan(0);
      console.log(`${store.engine}: ${last.size} jobs, ${again} begun again after ${killed.size} kills`);
    }),
  90_000,
);

/** What is promised at default settings; the lease of thirty seconds need not pass. */
const ORPHANS_MS = 15_000;

test(
  `what a killed process held runs again within ${ORPHANS_MS / 1_000} s at default settings, ${EACH_ENGINE}`,
  () =>
    onEachEngine(async (store) => {
      const crew = await Hands.on(store);
      const publisher = await crew.start({ idle: true });
      const dying = await crew.start();
      dying.tell({ do: "die" });
      // Else it may have handled all of them before it hears of it.
      await dying.says("will die");
      publisher.tell({ do: "publish", from: 0, jobs: 40 });
      const { at: died } = await dying.says("exit");
      await crew.start();
      await crew.ended(40);
      const after = Number(process.hrtime.bigint() / 1_000_000n) - died;
      console.log(`${store.engine}: all of it was done ${Math.round(after)} ms after the death`);
      expect(after).toBeLessThan(ORPHANS_MS);
    }),
  60_000,
);
