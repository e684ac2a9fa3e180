import { alike, editDistance } from "./alike.ts";
import { Fault, hidePassword, type Variable, VARIABLES } from "./config-variables.ts";
import { ConfigError } from "./errors.ts";

/** Environment variables as a process has them. */
export type Env = Readonly<Record<string, string | undefined>>;

type Variables = typeof VARIABLES;
type Values = { readonly [Key in keyof Variables]: Exclude<ReturnType<Variables[Key]["parse"]>, Fault> };

/** The configuration that is in effect. Durations are milliseconds, `bodyLimit` is bytes; of tokens only digests are kept. */
export interface Config extends Values {
  /** What looks like a slip but need not be one: variables whose names are nearly ours. */
  readonly warnings: readonly string[];
  /** The names of our variables that the environment sets. */
  readonly given: readonly string[];
}

/** A row of the table that `decorator-framework config` prints. */
export interface ConfigRow {
  readonly name: string;
  /** As one would write it, secrets hidden; empty for nothing. */
  readonly value: string;
  readonly source: "env" | "default";
  readonly accepted: string;
  readonly description: string;
}

/**
 * Reads and checks the environment. A variable that is empty counts as not set.
 *
 * @param env @default the process's own
 * @throws {ConfigError} `CONFIG_INVALID` with every mistake, each with what is accepted instead.
 * @example
 * const { port } = readConfig({ PORT: "9090" });
 */
export function readConfig(env: Env = process.env): Config {
  const mistakes: string[] = [];
  const given: string[] = [];
  const values = Object.entries<Variable<unknown>>(VARIABLES).map(([key, variable]) => {
    const text = env[variable.name]?.trim() ?? "";
    if (text !== "") given.push(variable.name);
    const value = variable.parse(text === "" ? variable.fallback : text);
    if (value instanceof Fault) mistakes.push(...sentences(variable, text, value));
    return [key, value] as const;
  });
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return Object.freeze({
    ...(Object.fromEntries(values) as Values), // each value is what its own variable made of its text
    warnings: Object.freeze(nearMisses(env)),
    given: Object.freeze(given),
  });
}

/** The configuration for people, one row for each variable. */
export function describeConfig(config: Config): ConfigRow[] {
  return Object.entries<Variable<unknown>>(VARIABLES).map(([key, variable]) => {
    const { name, accepted, description } = variable;
    const value = variable.show(config[key as keyof Values]); // the keys of both are the same
    return { name, value, source: config.given.includes(name) ? "env" : "default", accepted, description };
  });
}

function sentences({ name, accepted }: Variable<unknown>, text: string, fault: Fault): string[] {
  if (fault.sentences.length === 0) {
    return [`${name} is ${JSON.stringify(hidePassword(text))}. It must be ${accepted}.`];
  }
  return fault.sentences.map((sentence) => `${name}: ${sentence} It must be ${accepted}.`);
}

/** Others' variables are no affair of ours, so only those are spoken of whose names are one of ours but for a slip. */
function nearMisses(env: Env): string[] {
  const names = Object.values<Variable<unknown>>(VARIABLES).map(({ name }) => name);
  return Object.keys(env).flatMap((written) => {
    if (names.includes(written) || !env[written]) return [];
    const [meant] = alike(written, names, 1);
    if (meant === undefined || !isSlip(written, meant)) return [];
    return [`${written} is set, which the framework does not read. Did you mean ${meant}?`];
  });
}

/** Two letters off is a slip in a long name and another word in a short one: HOME is not HOST. */
function isSlip(written: string, meant: string): boolean {
  const distance = editDistance(written.toLowerCase(), meant.toLowerCase());
  return distance <= (meant.length >= 7 ? 2 : meant.length >= 5 ? 1 : 0);
}
