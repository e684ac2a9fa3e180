import { existsSync } from "node:fs";
import { EngineError } from "../../errors.ts";

/** What the URL of a SQLite engine says. */
export interface DataFile {
  /** As it was written: relative to the working directory, or absolute. */
  readonly path: string;
  /** Whether each commit waits for the disk, so that it survives a power cut. */
  readonly strict: boolean;
}

const FORM = "Write sqlite:data/app.db, or sqlite:/var/lib/app/app.db?synchronous=full.";

/**
 * Reads a URL such as `sqlite:data/app.db` or `sqlite:/abs/app.db?synchronous=full`.
 *
 * @throws {EngineError} `ENGINE_URL_INVALID` for an empty path, an unknown parameter or an unknown value.
 */
export function dataFileOf(url: string): DataFile {
  const [, body = ""] = /^sqlite:(.*)$/is.exec(url) ?? [];
  const [location, query] = split(body);
  // sqlite:///abs/app.db is how other tools write an absolute path.
  const path = location.startsWith("///") ? location.slice(2) : location;
  if (path === "" || path.startsWith("//")) throw invalid(url, "names no file");
  if (path.startsWith(":")) {
    throw invalid(url, `is not a file; for an engine that forgets everything use "memory:"`);
  }
  return { path, strict: isStrict(url, new URLSearchParams(query)) };
}

function split(body: string): [string, string | undefined] {
  const at = body.indexOf("?");
  return at < 0 ? [body, undefined] : [body.slice(0, at), body.slice(at + 1)];
}

function isStrict(url: string, parameters: URLSearchParams): boolean {
  for (const name of parameters.keys()) {
    if (name !== "synchronous")
      throw invalid(url, `has the unknown parameter "${name}"; there is only "synchronous"`);
  }
  const level = parameters.get("synchronous") ?? "normal";
  if (level !== "full" && level !== "normal") {
    throw invalid(url, `has synchronous=${level}; it is "full" or "normal"`);
  }
  return level === "full";
}

function invalid(url: string, fault: string): EngineError {
  return new EngineError("ENGINE_URL_INVALID", `The engine URL "${url}" ${fault}. ${FORM}`);
}

/** @throws {EngineError} `ENGINE_EMPTY` when the file is not there. */
export function needFile({ path }: DataFile): void {
  if (existsSync(path)) return;
  throw new EngineError("ENGINE_EMPTY", `There is no file ${path}. Is it the right name? Nothing was done.`);
}
