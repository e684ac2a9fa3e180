import { describe, expect, test } from "vitest";
import { delay } from "../../src/clock.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

const HOUR = 3_600_000;

/** One turn of the event loop. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("time", () => {
  test("starts at the first of January 2026 unless told, and stands still", async () => {
    const clock = new VirtualClock();
    await turn();
    expect(new Date(clock.now()).toISOString()).toBe("2026-01-01T00:00:00.000Z");
    expect(clock.elapsed()).toBe(0);
    expect(new VirtualClock(5).now()).toBe(5);
  });

  test("advance moves both clocks by a duration in any form", async () => {
    const clock = new VirtualClock(1_000);
    await clock.advance("1h30m");
    await clock.advance(250);
    expect([clock.now(), clock.elapsed()]).toEqual([1_000 + 1.5 * HOUR + 250, 1.5 * HOUR + 250]);
  });

  test("advance refuses what is not a duration", async () => {
    const clock = new VirtualClock();
    await expect(clock.advance(-1)).rejects.toMatchObject({ code: "DURATION_INVALID" });
    await expect(clock.advance("soon" as "1s")).rejects.toMatchObject({ code: "DURATION_INVALID" });
  });

  test("jump changes what the clock shows, but neither what has elapsed nor when timers fire", async () => {
    const clock = new VirtualClock(0);
    let fired = 0;
    clock.setTimer(() => fired++, 1_000);
    clock.jump(HOUR);
    expect([clock.now(), clock.elapsed(), clock.nextAt]).toEqual([HOUR, 0, HOUR + 1_000]);
    clock.jump(-2 * HOUR);
    await clock.advance(999);
    expect(fired).toBe(0);
    await clock.advance(1);
    expect([fired, clock.now()]).toEqual([1, 1_000 - HOUR]);
  });
});

describe("timers", () => {
  test("fire in the order of their moments, ties in the order they were set, each at its own moment", async () => {
    const clock = new VirtualClock(0);
    const log: string[] = [];
    for (const [name, ms] of [
      ["c", 30],
      ["a", 10],
      ["d", 30],
      ["b", 20],
    ] as const) {
      clock.setTimer(() => log.push(`${name}@${clock.now()}`), ms);
    }
    await clock.advance(29);
    expect(log).toEqual(["a@10", "b@20"]);
    await clock.advance(1);
    expect(log).toEqual(["a@10", "b@20", "c@30", "d@30"]);
  });

  test("that woken code sets within the span fire in the same advance, between the others", async () => {
    const clock = new VirtualClock(0);
    const log: string[] = [];
    const loop = async () => {
      for (let n = 0; n < 3; n++) {
        await delay(clock, 10);
        await turn();
        log.push(`loop@${clock.now()}`);
      }
    };
    const looping = loop();
    clock.setTimer(() => log.push(`other@${clock.now()}`), 15);
    await clock.advance(30);
    await looping;
    expect(log).toEqual(["loop@10", "other@15", "loop@20", "loop@30"]);
  });

  test("what one wakes runs to its end before the next fires, though it hops through the event loop", async () => {
    const clock = new VirtualClock(0);
    const log: string[] = [];
    clock.setTimer(() => {
      void (async () => {
        for (let hop = 0; hop < 5; hop++) await turn();
        log.push(`first@${clock.now()}`);
      })();
    }, 1);
    clock.setTimer(() => log.push("second"), 2);
    await clock.advance(5);
    expect(log).toEqual(["first@1", "second"]);
  });

  test("a cancelled one does not fire and is not counted; cancelling again is harmless", async () => {
    const clock = new VirtualClock();
    let fired = 0;
    const kept = clock.setTimer(() => fired++, 10);
    const gone = clock.setTimer(() => (fired += 100), 5);
    expect(clock.pending).toBe(2);
    gone.cancel();
    gone.cancel();
    expect([clock.pending, clock.nextAt]).toEqual([1, clock.now() + 10]);
    await clock.advance(10);
    kept.cancel();
    expect([fired, clock.pending, clock.nextAt]).toEqual([1, 0, undefined]);
  });

  test("one may cancel another that is due at the same moment", async () => {
    const clock = new VirtualClock();
    let fired = 0;
    clock.setTimer(() => other.cancel(), 10);
    const other = clock.setTimer(() => fired++, 10);
    await clock.advance(10);
    expect(fired).toBe(0);
  });

  test("one that throws rejects the advance at its own moment, and the next advance goes on", async () => {
    const clock = new VirtualClock(0);
    let fired = 0;
    clock.setTimer(() => {
      throw new Error("broken");
    }, 10);
    clock.setTimer(() => fired++, 20);
    await expect(clock.advance(30)).rejects.toThrow("broken");
    expect(clock.now()).toBe(10);
    await clock.advance(10);
    expect(fired).toBe(1);
  });

  test("a hundred thousand cost little, set, cancelled and fired", async () => {
    const clock = new VirtualClock();
    let fired = 0;
    const timers = Array.from({ length: 100_000 }, (_, n) =>
      clock.setTimer(() => fired++, 1_000 + ((n * 7919) % HOUR)),
    );
    for (const timer of timers.slice(2_000)) timer.cancel();
    expect(clock.pending).toBe(2_000);
    await clock.advance("2h");
    expect([fired, clock.pending]).toEqual([2_000, 0]);
  });
});

describe("timers that are due at once", () => {
  test("never fire inside of setTimer", () => {
    const clock = new VirtualClock();
    let fired = 0;
    clock.setTimer(() => fired++, 0);
    expect([fired, clock.pending]).toEqual([0, 1]);
  });

  test("fire at the current moment with advance(0), in the order they were set", async () => {
    const clock = new VirtualClock(7);
    const log: string[] = [];
    clock.setTimer(() => log.push(`a@${clock.now()}`), 0);
    clock.setTimer(() => log.push(`b@${clock.now()}`), -5);
    clock.setTimer(() => log.push("never"), 1);
    await clock.advance(0);
    expect(log).toEqual(["a@7", "b@7"]);
  });

  test("do not need an advance, so that code which yields through the clock never hangs", async () => {
    const clock = new VirtualClock();
    const log: number[] = [];
    const first = delay(clock, 0).then(() => log.push(1));
    const second = delay(clock, 0).then(() => log.push(2));
    await Promise.all([first, second]);
    expect(log).toEqual([1, 2]);
  });

  test("fire in the advance in which they are set, at its end too", async () => {
    const clock = new VirtualClock(0);
    const log: number[] = [];
    clock.setTimer(() => clock.setTimer(() => log.push(clock.now()), 0), 10);
    await clock.advance(10);
    expect(log).toEqual([10]);
  });
});

describe("work under way", () => {
  test("is waited for while idle answers false", async () => {
    const clock = new VirtualClock(0);
    let working = false;
    const log: string[] = [];
    clock.idle = () => !working;
    clock.setTimer(() => {
      working = true;
      void (async () => {
        for (let hop = 0; hop < 100; hop++) await turn();
        log.push(`worked@${clock.now()}`);
        working = false;
      })();
    }, 1);
    clock.setTimer(() => log.push("next"), 2);
    await clock.advance(2);
    expect(log).toEqual(["worked@1", "next"]);
  });

  test("is waited for by the promise that idle gives", async () => {
    const clock = new VirtualClock(0);
    const { promise, resolve } = Promise.withResolvers<void>();
    let asked = 0;
    clock.idle = () => (++asked === 1 ? promise : true);
    const advancing = clock.advance(10);
    for (let hop = 0; hop < 20; hop++) await turn();
    expect(clock.now()).toBe(0);
    resolve();
    await advancing;
    expect(clock.now()).toBe(10);
  });

  test("an advance within an advance is refused", async () => {
    const clock = new VirtualClock();
    const first = clock.advance(10);
    await expect(clock.advance(10)).rejects.toMatchObject({ code: "CLOCK_BUSY" });
    await first;
    await clock.advance(10);
    expect(clock.elapsed()).toBe(20);
  });
});
