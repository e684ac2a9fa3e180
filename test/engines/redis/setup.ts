import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { redisEngine } from "../../../src/engines/redis/engine.ts";
import type { ConformanceOptions } from "../../../src/testing/conformance/index.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { testServer } from "../../servers.ts";

/** A database of its own keeps the search for a test's keys short. */
const DATABASE = 7;

export const server = await testServer("REDIS_URL");

/** The URL of a new, empty store on the test server. */
export function newUrl(prefix = `t${randomBytes(6).toString("hex")}`): string {
  return `${server.url}/${DATABASE}?prefix=${prefix}`;
}

/** Removes everything that was stored under a URL of {@link newUrl}. */
export async function dropStore(url: string): Promise<void> {
  const client = new Redis(url.replace(/\?.*/, ""));
  const prefix = new URL(url).searchParams.get("prefix") ?? "";
  for await (const keys of client.scanStream({ match: `{${prefix}*`, count: 1_000 })) {
    if ((keys as string[]).length > 0) await client.unlink(...(keys as string[])); // what scanStream gives
  }
  client.disconnect();
}

/** How the conformance suite is run on this engine, and what of it does not apply. */
export const redis: Omit<ConformanceOptions, "runner"> = {
  name: "redis",
  create: async () => {
    const clock = new VirtualClock();
    const url = newUrl();
    return {
      clock,
      engine: () => redisEngine(url, { time: clock }),
      dispose: () => dropStore(url),
    };
  },
};

/** The same on a cluster, of which cluster-conformance.test.ts starts one. */
export const redisCluster: Pick<ConformanceOptions, "name" | "skip"> = { name: "redis+cluster" };
