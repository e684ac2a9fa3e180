import { toMs } from "../../duration.ts";
import { EngineError } from "../../errors.ts";

/** What the URL of a Redis engine says. */
export interface Place {
  /** `redis`, `rediss` or `redis+cluster`. */
  readonly scheme: string;
  /** One server, or some nodes of a cluster, from which the others are learned. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly cluster: boolean;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  /** All keys begin with it, in braces. */
  readonly prefix: string;
  /** How long a call waits for a server that cannot be reached, in milliseconds. */
  readonly timeout: number;
  /** How many replicas must have what was published before it is acknowledged. */
  readonly wait: number;
  /** Whether the server must sync each write to its disk. */
  readonly strict: boolean;
  /** The URL without its password. */
  readonly location: string;
}

const FORM =
  "Write redis://127.0.0.1:6379, rediss://user:password@host:6380/0?prefix=app, or redis+cluster://host:7000,host:7001.";
const PARAMETERS = ["prefix", "timeout", "wait", "durability", "cluster"];
const PARTS = /^(rediss?|redis\+cluster):\/\/(?:([^/?#@]*)@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i;

/**
 * Reads a URL such as `redis://user:password@host:6379/0?prefix=app&timeout=10s`.
 *
 * @throws {EngineError} `ENGINE_URL_INVALID` for a wrong form, an unknown parameter or an unknown value; the password is not in the message.
 */
export function placeOf(url: string): Place {
  const [, name = "", login, hosts = "", path = "", query = ""] =
    PARTS.exec(url) ?? fail(url, "cannot be read");
  const scheme = name.toLowerCase();
  const parameters = parametersOf(url, query);
  const cluster = scheme === "redis+cluster" || isOn(url, parameters, "cluster");
  const db =
    path === ""
      ? 0
      : /^\d{1,5}$/.test(path)
        ? Number(path)
        : fail(url, `has the database "${path}", which is no number`);
  if (cluster && db !== 0) fail(url, "names a database; a cluster has only 0");
  const nodes = hosts.split(",").map((host) => nodeOf(url, host));
  if (nodes.length > 1 && !cluster) fail(url, "names several servers, and is not a cluster's");
  const prefix = parameters.get("prefix") ?? "df";
  if (!/^[^{}\s]{1,64}$/.test(prefix)) fail(url, "has a prefix with braces, white space or no length");
  return {
    scheme,
    nodes,
    cluster,
    tls: scheme === "rediss",
    ...loginOf(url, login),
    db,
    prefix,
    timeout: timeoutOf(url, parameters.get("timeout")),
    wait: countOf(url, parameters.get("wait")),
    strict: strictnessOf(url, parameters.get("durability")),
    location: hidden(url),
  };
}

function parametersOf(url: string, query: string): URLSearchParams {
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (!PARAMETERS.includes(name))
      fail(url, `has the unknown parameter "${name}"; there are ${PARAMETERS.join(", ")}`);
  }
  return parameters;
}

function isOn(url: string, parameters: URLSearchParams, name: string): boolean {
  const value = parameters.get(name) ?? "false";
  return (
    value === "true" || (value !== "false" && fail(url, `has ${name}=${value}; it is "true" or "false"`))
  );
}

function nodeOf(url: string, text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port = "6379"] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? fail(url, "names no server");
  const number = Number(port);
  if (number < 1 || number > 65_535) fail(url, `has the port ${port}, which does not exist`);
  return { host, port: number };
}

function loginOf(url: string, login: string | undefined): Pick<Place, "username" | "password"> {
  if (login === undefined) return { username: undefined, password: undefined };
  const at = login.indexOf(":");
  try {
    const username = decodeURIComponent(at < 0 ? login : login.slice(0, at));
    const password = at < 0 ? undefined : decodeURIComponent(login.slice(at + 1));
    return { username: username === "" ? undefined : username, password };
  } catch {
    return fail(url, "has a user or password that is not percent-encoded");
  }
}

function timeoutOf(url: string, text: string | undefined | null): number {
  if (text === undefined || text === null) return 10_000;
  try {
    const ms = toMs(/^\d+$/.test(text) ? Number(text) : (text as "10s"), "timeout");
    if (ms >= 100) return ms;
  } catch {
    // Said below.
  }
  return fail(url, `has timeout=${text}; it is a duration of 100 ms or more, such as 10s`);
}

function countOf(url: string, text: string | null): number {
  if (text === null) return 0;
  return /^\d$/.test(text)
    ? Number(text)
    : fail(url, `has wait=${text}; it is a number of replicas from 0 to 9`);
}

function strictnessOf(url: string, text: string | null): boolean {
  if (text !== null && text !== "strict" && text !== "server")
    fail(url, `has durability=${text}; it is "strict" or "server"`);
  return text === "strict";
}

function hidden(url: string): string {
  return url.replace(/\/\/([^/?#@:]*)(?::[^/?#@]*)?@/, (_, user: string) =>
    user === "" ? "//" : `//${user}@`,
  );
}

function fail(url: string, fault: string): never {
  throw new EngineError("ENGINE_URL_INVALID", `The engine URL "${hidden(url)}" ${fault}. ${FORM}`);
}
