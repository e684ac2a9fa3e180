/*
 * Lets `import()` run the user's files as they are: TypeScript with decorators, which Node's own type stripping refuses,
 * `./handlers.js` written for `./handlers.ts` as tsc wants it, and `decorator-framework` from wherever the file stands.
 */

import { type LoadFnOutput, registerHooks, type ResolveFnOutput, setSourceMapsSupport } from "node:module";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

/** Told of each of the user's files that is loaded. */
export type LoadWatcher = (file: string) => void;

const TYPESCRIPT = /\.[cm]?tsx?$/;
const EXTENSION = extname(import.meta.filename);
const OWN_FOLDER = new URL("../", import.meta.url).href;

/** Files must get this very copy of the framework: another one has a registry of its own, whose handlers nobody would see. */
const OWN: Readonly<Record<string, string>> = {
  "decorator-framework": new URL(`../index${EXTENSION}`, import.meta.url).href,
  "decorator-framework/chat": new URL(`../chat/index${EXTENSION}`, import.meta.url).href,
  "decorator-framework/testing": new URL(`../testing/index${EXTENSION}`, import.meta.url).href,
};

/** Installs the hooks, for the rest of this process. */
export function installTypeScriptLoader(loaded: LoadWatcher): void {
  // Stacks, and the places where handlers are declared, name the lines that the user wrote.
  setSourceMapsSupport(true);
  registerHooks({
    resolve(specifier, context, next) {
      const own = Object.hasOwn(OWN, specifier) ? OWN[specifier] : undefined;
      if (own !== undefined) return { url: own, format: ownFormat(), shortCircuit: true };
      try {
        return next(specifier, context);
      } catch (error) {
        return resolveTypeScript(specifier, context.parentURL, (name) => next(name, context), error);
      }
    },
    load(url, context, next) {
      if (!isUsers(url)) return next(url, context);
      const file = fileURLToPath(url);
      loaded(file);
      return TYPESCRIPT.test(file) ? compile(file, context.format) : next(url, context);
    },
  });
}

/**
 * The place of the first syntax error in a file, as `file:line:column: what`; undefined when there is none. Node does
 * not tell it of a module that is imported.
 */
export function syntaxFault(file: string): string | undefined {
  try {
    translate(file);
    return undefined;
  } catch (error) {
    return describeBuildFailure(error);
  }
}

/** What esbuild says of a file, as `file:line:column: what`; undefined for other errors. */
export function describeBuildFailure(error: unknown): string | undefined {
  const failures = (error as { errors?: readonly BuildMessage[] } | undefined)?.errors; // esbuild's, if it is there at all
  const [first] = Array.isArray(failures) ? failures : [];
  if (!first?.location) return undefined;
  const { file, line, column } = first.location;
  return `${file}:${line}:${column + 1}: ${first.text}`;
}

interface BuildMessage {
  readonly text: string;
  readonly location: { readonly file: string; readonly line: number; readonly column: number } | null;
}

function isUsers(url: string): boolean {
  return url.startsWith("file:") && !url.startsWith(OWN_FOLDER) && !url.includes("/node_modules/");
}

function ownFormat(): string {
  return EXTENSION === ".ts" ? "module-typescript" : "module";
}

/** `./handlers.js` may be meant for `./handlers.ts`. */
function resolveTypeScript(
  specifier: string,
  parent: string | undefined,
  next: (specifier: string) => ResolveFnOutput,
  error: unknown,
): ResolveFnOutput {
  const meant = specifier.replace(/\.([cm]?)js$/, ".$1ts");
  const mayBeMeant = specifier.startsWith(".") && meant !== specifier && TYPESCRIPT.test(parent ?? "");
  if (!mayBeMeant) throw error;
  try {
    return next(meant);
  } catch {
    throw error;
  }
}

function compile(file: string, format: string | null | undefined): LoadFnOutput {
  const source = translate(file);
  return { format: moduleFormat(file, format ?? "commonjs", source), source, shortCircuit: true };
}

/** Not `transformSync`: this one heeds the user's tsconfig.json, and with it `experimentalDecorators`. */
function translate(file: string): string {
  const { outputFiles } = buildSync({
    entryPoints: [file],
    // Nothing is written; the source map names the file relative to this.
    outfile: `${file}.js`,
    write: false,
    bundle: false,
    target: "node24",
    sourcemap: "inline",
    // Handlers are named after their functions and classes.
    keepNames: true,
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

/** A `.ts` file that package.json does not call a module is one by its syntax: `npm init` writes `"type": "commonjs"`. */
function moduleFormat(file: string, format: string, source: string): string {
  if (!format.startsWith("commonjs")) return "module";
  const isModule = !file.endsWith(".cts") && /^(?:import|export)\b|^(?:const .*= )?await /m.test(source);
  return isModule ? "module" : "commonjs";
}
