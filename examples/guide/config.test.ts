import { createApp } from "decorator-framework";
import { expect, test } from "vitest";
import { tryConfiguration } from "./config.ts";

test("the guide's values are accepted as they stand there", async () => {
  const guide = { LOG_LEVEL: "INFO", SCHEDULER_ENABLED: "true", HEARTBEAT_INTERVAL: "30" };
  expect(await tryConfiguration(guide)).toEqual([]);
  expect(await tryConfiguration({})).toEqual([]);
});

test("every mistake is named at once, with what is accepted", async () => {
  const mistakes = await tryConfiguration({
    LOG_LEVEL: "LOUD",
    SCHEDULER_ENABLED: "perhaps",
    HEARTBEAT_INTERVAL: "often",
  });
  expect(mistakes).toHaveLength(3);
  expect(mistakes[0]).toMatch(/^LOG_LEVEL is "LOUD".*debug, info, warn/);
  expect(mistakes[1]).toMatch(/^SCHEDULER_ENABLED is "perhaps".*true or false/);
  expect(mistakes[2]).toMatch(/^HEARTBEAT_INTERVAL is "often".*seconds/);
});

test.each([
  ["true", true],
  ["false", false],
])("SCHEDULER_ENABLED=%s", async (text, running) => {
  await using app = createApp({ engine: "memory:", log: "silent", env: { SCHEDULER_ENABLED: text } });
  await app.start();
  expect(app.scheduler.running).toBe(running);
});
