import { Redis } from "ioredis";

/** The rows that the other engines' questions do not have. */
export const MORE_ROWS = {
  drain10: "drain, concurrency 10",
} as const;

export const EVENT = "user.registered";
export const HANDLER = "bench.handler";

/** Where the server is. Everything is done in one database of it, under a prefix that is removed afterwards. */
const SERVER = process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379/8";

/** The URL of a store with this prefix. */
export function urlOf(prefix: string): string {
  return `${SERVER}?prefix=${prefix}`;
}

export function connect(): Redis {
  return new Redis(SERVER);
}

/** Removes all keys that begin so. */
export async function drop(prefix: string): Promise<void> {
  const client = connect();
  for await (const keys of client.scanStream({ match: `${prefix}*`, count: 1_000 })) {
    if ((keys as string[]).length > 0) await client.unlink(...(keys as string[])); // what scanStream gives
  }
  client.disconnect();
}
