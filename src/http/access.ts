import { type ApiToken, type Role, ROLES, rolesOf } from "../api-tokens.ts";
import { HttpProblem } from "./problem.ts";

/** From where a request came, as its socket says. */
export interface Peer {
  /** Undefined when the client has gone already. */
  readonly address: string | undefined;
}

const CHALLENGE = 'Bearer realm="decorator-framework"';
/** Who sends these speaks for others, and its own address says nothing of theirs. They are believed in nothing else. */
const PROXY_HEADERS = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/**
 * Decides whether a request may pass, and with which roles.
 *
 * With tokens configured, each request needs one. Without, only programs on this machine may pass; and a browser is not
 * such a program, when a page from elsewhere makes it send something: such requests name a foreign origin, or a host
 * that merely resolves to this machine (DNS rebinding).
 *
 * @param role What is needed; undefined for any.
 * @throws {HttpProblem} 401 or 403, saying what is missing.
 */
export function authorize(
  request: Request,
  peer: Peer,
  role: Role | undefined,
  tokens: readonly ApiToken[],
): readonly string[] {
  if (tokens.length > 0) return byToken(request, role, tokens);
  if (!isLoopback(peer.address) || PROXY_HEADERS.some((name) => request.headers.has(name))) {
    throw unauthorized(
      "TOKEN_REQUIRED",
      "From other machines, and through a proxy, only /live, /ready, /health and /metrics answer as long as the server has no API_TOKENS.",
    );
  }
  refuseForeignPages(request);
  return ROLES;
}

function byToken(request: Request, role: Role | undefined, tokens: readonly ApiToken[]): readonly string[] {
  const given = request.headers.get("authorization");
  const [, token] = /^bearer +(\S+)$/i.exec(given ?? "") ?? [];
  if (token === undefined) {
    throw unauthorized("TOKEN_REQUIRED", 'Send one of the API_TOKENS: "authorization: Bearer TOKEN".');
  }
  const roles = rolesOf(token, tokens);
  if (!roles) {
    throw unauthorized(
      "TOKEN_INVALID",
      "This token is not one of the API_TOKENS.",
      ', error="invalid_token"',
    );
  }
  if (role && !roles.includes(role)) {
    throw new HttpProblem(
      403,
      "ROLE_MISSING",
      `This token has the roles ${roles.join(", ")}; this needs the role ${role}.`,
      { role },
      { "www-authenticate": `${CHALLENGE}, error="insufficient_scope"` },
    );
  }
  return roles;
}

function refuseForeignPages({ headers, url }: Request): void {
  const hosts = [new URL(url).host, headers.get("host") ?? ""].filter((host) => host !== "");
  if (!hosts.every(namesLoopback)) {
    throw new HttpProblem(
      403,
      "HOST_FOREIGN",
      "Without API_TOKENS the server answers only to localhost, 127.0.0.1 and [::1]: use one of these names, or set API_TOKENS.",
    );
  }
  const origin = headers.get("origin");
  const foreign = origin !== null && !(URL.canParse(origin) && namesLoopback(new URL(origin).host));
  if (foreign || headers.get("sec-fetch-site") === "cross-site") {
    throw new HttpProblem(
      403,
      "ORIGIN_FOREIGN",
      "A page of another site sent this. Without API_TOKENS only programs and pages of this machine may.",
    );
  }
}

/** 127.0.0.0/8 and ::1, also where an IPv4 address is written as IPv6. */
function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:::ffff:)?127\.\d+\.\d+\.\d+$|^::1$/i.test(address);
}

/** Whether a `host:port` can only be this machine; a name must be localhost, for others resolve as their owner likes. */
function namesLoopback(host: string): boolean {
  return /^(?:(?:[a-z0-9-]+\.)*localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/i.test(host);
}

function unauthorized(code: string, detail: string, more = ""): HttpProblem {
  return new HttpProblem(401, code, detail, {}, { "www-authenticate": CHALLENGE + more });
}
