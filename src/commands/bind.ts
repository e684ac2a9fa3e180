import { alike } from "../alike.ts";
import type { Token } from "./tokenize.ts";
import type { Argument, Flag, UsageSpec } from "./usage.ts";
import { booleanType, stringType, type ValueType } from "./value-types.ts";

/** One way in which a call does not fit its usage; messages.ts makes a sentence of it. */
export type Problem =
  | { readonly code: "missing"; readonly argument: string; readonly type: ValueType }
  | {
      readonly code: "misfit";
      readonly argument: string;
      readonly given: string;
      readonly type: ValueType;
      readonly why?: string;
    }
  | { readonly code: "too_many"; readonly argument: ""; readonly given: string }
  | { readonly code: "unknown_flag"; readonly argument: string; readonly alike: readonly string[] }
  | { readonly code: "flag_twice"; readonly argument: string }
  | { readonly code: "flag_without_value"; readonly argument: string; readonly type: ValueType }
  | { readonly code: "unclosed_quote"; readonly argument: ""; readonly given: string }
  | { readonly code: "too_long"; readonly argument: ""; readonly most: number }
  | { readonly code: "schema"; readonly argument: string; readonly message: string };

/** What {@link bind} made of the tokens. With problems, `args` is incomplete. */
export interface Bound {
  readonly args: Record<string, unknown>;
  readonly problems: readonly Problem[];
}

/**
 * Fits tokens to a usage: one property for each argument and flag, or every problem there is.
 * Optional arguments that were not given have no property, lists are empty, switches are false.
 *
 * @param from The first token behind the command's own words. @default 0
 */
export function bind(spec: UsageSpec, tokens: readonly Token[], from = 0): Bound {
  if (spec.bare) {
    const given = from === 0 ? tokens : tokens.slice(from);
    return { args: { args: given.map(({ text }) => text) }, problems: NONE };
  }
  const binding = new Binding(spec);
  let at = from;
  for (; at < tokens.length; at++) {
    const token = tokens[at] as Token; // within the list
    if (token.literal || !token.text.startsWith("--")) binding.positional(token.text);
    else if (token.text === "--") break;
    else at += binding.flag(token.text, tokens[at + 1]);
  }
  for (at++; at < tokens.length; at++) binding.positional((tokens[at] as Token).text);
  return binding.end();
}

const NONE: Problem[] = [];
/** Of the tens of thousands of words of a text the first that do not fit say enough. */
const MOST_PROBLEMS = 10;

/** The arguments of one call while they are put together, and then what came of it: one object less for each call. */
class Binding implements Bound {
  readonly args: Record<string, unknown> = {};
  /** Only ever {@link NONE}, or its own. */
  problems: Problem[] = NONE;
  readonly #spec: UsageSpec;
  /** Which argument is next. */
  #place = 0;
  /** What the last argument of the usage, if it is a list, has taken so far. */
  #rest: unknown[] | undefined;
  #given: Set<Flag> | undefined;

  constructor(spec: UsageSpec) {
    this.#spec = spec;
    for (const flag of spec.flags) {
      if (!flag.type) this.args[flag.key] = false;
      else if (flag.rest) this.args[flag.key] = [];
    }
  }

  positional(given: string): void {
    const { positionals } = this.#spec;
    const argument = positionals[this.#place];
    if (!argument) {
      // One complaint says enough, however many there are too many.
      if (this.#place++ === positionals.length) this.#fail({ code: "too_many", argument: "", given });
      return;
    }
    const value = this.#read(argument.name, argument.type, given);
    if (argument.rest) (this.#rest ??= []).push(value);
    else {
      if (value !== undefined) this.args[argument.key] = value;
      this.#place++;
    }
  }

  /** Reads a flag; answers how many tokens behind it belong to it. */
  flag(text: string, next: Token | undefined): number {
    const equals = text.indexOf("=");
    const name = text.slice(2, equals < 0 ? undefined : equals);
    const value = equals < 0 ? undefined : text.slice(equals + 1);
    const { flags } = this.#spec;
    const flag = named(flags, name);
    if (flag?.type) return this.#valued(flag, flag.type, value, next);
    const negated = !flag && name.startsWith("no-") ? named(flags, name.slice(3)) : undefined;
    if (flag) this.#switch(flag, value);
    else if (negated && !negated.type && value === undefined) this.args[negated.key] = false;
    else {
      const alikes = alike(
        name,
        flags.map((known) => known.name),
        1,
      ).map((known) => `--${known}`);
      this.#fail({ code: "unknown_flag", argument: `--${name}`, alike: alikes });
    }
    return 0;
  }

  end(): Bound {
    const { positionals } = this.#spec;
    for (let place = 0; place < positionals.length; place++) {
      const argument = positionals[place] as Argument; // within the list
      if (argument.rest) this.args[argument.key] = this.#rest ?? [];
      const lacking = argument.rest ? !this.#rest : place >= this.#place;
      if (lacking && argument.required) {
        this.#fail({ code: "missing", argument: argument.name, type: argument.type });
      }
    }
    return this;
  }

  #valued(flag: Flag, type: ValueType, value: string | undefined, next: Token | undefined): number {
    const taken = value ?? (next && (next.literal || !next.text.startsWith("--")) ? next.text : undefined);
    const argument = `--${flag.name}`;
    if (taken === undefined) this.#fail({ code: "flag_without_value", argument, type });
    else if (!flag.rest && this.#given?.has(flag)) this.#fail({ code: "flag_twice", argument });
    else {
      (this.#given ??= new Set()).add(flag);
      const read = this.#read(argument, type, taken);
      if (flag.rest) (this.args[flag.key] as unknown[]).push(read); // a list since the beginning
      else if (read !== undefined) this.args[flag.key] = read;
    }
    return value === undefined && taken !== undefined ? 1 : 0;
  }

  /** A switch, alone or as `--dry-run=no`. Given twice, the last one counts. */
  #switch(flag: Flag, value: string | undefined): void {
    const read = value === undefined ? true : booleanType.read(value);
    if (read === undefined) {
      this.#fail({ code: "misfit", argument: `--${flag.name}`, given: value ?? "", type: booleanType });
    } else this.args[flag.key] = read;
  }

  #read(argument: string, type: ValueType, given: string): unknown {
    if (type === stringType) return given;
    const value = type.read(given);
    if (value === undefined) {
      const why = type.why?.(given);
      this.#fail({ code: "misfit", argument, given, type, ...(why !== undefined && { why }) });
    }
    return value;
  }

  #fail(problem: Problem): void {
    if (this.problems === NONE) this.problems = [problem];
    else if (this.problems.length < MOST_PROBLEMS) this.problems.push(problem);
  }
}

/** A usage has too few flags for a map to pay. */
function named(flags: readonly Flag[], name: string): Flag | undefined {
  for (const flag of flags) if (flag.name === name) return flag;
  return undefined;
}
