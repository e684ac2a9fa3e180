import { expect, test } from "vitest";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { Alarm, LONGEST_NAP } from "../../src/time/alarm.ts";

function setup() {
  const clock = new VirtualClock(1_000_000);
  const rings: number[] = [];
  const alarm = new Alarm(
    clock,
    () => clock.now(),
    () => rings.push(clock.now()),
  );
  return { clock, rings, alarm };
}

test("rings at its moment, once", async () => {
  const { clock, rings, alarm } = setup();
  alarm.set(1_005_000);
  await clock.advance("1m");
  expect(rings).toEqual([1_005_000]);
});

test("can be moved to an earlier moment, and off", async () => {
  const { clock, rings, alarm } = setup();
  alarm.set(1_020_000);
  alarm.set(1_010_000);
  await clock.advance("15s");
  alarm.set(1_020_000);
  alarm.set(undefined);
  await clock.advance("1m");
  expect(rings).toEqual([1_010_000]);
  expect(clock.pending).toBe(0);
});

test("looks at the clock during a long wait, so that a jump is noticed", async () => {
  const { clock, rings, alarm } = setup();
  alarm.set(1_000_000 + 3_600_000);
  await clock.advance("1s");
  clock.jump(3_600_000);
  await clock.advance(LONGEST_NAP);
  expect(rings).toHaveLength(1);
});

test("set to the same moment again it keeps its timer", () => {
  const { clock, alarm } = setup();
  alarm.set(1_005_000);
  alarm.set(1_005_000);
  expect(clock.pending).toBe(1);
});

test("a moment in the past rings at once", async () => {
  const { clock, rings, alarm } = setup();
  alarm.set(5);
  await clock.advance(0);
  expect(rings).toEqual([1_000_000]);
});
