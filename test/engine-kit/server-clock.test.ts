import { expect, test } from "vitest";
import { ServerClock } from "../../src/engine-kit/server-clock.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

test("the server's time goes on between two answers, and is taken as of the middle of the round trip", async () => {
  const clock = new VirtualClock(0);
  const server = new ServerClock(clock, async () => {
    await clock.advance(10);
    return 1_000_000;
  });
  await server.sync();
  expect(server.now()).toBe(1_000_005);
  await clock.advance(250);
  expect(server.now()).toBe(1_000_255);
});

test("it never goes back, though the server's does", async () => {
  const clock = new VirtualClock(0);
  let time = 5_000;
  const server = new ServerClock(clock, async () => time);
  await server.sync();
  expect(server.now()).toBe(5_000);
  time = 1_000;
  await server.sync();
  expect(server.now()).toBe(5_000);
});
