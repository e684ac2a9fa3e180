import type { App } from "../app.ts";
import { readConfig } from "../config.ts";
import { loadApp } from "./load-app.ts";
import { EXIT } from "./exit-codes.ts";
import { type Output, printError } from "./output.ts";

/**
 * Loads the app of a file, starts it without a port and without taking work from the engine, lets `use` do one thing
 * with it, and stops it. Its log goes to standard error, from `warn` on unless LOG_LEVEL says otherwise, so that
 * standard output has nothing but the result.
 */
export async function withApp<T>(file: string, output: Output, use: (app: App) => Promise<T>): Promise<T> {
  const { given, logLevel, logFormat } = readConfig();
  const level = given.includes("LOG_LEVEL") ? logLevel : "warn";
  // What a file leaves running must neither end us with a bare stack nor go unnoticed.
  process.on("uncaughtException", (error) => {
    printError(error, output.options);
    process.exit(EXIT.failed);
  });
  const { createLogger } = await import("../observe/logs.ts");
  const { log, close } = await createLogger({ level, format: logFormat, output: process.stderr });
  const app = await loadApp(file);
  try {
    await app.start({ http: false, consume: false, log });
    return await use(app);
  } finally {
    await app.stop();
    await close();
  }
}
