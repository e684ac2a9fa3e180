import { onTestFinished } from "vitest";
import { dropSchema, newSchema, server as postgres, urlOf } from "../engines/postgres/server.ts";
import { noBinary, PrivateCluster } from "../engines/redis/private-server.ts";
import { dropStore, newUrl, server as redis } from "../engines/redis/setup.ts";
import { newFile } from "./worker-process.ts";

/** Where the tests of several processes find a store. */
export interface Store {
  readonly engine: string;
  /** Why its tests are skipped, for their title; empty when they are not. */
  readonly absent: string;
  /** Whose clock counts: that of the machine, which all its processes share, or that of a server. */
  readonly clock: "machine" | "server";
  /** The URL of a new, empty store, which goes with its test. */
  readonly create: () => Promise<string>;
}

/** Every engine that several processes share. */
export const STORES: readonly Store[] = [
  { engine: "sqlite", absent: "", clock: "machine", create: async () => `sqlite:${newFile()}` },
  {
    engine: "redis",
    absent: redis.absent,
    clock: "server",
    async create() {
      const url = newUrl();
      onTestFinished(() => dropStore(url));
      return url;
    },
  },
  {
    engine: "redis+cluster",
    absent: noBinary,
    clock: "server",
    async create() {
      const cluster = await PrivateCluster.start();
      onTestFinished(() => cluster.dispose());
      return cluster.url();
    },
  },
  {
    engine: "postgres",
    absent: postgres.absent,
    clock: "server",
    async create() {
      const schema = newSchema();
      onTestFinished(() => dropSchema(schema));
      return urlOf(schema);
    },
  },
];

/** For the title of a test that runs on all of them at once. */
export const EACH_ENGINE = onAll(STORES);

/** Runs a test on each engine that is there: see {@link atOnce}. */
export function onEachEngine(run: (store: Store) => Promise<void>): Promise<void> {
  return atOnce(STORES, run);
}

/** For titles: `on sqlite, redis, postgres`, and why some are left out. */
export function onAll(all: readonly Pick<Store, "engine" | "absent">[]): string {
  return `on ${all.map(({ engine, absent }) => engine + absent).join(", ")}`;
}

/**
 * Runs a test on all that are there at the same time, since most of it is waiting. When it has ended on all of them, it
 * fails with what the first one failed of.
 */
export async function atOnce<T extends Pick<Store, "engine" | "absent">>(
  all: readonly T[],
  run: (each: T) => Promise<void>,
): Promise<void> {
  const present = all.filter(({ absent }) => absent === "");
  const ends = await Promise.allSettled(present.map(run));
  for (const [at, end] of ends.entries()) {
    if (end.status === "fulfilled") continue;
    const error: unknown = end.reason;
    if (error instanceof Error) error.message = `${present[at]?.engine}: ${error.message}`;
    throw error;
  }
}
