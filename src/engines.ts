import type { Engine } from "./engine.ts";
import { EngineError } from "./errors.ts";

/** How the engine of each scheme is loaded: only when its URL is used, so that nobody pays for the others. */
const LOADERS: Record<string, (url: string) => Promise<Engine>> = {
  memory: async () => (await import("./engines/memory/engine.ts")).memoryEngine(),
  sqlite: async (url) => (await import("./engines/sqlite/engine.ts")).sqliteEngine(url),
};

/**
 * Makes the engine of a URL; it is not connected yet.
 *
 * @param url `"memory:"`, or `"sqlite:data/app.db"` with a path relative to the working directory.
 * @throws {EngineError} `ENGINE_UNKNOWN` for another scheme.
 */
export async function engineOf(url: string): Promise<Engine> {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
  const load = scheme === undefined || !Object.hasOwn(LOADERS, scheme) ? undefined : LOADERS[scheme];
  if (load) return load(url);
  const known = Object.keys(LOADERS)
    .map((name) => `${name}:`)
    .join(" and ");
  throw new EngineError(
    "ENGINE_UNKNOWN",
    scheme === undefined
      ? `The engine URL has no scheme. Write sqlite:data/app.db for a file, or memory: for tests.`
      : `There is no engine for "${scheme}:". This version has ${known}; write sqlite:data/app.db for a file, or memory: for tests.`,
  );
}
