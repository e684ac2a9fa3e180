import { EngineError } from "../errors.ts";

/**
 * Loads the client library of an engine, which only those have installed who use that engine.
 *
 * @param engine The URL's scheme, for the error.
 * @param name The package.
 * @param load Imports it: `() => import("pg")`.
 * @throws {EngineError} `ENGINE_CLIENT_MISSING` with the command that installs it.
 */
export async function loadClient<T>(engine: string, name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (!isMissing(cause, name)) throw cause;
    throw new EngineError(
      "ENGINE_CLIENT_MISSING",
      `The ${engine} engine needs the package "${name}", which is not installed. Run: npm install ${name}`,
      { cause },
    );
  }
}

/** Whether it is this package that is missing, and not one that it needs itself. */
function isMissing(error: unknown, name: string): boolean {
  const { code, message = "" } = error as { code?: unknown; message?: string };
  return code === "ERR_MODULE_NOT_FOUND" && message.includes(`'${name}'`);
}
