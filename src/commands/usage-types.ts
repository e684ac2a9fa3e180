import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { OwnType, OwnTypes } from "../handler.ts";

/*
 * What usage.ts reads at run time, read by the compiler: `UsageArguments<"/user <id:int> [--dry-run]">` is
 * `{ id: number; dryRun: boolean }`. What it can tell of a mistake is a sentence in the compiler's error; the order of
 * arguments and names that are there twice are left to the check at run time, to keep the compiler fast.
 */

/** What stands for "no types of one's own". */
export type NoTypes = Readonly<Record<never, OwnType>>;

/**
 * The arguments that a handler of this usage gets.
 * @example
 * type Ban = UsageArguments<"/ban <id:int> [reason...] [--for=duration]">; // { id: number; reason: string[]; for?: number }
 */
export type UsageArguments<Usage extends string, Own extends OwnTypes = NoTypes> = string extends Usage
  ? Readonly<Record<string, unknown>>
  : Parts<Usage, NoArguments, Own> extends infer Found
    ? Found extends NoArguments
      ? { args: string[] }
      : Found extends string
        ? UsageMistake<Found>
        : { [Key in keyof Found]: Found[Key] }
    : never;

/** What handlers of a usage with a mistake get: nothing, with a sentence that says why. */
export interface UsageMistake<Sentence extends string> {
  readonly usageMistake: Sentence;
}

/**
 * The usage itself when nothing is wrong with it, else a sentence that says what: as the type of a parameter it makes
 * the compiler say it where the usage stands.
 */
export type CheckedUsage<Usage extends string, Own extends OwnTypes = NoTypes> = string extends Usage
  ? Usage
  : Parts<Usage, NoArguments, Own> extends infer Mistake extends string
    ? Mistake
    : Usage;

/** The types a usage may name, and what they become. Durations are milliseconds. */
export interface UsageTypes {
  string: string;
  int: number;
  number: number;
  duration: number;
  date: Date;
  json: unknown;
  email: string;
  url: URL;
  boolean: boolean;
}

/** Stands for "nothing behind the words yet"; a type of its own, since `{}` would fit everything. */
interface NoArguments {
  readonly noArguments: unique symbol;
}

/** Goes through the parts from left to right; ends with an object type, `NoArguments`, or a sentence. */
type Parts<Usage extends string, Found, Own extends OwnTypes> = Usage extends `${infer Part} ${infer Rest}`
  ? Add<Found, PartOf<Part, Own>> extends infer Sum
    ? Sum extends string
      ? Sum
      : Parts<Rest, Sum, Own>
    : never
  : Add<Found, PartOf<Usage, Own>>;

type Add<Found, Part> = Part extends NoArguments | string
  ? Part extends string
    ? Part
    : Found
  : Found extends NoArguments
    ? Part
    : Found & Part;

type PartOf<Part extends string, Own extends OwnTypes> = Part extends `<--${infer Body}>`
  ? `usage: flags are never required; write [--${Body}]`
  : Part extends `[--${infer Body}]`
    ? FlagOf<Body, Own>
    : Part extends `<${infer Body}>`
      ? ArgumentOf<Body, true, Own>
      : Part extends `[${infer Body}]`
        ? ArgumentOf<Body, false, Own>
        : Part extends `<${string}` | `[${string}`
          ? `usage: ${Part} is not closed; write it without spaces`
          : NoArguments;

type FlagOf<Body extends string, Own extends OwnTypes> = Body extends `${infer Name}=${infer Type}...`
  ? Property<Name, List<Value<Type, Own>>, true>
  : Body extends `${infer Name}=${infer Type}`
    ? Property<Name, Value<Type, Own>, false>
    : Property<Body, boolean, true>;

type ArgumentOf<
  Body extends string,
  Required extends boolean,
  Own extends OwnTypes,
> = Body extends `${infer Named}...`
  ? Named extends `${infer Name}:${infer Type}`
    ? Property<Name, List<Value<Type, Own>>, true>
    : Property<Named, string[], true>
  : Body extends `${infer Name}:${infer Type}`
    ? Property<Name, Value<Type, Own>, Required>
    : Property<Body, string, Required>;

type Property<Name extends string, Type, Required extends boolean> = Name extends ""
  ? "usage: an argument has no name; write <name> or [name]"
  : [Type] extends [Unknown<infer Sentence>]
    ? Sentence
    : Required extends true
      ? { [Key in Camel<Name>]: Type }
      : { [Key in Camel<Name>]?: Type };

type List<Type> = [Type] extends [Unknown<string>] ? Type : Type[];

/** A sentence must not be taken for a choice, so it travels in a box. */
interface Unknown<Sentence extends string> {
  readonly unknownType: Sentence;
}

type Value<Type extends string, Own extends OwnTypes> = Type extends keyof UsageTypes
  ? UsageTypes[Type]
  : Type extends keyof Own
    ? ReadBy<Own[Type]>
    : Type extends `${string}|${string}`
      ? Choices<Type>
      : Unknown<`usage: the type "${Type}" is unknown; types are string, int, number, duration, date, json, email, url, boolean, choices such as full|incremental, and those of the option types`>;

/** What an own type makes of a text that fits. */
type ReadBy<Type extends OwnType> = Type extends StandardSchemaV1
  ? StandardSchemaV1.InferOutput<Type>
  : Type extends (text: string) => infer Out
    ? Exclude<Out, undefined>
    : never;

type Choices<Type extends string> = Type extends `${infer First}|${infer Others}`
  ? First | Choices<Others>
  : Type;

type Camel<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;
