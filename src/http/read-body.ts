import { showBytes } from "../config-variables.ts";
import { parseJson } from "./json-text.ts";
import { HttpProblem } from "./problem.ts";

/** A body as it came. */
export interface Body {
  readonly text: string;
  /** The media type, without its parameters, in lower case; empty where none is given. */
  readonly type: string;
}

/**
 * Reads the body of a request, and no more of it than is allowed.
 *
 * @param limit Bytes.
 * @throws {HttpProblem} 413 as soon as the limit is passed, whether or not the client said how long the body is; 400 when
 *   it is not UTF-8.
 */
export async function readBody(request: Request, limit: number): Promise<Body> {
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge(limit);
  const type = (request.headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (!request.body) return { text: "", type };
  const chunks: Uint8Array[] = [];
  let size = 0;
  // The types of streams do not say so, but Node's are iterable.
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  return { text: decode(chunks), type };
}

/** Reads a body of whatever type as text. @throws {HttpProblem} 413, or 400 when it is not UTF-8. */
export async function readText(request: Request, limit: number): Promise<string> {
  return (await readBody(request, limit)).text;
}

/**
 * Reads a body of JSON; an empty one is `undefined`.
 * @throws {HttpProblem} 413, 415 for another media type, 400 for what is not JSON or must not be in it.
 */
export async function readJson(request: Request, limit: number): Promise<unknown> {
  const { text, type } = await readBody(request, limit);
  if (text === "") return undefined;
  if (type !== "application/json" && !type.endsWith("+json")) throw notJson(type);
  return parseJson(text);
}

/** The refusal of a media type. */
export function notJson(type: string, also = ""): HttpProblem {
  const what = type === "" ? "no content-type" : `the content-type ${type}`;
  return new HttpProblem(
    415,
    "CONTENT_TYPE_UNSUPPORTED",
    `The body has ${what}. Send JSON with the header "content-type: application/json"${also}.`,
  );
}

function tooLarge(limit: number): HttpProblem {
  return new HttpProblem(
    413,
    "BODY_TOO_LARGE",
    `The body is longer than ${showBytes(limit)}. Send less, or raise BODY_LIMIT.`,
    { limit },
    // What is left of it is not read.
    { connection: "close" },
  );
}

function decode(chunks: readonly Uint8Array[]): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new HttpProblem(400, "BODY_NOT_UTF8", "The body is not UTF-8. Send JSON as UTF-8.");
  }
}
