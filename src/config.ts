/*
 * The configuration: every environment variable that the framework reads stands in VARIABLES, and nowhere else. It is
 * checked as a whole at start; `decorator-framework config` shows it, and docs/reference is made of the same table.
 */

import { alike, editDistance } from "./alike.ts";
import { type ApiToken, parseTokens, ROLES, showTokens } from "./api-tokens.ts";
import { formatMs, toMs } from "./duration.ts";
import { ConfigError } from "./errors.ts";
import type { LogLevel } from "./log.ts";

/** Environment variables as a process has them. */
export type Env = Readonly<Record<string, string | undefined>>;

/** One environment variable. */
interface Variable<T> {
  readonly name: string;
  /** As one would write it; undefined where nothing is the default. */
  readonly fallback: string | undefined;
  /** What may be written, as the end of "It must be …". */
  readonly accepted: string;
  readonly description: string;
  /** Its value is never shown, not even when it is wrong. */
  readonly secret?: true;
  /** The value, or a {@link Fault} when the text is not one. */
  readonly parse: (text: string) => T | Fault;
  /** The value for people. @default as it was written, or the fallback */
  readonly show?: (value: T) => string;
}

/** Why a text is no value: whole sentences of its own, or none where "It must be …" says enough. */
class Fault {
  readonly sentences: readonly string[];
  constructor(...sentences: string[]) {
    this.sentences = sentences;
  }
}

const LEVELS: readonly (LogLevel | "silent")[] = [
  "trace",
  "debug",
  "info",
  "warn",
  "error",
  "fatal",
  "silent",
];
/** Levels as Python's logging names them, which the original guide's deployments have set. */
const PYTHON_LEVELS: Readonly<Record<string, LogLevel>> = { warning: "warn", critical: "fatal" };
const SWITCH: Readonly<Record<string, boolean>> = {
  ...{ true: true, "1": true, yes: true, on: true },
  ...{ false: false, "0": false, no: false, off: false },
};
const BYTES: Readonly<Record<string, number>> = { "": 1, b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };
const DURATION = 'a number of seconds, or a duration such as "500ms", "30s" or "5m"';

const VARIABLES = {
  logLevel: variable<LogLevel | "silent">({
    name: "LOG_LEVEL",
    fallback: "info",
    accepted: "trace, debug, info, warn (or warning), error, fatal (or critical) or silent",
    description: "The least severe log lines that are written.",
    parse(text) {
      const level = text.toLowerCase();
      return PYTHON_LEVELS[level] ?? LEVELS.find((known) => known === level) ?? new Fault();
    },
    show: String,
  }),
  logDir: variable<string | undefined>({
    name: "LOG_DIR",
    fallback: undefined,
    accepted: "a directory; it is made when it is not there",
    description:
      "Where log files are kept, beside the console: app.log and 4 older ones of 10 MB, compressed.",
    parse: (text) => text,
  }),
  logFormat: oneOf(
    "LOG_FORMAT",
    ["auto", "pretty", "json"],
    "How the console's log looks; auto: pretty on a terminal.",
  ),
  schedulerEnabled: variable<boolean>({
    name: "SCHEDULER_ENABLED",
    fallback: "true",
    accepted: "true or false (also 1, yes, on, 0, no, off)",
    description: "Whether this process fires timers.",
    parse: (text) => SWITCH[text.toLowerCase()] ?? new Fault(),
    show: String,
  }),
  heartbeatInterval: duration(
    "HEARTBEAT_INTERVAL",
    "30",
    100,
    "How often this process says that it is alive; a third of LEASE at the most.",
  ),
  engineUrl: variable<string>({
    name: "ENGINE_URL",
    fallback: "sqlite:data/app.db",
    accepted: "the URL of an engine, such as sqlite:data/app.db or memory:",
    description: "What stores and delivers messages.",
    parse: (text) => (/^[a-z][a-z0-9+.-]+:/i.test(text) ? text : new Fault()),
    show: hidePassword,
  }),
  port: variable<number>({
    name: "PORT",
    fallback: "8080",
    accepted: "a whole number from 0 to 65535; 0 takes any free port",
    description: "The port of the HTTP server.",
    parse: (text) => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : new Fault()),
  }),
  host: variable<string>({
    name: "HOST",
    fallback: "127.0.0.1",
    accepted: "an address or a host name of this machine; 0.0.0.0 or :: for all of its addresses",
    description: "The address on which the HTTP server listens.",
    parse: (text) => (/^[a-z0-9_.:%-]+$/i.test(text) ? text : new Fault()),
  }),
  apiTokens: variable<readonly ApiToken[]>({
    name: "API_TOKENS",
    fallback: undefined,
    secret: true,
    accepted: `a list token,token:role,token:role+role of tokens of at least 16 characters (letters, digits and -._~+/=), with the roles ${ROLES.join(", ")}`,
    description:
      "Who may use the HTTP API; a token without roles has all. Unset: whoever is on this machine, and nobody else.",
    parse(text) {
      const { tokens, mistakes } = parseTokens(text);
      return mistakes.length > 0 ? new Fault(...mistakes) : tokens;
    },
    show: showTokens,
  }),
  shutdownTimeout: duration(
    "SHUTDOWN_TIMEOUT",
    "30s",
    0,
    "How long a stop waits for running handlers before it aborts them.",
  ),
  lease: duration("LEASE", "30s", 1_000, "How long a process that gives no sign of life keeps what it runs."),
  bodyLimit: variable<number>({
    name: "BODY_LIMIT",
    fallback: "1mb",
    accepted: 'a size such as "512kb" or "1mb", of at least 1kb',
    description: "The longest body of an HTTP request.",
    parse(text) {
      const [, amount = "", unit = ""] = /^(\d+(?:\.\d+)?) ?(b|kb|mb|gb)?$/i.exec(text) ?? [];
      const bytes = Math.floor(Number(amount) * (BYTES[unit.toLowerCase()] ?? Number.NaN));
      return bytes >= 1024 && bytes <= Number.MAX_SAFE_INTEGER ? bytes : new Fault();
    },
  }),
  locale: oneOf("LOCALE", ["en", "zh"], "The language of replies to commands."),
} as const;

type Variables = typeof VARIABLES;
type Key = keyof Variables;
type Values = { readonly [K in Key]: Exclude<ReturnType<Variables[K]["parse"]>, Fault> };

/** The configuration that is in effect. Durations are milliseconds, `bodyLimit` is bytes; of tokens only digests are kept. */
export interface Config extends Values {
  /** What looks like a slip, but is none for certain: a variable whose name is nearly one of ours. */
  readonly warnings: readonly string[];
  /** The names of the variables that the environment sets. */
  readonly given: readonly string[];
}

/** A row of the table that `decorator-framework config` prints. */
export interface ConfigRow {
  readonly name: string;
  /** Secrets are hidden; empty for a variable that is not set and has no default. */
  readonly value: string;
  readonly source: "env" | "default";
  readonly accepted: string;
  readonly description: string;
}

/**
 * Reads and checks the environment. A variable that is empty counts as not set.
 *
 * @param env @default the process's
 * @throws {ConfigError} `CONFIG_INVALID` with every mistake and what is accepted instead.
 * @example
 * const { port } = readConfig({ PORT: "9090" });
 */
export function readConfig(env: Env = process.env): Config {
  const mistakes: string[] = [];
  const given: string[] = [];
  const values = Object.entries(VARIABLES).map(([key, declared]) => {
    const text = env[declared.name]?.trim() ?? "";
    if (text !== "") given.push(declared.name);
    const written = text === "" ? declared.fallback : text;
    const value = written === undefined ? undefined : declared.parse(written);
    if (value instanceof Fault) mistakes.push(...describe(declared, text, value));
    return [key, value] as const;
  });
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return Object.freeze({
    ...{ ...(Object.fromEntries(values) as Values), apiTokens: tokensOf(values) },
    warnings: Object.freeze(nearMisses(env)),
    given: Object.freeze(given),
  });
}

/** The configuration for people, one row for each variable; secrets are hidden. */
export function describeConfig(config: Config): ConfigRow[] {
  return Object.entries(VARIABLES).map(([key, { name, fallback, accepted, description, show }]) => {
    const value: unknown = config[key as Key];
    // Each variable's own value goes to its own `show`.
    const text = show ? (show as (value: unknown) => string)(value) : String(value ?? fallback ?? "");
    return {
      name,
      value: text,
      source: config.given.includes(name) ? "env" : "default",
      accepted,
      description,
    };
  });
}

/** A URL without the password that stands in it. */
export function hidePassword(url: string): string {
  return url
    .replace(/(\/\/[^/?#@:]*):[^/?#]*@/, "$1:***@")
    .replace(/([?&][^=&]*(?:password|secret|token)[^=&]*=)[^&#]*/gi, "$1***");
}

function variable<T>(declared: Variable<T>): Variable<T> {
  return declared;
}

function duration(name: string, fallback: string, least: number, description: string): Variable<number> {
  const parse = (text: string): number | Fault => {
    try {
      const ms = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1_000 : toMs(text, name);
      return ms >= least && Number.isFinite(ms) ? ms : new Fault();
    } catch {
      return new Fault();
    }
  };
  const accepted = least === 0 ? DURATION : `${DURATION}, of at least ${formatMs(least)}`;
  return { name, fallback, accepted, description, parse, show: formatMs };
}

function oneOf<const T extends string>(
  name: string,
  words: readonly [T, ...T[]],
  description: string,
): Variable<T> {
  const parse = (text: string): T | Fault => words.find((word) => word === text.toLowerCase()) ?? new Fault();
  return { name, fallback: words[0], accepted: words.join(" or "), description, parse };
}

function describe({ name, accepted, secret }: Variable<unknown>, text: string, fault: Fault): string[] {
  if (fault.sentences.length > 0) return fault.sentences.map((sentence) => `${name}: ${sentence}`);
  return [`${name} is ${secret ? "not right" : JSON.stringify(hidePassword(text))}. It must be ${accepted}.`];
}

function tokensOf(values: readonly (readonly [string, unknown])[]): readonly ApiToken[] {
  const tokens = values.find(([key]) => key === "apiTokens")?.[1];
  return (tokens as readonly ApiToken[] | undefined) ?? [];
}

/** Others' variables are none of our affair, so only names that differ from ours by a slip are spoken of. */
function nearMisses(env: Env): string[] {
  const names = Object.values(VARIABLES).map(({ name }): string => name);
  return Object.keys(env).flatMap((written) => {
    if (names.includes(written) || !env[written]) return [];
    const [meant] = alike(written, names, 1);
    if (meant === undefined || !isSlip(written, meant)) return [];
    return [`${written} is not a variable of the framework and has no effect. Did you mean ${meant}?`];
  });
}

/** Two letters off in a long name is a slip; in a short one it is another word: HOME is not HOST. */
function isSlip(written: string, meant: string): boolean {
  const distance = editDistance(written.toLowerCase(), meant.toLowerCase());
  return distance <= (meant.length >= 8 ? 2 : meant.length >= 5 ? 1 : 0);
}
