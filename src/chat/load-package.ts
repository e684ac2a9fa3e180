import { LifecycleError } from "../errors.ts";

/**
 * Loads the package of a chat, which only those have installed who use that chat.
 *
 * @param what Which adapter needs it.
 * @param load Imports it: `() => import("ws")`.
 * @throws {LifecycleError} `CHAT_PACKAGE_MISSING` with the command that installs it.
 */
export async function loadPackage<T>(what: string, name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    // Another package than this one may be missing, which this one needs itself.
    const { code, message = "" } = cause as { code?: unknown; message?: string };
    if (code !== "ERR_MODULE_NOT_FOUND" || !message.includes(`'${name}'`)) throw cause;
    throw new LifecycleError(
      "CHAT_PACKAGE_MISSING",
      `${what} needs the package "${name}", which is not installed. Run: npm install ${name}`,
      { cause },
    );
  }
}
