import { expect, test } from "vitest";
import { createRegistry } from "../../src/index.ts";
import { createTestApp } from "../../src/testing/index.ts";

test("a loop that waits for none of its publishes is refused before it fills the memory; what was taken is stored", async () => {
  const registry = createRegistry();
  registry.on("e", { concurrency: 1 }).execute(function hold() {
    return new Promise(() => {});
  });
  await using t = await createTestApp({ registry });
  const publishes = Array.from({ length: 100_100 }, (_, n) => t.app.publish("e", n));
  const settled = await Promise.allSettled(publishes);
  const refused = settled.filter((result) => result.status === "rejected");
  expect(refused).toHaveLength(100);
  expect(refused[0]?.reason).toMatchObject({ code: "PUBLISH_OVERLOAD", retryable: true });
  const [subscription] = await t.app.operations.subscriptions();
  expect((subscription?.ready ?? 0) + (subscription?.running ?? 0)).toBe(100_000);
  // Once they have been answered there is room again.
  await t.app.publish("e", "one more");
});
