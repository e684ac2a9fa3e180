import { statSync } from "node:fs";
import { relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { App } from "../app.ts";
import { FrameworkError } from "../errors.ts";
import { defaultRegistry } from "../registry.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-codes.ts";

/** Loaded with the first file, as the app is: what only asks a running app shall not wait for them. */
type Loader = typeof import("./typescript-loader.ts");

/** How a file is loaded. */
export interface LoadOptions {
  /** What the file finds in `process.argv` behind its own name. */
  readonly args?: readonly string[];
  /** Told of each file that is loaded, outside of node_modules. */
  readonly loaded?: (file: string) => void;
}

/**
 * Loads a file, and gives the app that it exports (as default, or as `app`), or an app of the handlers that it declares.
 *
 * @throws {CliError} `FILE_NOT_FOUND`, `SYNTAX_INVALID`, `LOAD_FAILED`, `HANDLERS_NONE`, or the code of the framework's
 *   own error that was thrown while it loaded; all with exit code 3.
 */
export async function loadApp(file: string, { args = [], loaded }: LoadOptions = {}): Promise<App> {
  const path = resolve(file);
  refuseMissing(path, file);
  process.argv = [process.execPath, path, ...args];
  const { App, createApp } = await import("../app.ts");
  const loader = await import("./typescript-loader.ts");
  let last = path;
  loader.installTypeScriptLoader((each) => {
    last = each;
    loaded?.(each);
  });
  const module = await importFile(path).catch((error: unknown) => {
    throw loadError(loader, file, last, error);
  });
  const exported = [module["default"], module["app"]].find((value) => value instanceof App);
  const app = exported ?? (defaultRegistry.list().length > 0 ? createApp() : undefined);
  if (app) return app;
  throw new CliError(EXIT.start, "HANDLERS_NONE", nothingIn(file, module));
}

type Exports = Readonly<Record<string, unknown>>;

function importFile(path: string): Promise<Exports> {
  return import(pathToFileURL(path).href) as Promise<Exports>; // what a module exports has no other type
}

/** @throws {CliError} `FILE_NOT_FOUND`. */
export function refuseMissing(path: string, file: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile()) return;
  const why = found ? "is no file" : "does not exist";
  throw new CliError(
    EXIT.start,
    "FILE_NOT_FOUND",
    `${file} ${why} (looked at ${path}). Give the file that declares your handlers, such as src/app.ts.`,
  );
}

function nothingIn(file: string, module: Exports): string {
  const names = Object.keys(module);
  const exported = names.length > 0 ? ` It exports ${names.join(", ")}.` : "";
  return (
    `${file} declares no handlers, and exports no app.${exported}\n` +
    `  Declare handlers with on(…), timeOn(…), commandOn(…) or reOn(…),\n` +
    `  or export an app: export const app = createApp({ handlers: [MyClass] });`
  );
}

/** @param last The file that was loaded last: the one with the mistake when it is one of syntax. */
function loadError(loader: Loader, file: string, last: string, error: unknown): CliError {
  const options = { cause: error };
  const isSyntax = error instanceof SyntaxError;
  const fault = loader.describeBuildFailure(error) ?? (isSyntax ? loader.syntaxFault(last) : undefined);
  if (fault !== undefined) return new CliError(EXIT.start, "SYNTAX_INVALID", fault, options);
  if (error instanceof FrameworkError) return new CliError(EXIT.start, error.code, error.message, options);
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const place = placeOf(error);
  const where = place === undefined ? "" : `\n  at ${place}`;
  return new CliError(EXIT.start, "LOAD_FAILED", `${file} could not be loaded. ${what}${where}`, options);
}

/** The first place in an error's stack that is neither Node's nor a library's. */
function placeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const frames = error.stack?.split("\n").filter((line) => /^\s+at (?!.*\bnode:)/.test(line)) ?? [];
  for (const frame of frames) {
    const [, path, position] =
      /\(?(?:file:\/\/)?(\/[^()]+?|[A-Za-z]:[^()]+?)(:\d+:\d+)\)?$/.exec(frame) ?? [];
    if (path !== undefined && !path.includes("/node_modules/")) return `${relative("", path)}${position}`;
  }
  return undefined;
}
