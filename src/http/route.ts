import type { Role } from "../api-tokens.ts";
import type { Config } from "../config.ts";
import type { ServedApp } from "./served-app.ts";

/** What HTTP needs of the configuration. */
export type HttpConfig = Pick<Config, "apiTokens" | "bodyLimit" | "locale">;

/** A request on its way to its answer. */
export interface Exchange {
  readonly app: ServedApp;
  readonly config: HttpConfig;
  readonly request: Request;
  /** The part of the path that a route leaves open. */
  readonly name: string;
  /** What the caller may do, and its roles for commands: those of its token, and of nothing that it sends. */
  readonly roles: readonly string[];
}

/** One method on one path. */
export interface Route {
  readonly method: "GET" | "POST" | "DELETE";
  /** With at most one open part, such as `:name`. */
  readonly path: string;
  /** What the caller must have; undefined where everybody may ask. */
  readonly role: Role | undefined;
  readonly answer: (exchange: Exchange) => Promise<Response>;
}
