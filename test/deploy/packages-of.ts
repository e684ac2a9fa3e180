import { join } from "node:path/posix";
import { textOf } from "./deploy-files.ts";

const IMPORT =
  /^(?:import|export)(?! type)\s(?:[^"';]*\sfrom\s)?\s*["'](?<from>[^"']+)["']|\bimport\(["'](?<later>[^"']+)["']\)/gm;

/** The packages that a TypeScript file and the files beside it import at run time; Node's own are left out. */
export function packagesOf(path: string, seen = new Set<string>()): string[] {
  if (seen.has(path)) return [];
  seen.add(path);
  const names = new Set<string>();
  for (const { groups } of textOf(path).matchAll(IMPORT)) {
    const name = groups?.["from"] ?? groups?.["later"] ?? "";
    if (name.startsWith("node:")) continue;
    if (name.startsWith(".")) for (const found of packagesOf(join(path, "..", name), seen)) names.add(found);
    else names.add(packageName(name));
  }
  return [...names];
}

/** `@scope/name/sub` is of the package `@scope/name`. */
function packageName(name: string): string {
  return name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");
}
