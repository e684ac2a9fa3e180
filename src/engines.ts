import type { Engine } from "./engine.ts";
import { EngineError } from "./errors.ts";

/** How the engine of each scheme is loaded: only when its URL is used, so that nobody pays for the others. */
const LOADERS: Record<string, (url: string) => Promise<Engine>> = {
  memory: async () => (await import("./engines/memory/engine.ts")).memoryEngine(),
  sqlite: async (url) => (await import("./engines/sqlite/engine.ts")).sqliteEngine(url),
  postgres: async (url) => (await import("./engines/postgres/engine.ts")).postgresEngine(url),
  postgresql: async (url) => (await import("./engines/postgres/engine.ts")).postgresEngine(url),
  redis,
  rediss: redis,
  "redis+cluster": redis,
};

async function redis(url: string): Promise<Engine> {
  return (await import("./engines/redis/engine.ts")).redisEngine(url);
}

/** The clients of engines that the design names and that are still to come. */
const COMING: Record<string, string> = {
  nats: "@nats-io/transport-node @nats-io/jetstream",
};

/**
 * Makes the engine of a URL; it is not connected yet.
 *
 * @param url `"memory:"`, `"sqlite:data/app.db"` with a path relative to the working directory, `"postgres://user@host/database"`, or `"redis://host:6379"`.
 * @throws {EngineError} `ENGINE_UNKNOWN` for another scheme.
 */
export async function engineOf(url: string): Promise<Engine> {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
  const load = scheme === undefined || !Object.hasOwn(LOADERS, scheme) ? undefined : LOADERS[scheme];
  if (load) return load(url);
  throw new EngineError("ENGINE_UNKNOWN", refusal(scheme));
}

function refusal(scheme: string | undefined): string {
  const instead = "Write sqlite:data/app.db for a file, or memory: for tests.";
  if (scheme === undefined) return `The engine URL has no scheme. ${instead}`;
  const client = COMING[scheme];
  if (client !== undefined) {
    return `The engine for "${scheme}:" is not part of this version. (It will want its client: npm install ${client}.) ${instead}`;
  }
  const known = Object.keys(LOADERS).map((name) => `${name}:`);
  return `There is no engine for "${scheme}:". This version has ${known.join(", ")}. ${instead}`;
}
