import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { atOnce, onAll } from "../processes/stores.ts";
import { type FaultyServer, SERVERS } from "./servers.ts";
import { Shop } from "./shop.ts";

/*
 * An app under load whose server, or the way to it, fails. Each time: nothing that was acknowledged is lost; publishing
 * waits, or fails clearly by its timeout; /ready tells the truth; and when the fault is over, work goes on unaided.
 */

const TIMEOUT_MS = 3_000;
/** A connection that has gone silent is given up after so long. */
const SILENT_MS = 5_000;
/** What a busy machine may add. */
const SLACK_MS = 4_000;

const started = new Map<string, FaultyServer>();
let stores = 0;
beforeAll(
  () => atOnce(SERVERS, async ({ engine, start }) => void started.set(engine, await start())),
  60_000,
);
afterAll(async () => void (await Promise.all([...started.values()].map((server) => server.dispose()))));

describe(`under load, ${onAll(SERVERS)}`, () => {
  test(
    "connections are refused",
    () =>
      each(async (server, shop, bound) => {
        server.set("refuse");
        await shop.is(503);
        await failsClearly(shop);
        server.set("pass");
        return goesOn(shop, bound);
      }),
    90_000,
  );

  test(
    "connections are half open: nothing goes through, and nothing ends",
    () =>
      each(async (server, shop, bound) => {
        server.set("swallow");
        await shop.is(503);
        await failsClearly(shop);
        server.set("pass");
        return goesOn(shop, bound + SILENT_MS);
      }),
    90_000,
  );

  test.each(["all", "listening"] as const)(
    "connections (%s) are half open, and nobody says so: new ones take their place, and notices come again",
    (which) =>
      each(async (server, shop, bound) => {
        server.strand(which);
        const went = await goesOn(shop, bound + SILENT_MS);
        let took = Number.POSITIVE_INFINITY;
        const began = performance.now();
        // Without notices work is found by looking, every few seconds.
        while (took > 400) {
          expect(performance.now() - began).toBeLessThan(2 * (bound + SILENT_MS) + SLACK_MS);
          await shop.rest();
          took = await shop.goesOn();
        }
        return went;
      }),
    90_000,
  );

  test(
    "connections are slow: everything is done, later, and it is ready",
    () =>
      each(async (server, shop) => {
        server.set("slow");
        const took = await shop.goesOn();
        await shop.is(200);
        expect(shop.refused).toEqual([]);
        server.set("pass");
        return took;
      }),
    90_000,
  );

  test(
    "connections are reset before an answer and in the middle of one, again and again",
    () =>
      each(async (server, shop, bound) => {
        let longest = 0;
        for (let round = 0; round < 10; round++) {
          server.set(round % 2 === 0 ? "cut" : "mute");
          longest = Math.max(longest, await shop.goesOn());
        }
        server.set("pass");
        // Publishing waits: none of it fails.
        expect(shop.refused).toEqual([]);
        expect(longest).toBeLessThan(bound + SLACK_MS);
        return goesOn(shop, bound);
      }),
    90_000,
  );

  test(
    "the server crashes and comes back every few seconds",
    () =>
      each(async (server, shop, bound) => {
        let longest = 0;
        for (let round = 0; round < 2; round++) {
          await server.crash();
          await shop.is(503);
          await server.up();
          longest = Math.max(longest, await goesOn(shop, bound));
        }
        return longest;
      }),
    90_000,
  );
});

/** Runs a fault on each server at the same time; it answers how long work took to go on, in milliseconds. */
function each(fault: (server: FaultyServer, shop: Shop, bound: number) => Promise<number>): Promise<void> {
  return atOnce(SERVERS, async ({ engine, bound }) => {
    const server = started.get(engine) as FaultyServer; // all that are there were started
    const shop = await Shop.start(server.url(`store${++stores}`, `${TIMEOUT_MS}ms`));
    await shop.is(200);
    onTestFinished(() => server.set("pass"));
    const went = await fault(server, shop, bound);
    await shop.close();
    const { acknowledged, handled, refused } = shop;
    // One run of each attempt: what is begun again has been counted.
    expect(handled.length).toBe(new Set(handled).size);
    expect(refused.filter(({ code, retryable }) => code !== "ENGINE_UNAVAILABLE" || !retryable)).toEqual([]);
    expect(refused.filter(({ took }) => took > TIMEOUT_MS + SLACK_MS)).toEqual([]);
    const again = handled.length - new Set(handled.map((run) => run.split(" ")[0])).size;
    console.log(
      `${engine}: ${acknowledged} acknowledged, all handled, ${again} again, ${refused.length} refused; went on after ${went} ms`,
    );
  });
}

/** Waits until a publish has failed: it does, when its time is up. */
async function failsClearly(shop: Shop): Promise<void> {
  await expect.poll(() => shop.refused.length, { timeout: TIMEOUT_MS + SLACK_MS }).toBeGreaterThan(0);
}

/** Says how long it took until work went on. */
async function goesOn(shop: Shop, bound: number): Promise<number> {
  const began = performance.now();
  await shop.is(200);
  await shop.goesOn();
  const took = Math.round(performance.now() - began);
  expect(took).toBeLessThan(bound + SLACK_MS);
  return took;
}
