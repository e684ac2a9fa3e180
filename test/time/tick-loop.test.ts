import { describe, expect, test } from "vitest";
import { MINUTE, moments, setup, startReplica, task } from "./replica.ts";

describe("an engine that fails", () => {
  test("is asked again, is reported once, and no tick of a minute is lost", async () => {
    const { clock, store } = setup();
    let broken = false;
    const replica = await startReplica(clock, store, [task("task", { every: "1m" })], {
      wrap: (engine) =>
        Object.create(engine, {
          schedules: {
            value: Object.create(engine.schedules, {
              list: {
                value: (name?: string) =>
                  broken ? Promise.reject(new Error("gone")) : engine.schedules.list(name),
              },
              fire: { value: engine.schedules.fire.bind(engine.schedules) },
              define: { value: engine.schedules.define.bind(engine.schedules) },
            }) as typeof engine.schedules,
          },
          now: { value: () => engine.now() },
        }) as typeof engine, // the engine, but for one method
    });
    broken = true;
    await clock.advance("75s");
    expect(replica.scheduler.fault).toMatchObject({ message: "gone" });
    broken = false;
    await clock.advance("2s");
    expect(await moments(replica)).toEqual([MINUTE]);
    expect(replica.scheduler.fault).toBeUndefined();
    expect(replica.log.lines).toEqual(["error the engine failed: ticks wait until it answers"]);
    await replica.stop();
  });

  test("start rejects, and works when it is called again", async () => {
    const { clock, store } = setup();
    const replica = await startReplica(clock, store, [task("task", { every: "1m" })], { start: false });
    await replica.engine.stop();
    await expect(replica.scheduler.start()).rejects.toMatchObject({ code: expect.any(String) as string });
    expect(replica.scheduler.running).toBe(false);
    const instance = { id: "again", host: "here", pid: 1, version: "0", startedAt: clock.now() };
    await replica.engine.start({ clock, instance, lease: 30_000 });
    await replica.scheduler.start();
    await clock.advance("1m");
    expect(await moments(replica)).toEqual([MINUTE]);
    await replica.stop();
  });
});
