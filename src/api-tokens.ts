import { editDistance } from "./alike.ts";

/** What a token allows: to look, to publish and call, to operate (replay, pause, cancel). */
export type Role = "read" | "publish" | "operate";

/** All roles; what a token without roles has. */
export const ROLES: readonly Role[] = Object.freeze(["read", "publish", "operate"] as const);

/** Who may use the HTTP API. The token itself is not kept, so that nothing that prints the configuration can leak it. */
export interface ApiToken {
  /** SHA-256 of the token. */
  readonly digest: Uint8Array;
  /** Those of {@link Role}, and roles of commands, such as `moderator`. */
  readonly roles: readonly string[];
}

const SHORTEST = 16;
/** A role of commands. */
const OWN_ROLE = /^\p{L}[\p{L}\p{N}._-]{0,63}$/u;
/** What RFC 6750 lets a bearer token consist of. */
const TOKEN = /^[A-Za-z0-9._~+/=-]+$/;

/**
 * Reads `token,token:role,token:role+role`.
 * @returns the tokens, and every mistake as a sentence that tells nothing of any token.
 */
export function parseTokens(text: string): { tokens: readonly ApiToken[]; mistakes: readonly string[] } {
  const mistakes: string[] = [];
  const tokens: ApiToken[] = [];
  const entries = text.split(",").map((entry) => entry.trim());
  entries.forEach((entry, at) => {
    if (entry === "") return;
    const colon = entry.indexOf(":");
    const token = colon < 0 ? entry : entry.slice(0, colon);
    const roles = colon < 0 ? ROLES : parseRoles(entry.slice(colon + 1));
    const own = faultsOf(token, roles);
    const digest = digestOf(token);
    if (tokens.some((other) => nodeCrypto().timingSafeEqual(other.digest, digest)))
      own.push("stands in the list twice");
    mistakes.push(...own.map((fault) => `entry ${at + 1} of the list ${fault}.`));
    tokens.push({ digest, roles: roles ?? [] });
  });
  if (tokens.length === 0) mistakes.push("the list has no token in it. Unset it, or list at least one.");
  return { tokens: Object.freeze(tokens), mistakes };
}

/** What a bearer token allows; undefined for one that is not in the list. The time it takes tells nothing of the tokens. */
export function rolesOf(token: string, tokens: readonly ApiToken[]): readonly string[] | undefined {
  const digest = digestOf(token);
  let roles: readonly string[] | undefined;
  for (const known of tokens) if (nodeCrypto().timingSafeEqual(known.digest, digest)) roles = known.roles;
  return roles;
}

/** `***:read+publish, ***:operate`. */
export function showTokens(tokens: readonly ApiToken[]): string {
  return tokens.map(({ roles }) => `***:${roles.join("+")}`).join(", ");
}

function digestOf(token: string): Uint8Array {
  return nodeCrypto().createHash("sha256").update(token).digest();
}

/**
 * Roles of commands stand beside `publish`, without which no command can be called: so neither a slip in the name of one of
 * ours passes for a role of somebody's own, nor the second half of a secret that has a colon in it.
 */
function parseRoles(text: string): readonly string[] | undefined {
  const words = text.split("+").map((word) => word.trim());
  const known = ROLES.filter((role) => words.some((word) => word.toLowerCase() === role));
  const own = words.filter((word) => !ROLES.some((role) => role === word.toLowerCase()));
  const isSlip = (word: string): boolean => ROLES.some((role) => editDistance(word.toLowerCase(), role) <= 1);
  const fit = own.every((word) => OWN_ROLE.test(word) && !isSlip(word));
  return fit && (own.length === 0 || known.includes("publish")) ? [...known, ...new Set(own)] : undefined;
}

/** The ends of sentences. What stands after the colon is not shown either: it may be half of a secret that has a colon in it. */
function faultsOf(token: string, roles: readonly string[] | undefined): string[] {
  const faults: string[] = [];
  if (token.length < SHORTEST) {
    faults.push(`has a token of fewer than ${SHORTEST} characters; "openssl rand -hex 24" makes a good one`);
  } else if (!TOKEN.test(token)) {
    faults.push("has a token with a character other than letters, digits and -._~+/=");
  }
  if (!roles)
    faults.push(
      `has something else than roles after its colon; the roles are ${ROLES.join(", ")}, joined by +, and beside publish those of your commands, such as publish+moderator`,
    );
  return faults;
}

/** Loaded when a token is read or compared: importing it takes longer than all the rest of the configuration. */
function nodeCrypto() {
  return process.getBuiltinModule("node:crypto");
}
