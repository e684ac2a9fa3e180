import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

/** The root of the repository. */
export const root = join(import.meta.dirname, "../..");

/** The text of a file, named from the root of the repository. */
export function textOf(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/**
 * Every document of a YAML file, named from the root of the repository.
 *
 * @throws {Error} When the YAML has a mistake or a warning (a key given twice, an unknown tag), with its line.
 */
export function documentsOf(path: string): unknown[] {
  return parseYaml(textOf(path), path);
}

/** Like {@link documentsOf}, for a text. */
export function parseYaml(text: string, name: string): unknown[] {
  return parseAllDocuments(text).map((document) => {
    const [mistake] = [...document.errors, ...document.warnings];
    if (mistake) throw new Error(`${name}: ${mistake.message}`);
    return document.toJS();
  });
}

/** The only document of a YAML file. `T` is what the test goes on to assert, not what has been checked. */
export function documentOf<T>(path: string): T {
  const documents = documentsOf(path);
  if (documents.length !== 1) throw new Error(`${path} holds ${documents.length} documents, not one.`);
  // YAML has no types of its own: each test states the shape that it reads.
  return documents[0] as T;
}
