/*
 * Every environment variable that the framework reads stands in this table, and nowhere else. `readConfig` checks it,
 * `decorator-framework config` shows it, and the reference of the docs is made of it.
 */

import { type ApiToken, parseTokens, ROLES, showTokens } from "./api-tokens.ts";
import { formatMs, toMs } from "./duration.ts";
import type { LogLevel } from "./log.ts";

/** One environment variable. */
export interface Variable<T> {
  readonly name: string;
  /** What an unset variable stands for, as one would write it; empty for nothing. */
  readonly fallback: string;
  /** What may be written, as the end of "It must be …". */
  readonly accepted: string;
  readonly description: string;
  /** The value, or a {@link Fault} when the text is not one. */
  parse(text: string): T | Fault;
  /** The value for people, with what is secret hidden. */
  show(value: T): string;
}

/** A text is no value. */
export class Fault {
  /** What is wrong, in whole sentences; none where "It must be …" says enough. */
  readonly sentences: readonly string[];

  constructor(sentences: readonly string[] = []) {
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
/** Levels as Python's logging names them: deployments of the original have set them. */
const PYTHON_LEVELS: Readonly<Record<string, LogLevel>> = { warning: "warn", critical: "fatal" };
const ON = ["true", "1", "yes", "on"];
const OFF = ["false", "0", "no", "off"];
const BYTES = { gb: 1024 ** 3, mb: 1024 ** 2, kb: 1024, b: 1 } as const;
const DURATION = 'a number of seconds, or a duration such as "500ms", "30s" or "5m"';

/** All variables, by the name that their value has in the configuration. */
export const VARIABLES = {
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
    fallback: "",
    accepted: "a directory; it is made when it is not there",
    description:
      "Where log files are kept: app.log and 4 older ones, of 10 MB each. Unset: the console only.",
    parse: (text) => text || undefined,
    show: (value) => value ?? "",
  }),
  logFormat: oneOf(
    "LOG_FORMAT",
    ["auto", "pretty", "json"],
    "How the log looks on the console. auto: pretty on a terminal.",
  ),
  schedulerEnabled: variable<boolean>({
    name: "SCHEDULER_ENABLED",
    fallback: "true",
    accepted: "true or false (or 1, yes, on, 0, no, off)",
    description: "Whether this process fires timers.",
    parse(text) {
      const word = text.toLowerCase();
      return ON.includes(word) ? true : OFF.includes(word) ? false : new Fault();
    },
    show: String,
  }),
  heartbeatInterval: duration(
    "HEARTBEAT_INTERVAL",
    "30s",
    100,
    "How often this process says that it is alive; never more than a third of LEASE apart.",
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
    show: String,
  }),
  host: variable<string>({
    name: "HOST",
    fallback: "127.0.0.1",
    accepted: "an address or a host name of this machine; 0.0.0.0 or :: for all of its addresses",
    description: "The address on which the HTTP server listens.",
    parse: (text) => (/^[a-z0-9_.:%-]+$/i.test(text) ? text : new Fault()),
    show: String,
  }),
  apiTokens: variable<readonly ApiToken[]>({
    name: "API_TOKENS",
    fallback: "",
    accepted: `a list like token,token:role,token:role+role; tokens have at least 16 characters, roles are ${ROLES.join(", ")}, and beside publish any role of your commands, such as token:publish+moderator`,
    description:
      "Who may use the HTTP API; a token without a role has all. Unset: this machine only, without a token.",
    parse(text) {
      if (text === "") return [];
      const { tokens, mistakes } = parseTokens(text);
      return mistakes.length > 0 ? new Fault(mistakes) : tokens;
    },
    show: showTokens,
  }),
  shutdownTimeout: duration(
    "SHUTDOWN_TIMEOUT",
    "30s",
    0,
    "How long a stop waits for running handlers before it aborts them.",
  ),
  shutdownDelay: duration(
    "SHUTDOWN_DELAY",
    "0s",
    0,
    "How long a stop goes on answering requests while /ready fails already, so that balancers look elsewhere first.",
  ),
  lease: duration("LEASE", "30s", 1_000, "How long a process that gives no sign of life keeps what it runs."),
  bodyLimit: variable<number>({
    name: "BODY_LIMIT",
    fallback: "1mb",
    accepted: 'a size such as "512kb" or "1mb", from 1kb to 1gb',
    description: "The longest body of an HTTP request.",
    parse: parseBytes,
    show: showBytes,
  }),
  locale: oneOf("LOCALE", ["en", "zh"], "The language of replies to commands."),
} as const;

/** A URL without the password or token that stands in it. */
export function hidePassword(url: string): string {
  return url
    .replace(/(\/\/[^/?#@:]*):[^/?#]*@/, "$1:***@")
    .replace(/([?&][^=&]*(?:password|secret|token)[^=&]*=)[^&#]*/gi, "$1***");
}

function variable<T>(declared: Variable<T>): Variable<T> {
  return declared;
}

function duration(name: string, fallback: string, least: number, description: string): Variable<number> {
  return {
    name,
    fallback,
    accepted: least === 0 ? DURATION : `${DURATION}, of at least ${formatMs(least)}`,
    description,
    parse(text) {
      try {
        // The original's HEARTBEAT_INTERVAL is a plain number of seconds, so a number is seconds here.
        const ms = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1_000 : toMs(text, name);
        return ms >= least ? ms : new Fault();
      } catch {
        return new Fault();
      }
    },
    show: formatMs,
  };
}

function oneOf<const T extends string>(
  name: string,
  words: readonly [T, ...T[]],
  description: string,
): Variable<T> {
  return {
    name,
    fallback: words[0],
    accepted: `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`,
    description,
    parse: (text) => words.find((word) => word === text.toLowerCase()) ?? new Fault(),
    show: String,
  };
}

function parseBytes(text: string): number | Fault {
  const [, amount, unit = "b"] = /^(\d+(?:\.\d+)?) ?(b|kb|mb|gb)?$/i.exec(text) ?? [];
  if (amount === undefined) return new Fault();
  const bytes = Math.floor(Number(amount) * BYTES[unit.toLowerCase() as keyof typeof BYTES]); // as the pattern says
  return bytes >= BYTES.kb && bytes <= BYTES.gb ? bytes : new Fault();
}

/** Bytes in the largest unit that they are a whole number of: `1mb`. */
export function showBytes(bytes: number): string {
  const unit = (["gb", "mb", "kb"] as const).find((name) => bytes % BYTES[name] === 0) ?? "b";
  return `${bytes / BYTES[unit]}${unit}`;
}
