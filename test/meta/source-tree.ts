import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";

/** The repository's root. */
export const ROOT = join(import.meta.dirname, "../..");

/** A file of our source, by its path below src/. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  /** Our own files it imports at run time, by their paths below src/; `lazy` ones by `import()`. */
  readonly imports: readonly string[];
  readonly lazy: readonly string[];
  readonly types: readonly string[];
  /** Packages and node: modules. */
  readonly packages: readonly string[];
}

/** Refuses to test what is published before it was built. */
export function needBuild(): void {
  if (!existsSync(join(ROOT, "dist/index.js"))) throw new Error("npm run build first; npm test does it");
}

/** All files below src/. */
export function sourceFiles(): SourceFile[] {
  const root = join(ROOT, "src");
  const paths = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".ts"),
  );
  return paths.sort().map((path) => {
    const text = readFileSync(join(root, path), "utf8");
    const code = text.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
    const resolved = (specifier: string) => posix.join(dirname(path), specifier);
    const found = {
      imports: [] as string[],
      lazy: [] as string[],
      types: [] as string[],
      packages: [] as string[],
    };
    for (const [, kind, names = "", specifier = ""] of code.matchAll(
      /^(import|export)\s([^;]*?)from\s+"([^"]+)";/gm,
    )) {
      const typeOnly = names.startsWith("type ") || (kind === "import" && onlyTypes(names));
      if (!specifier.startsWith(".")) found.packages.push(specifier);
      else found[typeOnly ? "types" : "imports"].push(resolved(specifier));
    }
    for (const [, specifier = ""] of code.matchAll(/^import\s+"([^"]+)";/gm)) {
      if (specifier.startsWith(".")) found.imports.push(resolved(specifier));
    }
    for (const [, specifier = ""] of code.matchAll(/\bimport\("([^"]+)"\)/g)) {
      if (specifier.startsWith(".")) found.lazy.push(resolved(specifier));
    }
    return { path, text, lines: text.split("\n").length - 1, ...found };
  });
}

/** `{ type A, type B }` */
function onlyTypes(names: string): boolean {
  const list =
    /^\{([^}]*)\}\s*$/
      .exec(names.trim())?.[1]
      ?.split(",")
      .filter((name) => name.trim() !== "") ?? [];
  return list.length > 0 && list.every((name) => name.trim().startsWith("type "));
}
