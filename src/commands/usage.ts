/*
 * The grammar of a usage, read once where the command is declared:
 *
 *   usage     = word { word } { argument | flag }         "/db migrate <to:int> [note...] [--dry-run]"
 *   argument  = "<" name [":" type] ["..."] ">"           required; with "..." one or more
 *             | "[" name [":" type] ["..."] "]"           optional; with "..." none or more, and then the last
 *   flag      = "[--" name "]" | "[--" name "=" type ["..."] "]"   anywhere behind the words; with "..." as often as wanted
 *   type      = "int", "date", … | the name of a type of the user's own | choice "|" choice { "|" choice }
 *
 * usage-types.ts says the same to the compiler. Parts are separated by spaces and hold none.
 */

import { alike } from "../alike.ts";
import { DeclarationError } from "../errors.ts";
import type { OwnTypes } from "../handler.ts";
import { choiceType, ownType, stringType, type ValueType, valueTypes } from "./value-types.ts";

/** An argument that is told by its place. */
export interface Argument {
  /** As written in the usage: `user-id`. */
  readonly name: string;
  /** The property that handlers see: `userId`. */
  readonly key: string;
  /** As it stands in the usage: `<user-id:int>`. */
  readonly text: string;
  readonly type: ValueType;
  readonly required: boolean;
  /** Takes all that follows, as a list. */
  readonly rest: boolean;
}

/** An option that is told by its name. */
export interface Flag {
  readonly name: string;
  readonly key: string;
  readonly text: string;
  /** Absent for a switch, which is there or not. */
  readonly type: ValueType | undefined;
  /** May be given several times: a list. */
  readonly rest: boolean;
}

/** A usage that was read. */
export interface UsageSpec {
  readonly usage: string;
  /** The signs before the command's name: `/`. */
  readonly prefix: string;
  /** The command with its prefix, then its subcommands: `["/db", "migrate"]`. */
  readonly words: readonly string[];
  readonly positionals: readonly Argument[];
  readonly flags: readonly Flag[];
  /** Nothing is declared behind the words: the handler gets `{ args: string[] }`. */
  readonly bare: boolean;
}

interface Reading {
  readonly usage: string;
  words: string[];
  readonly positionals: Argument[];
  readonly flags: Flag[];
  readonly types: OwnTypes | undefined;
}

/** Punctuation and signs, but not pictures: `/`, `!`, `。`; an emoji is a letter of the command's name. */
const PREFIX = /^[\p{P}\p{Sm}\p{Sc}\p{Sk}]+/u;
/** Nearly every command begins so, and this is found without a table of Unicode. */
const SLASH_AND_LETTER = /^\/[a-z0-9]/i;
const WORD = /^[^\s<>[\]()|=\\"'“”‘’「」『』＂\p{Cc}\p{Cf}]+$/u;
const NAME = /^\p{L}[\p{L}\p{N}_-]*$/u;
const NOT_A_CHOICE = /[<>[\]:"'“”‘’「」『』＂\\]/;

/**
 * Reads a usage string.
 *
 * @param types The user's own types. @default none
 * @throws {DeclarationError} `COMMAND_PREFIX`, `COMMAND_WORD`, `USAGE_EMPTY`, `USAGE_WORD`, `USAGE_BRACKET`, `USAGE_NAME`,
 *   `USAGE_NAME_TWICE`, `USAGE_TYPE`, `USAGE_CHOICES`, `USAGE_ORDER`, `USAGE_REST`, `USAGE_FLAG`; the message points at the place.
 * @example
 * parseUsage("/user <id:int> [reason...] [--for=duration]").positionals.map(({ key }) => key); // ["id", "reason"]
 */
export function parseUsage(usage: string, types?: OwnTypes): UsageSpec {
  if (usage !== latest?.usage || types !== latestTypes) {
    latest = read(usage, types);
    latestTypes = types;
  }
  return latest;
}

/** `commandOn` reads a usage to check it, and dispatchers read it again a moment later. */
let latest: UsageSpec | undefined;
let latestTypes: OwnTypes | undefined;

/** Who declares thousands of commands declares alike ones: what stands behind the words, by its text. */
const known = new Map<string, Pick<Reading, "positionals" | "flags">>();
const KNOWN_AT_MOST = 1_024; // A program that makes up usages as it goes must not fill the memory.

function read(usage: string, types: OwnTypes | undefined): UsageSpec {
  if (typeof usage !== "string" || usage.trim() === "") {
    throw new DeclarationError("USAGE_EMPTY", `The usage of a command is empty. Write it such as "/backup".`);
  }
  // Types of the user's own are others in another usage, though they have the same names.
  const tail = types ? -1 : usage.search(/ [<[]/);
  const same = tail < 0 ? undefined : known.get(usage.slice(tail));
  const reading: Reading = { usage, words: [], positionals: [], flags: [], types };
  for (let at = 0; at < (same ? tail : usage.length);) {
    const space = usage.indexOf(" ", at);
    const end = space < 0 ? usage.length : space;
    if (end > at) readPart(reading, usage.slice(at, end), at);
    at = end + 1;
  }
  const { words } = reading;
  const { positionals, flags } = same ?? reading;
  if (known.size >= KNOWN_AT_MOST) known.clear();
  if (tail >= 0 && !same) known.set(usage.slice(tail), { positionals, flags });
  const prefix = prefixOf(words[0] ?? "");
  return { usage, prefix, words, positionals, flags, bare: positionals.length === 0 && flags.length === 0 };
}

/** The signs that a text begins with. */
export function prefixOf(text: string): string {
  if (SLASH_AND_LETTER.test(text)) return "/";
  return PREFIX.exec(text)?.[0] ?? "";
}

function readPart(reading: Reading, part: string, at: number): void {
  const opener = part[0];
  const inBrackets = opener === "<" || opener === "[";
  if (reading.words.length === 0) return readCommand(reading, part, at, inBrackets);
  if (!inBrackets) return readWord(reading, part, at);
  const closer = opener === "<" ? ">" : "]";
  if (!part.endsWith(closer)) {
    fail(
      reading,
      "USAGE_BRACKET",
      at,
      `"${part}" is not closed. Write "${part}${closer}", without spaces inside`,
    );
  }
  const body = part.slice(1, -1);
  const stray = body.search(/[<>[\]]/);
  if (stray >= 0) fail(reading, "USAGE_BRACKET", at + 1 + stray, "a bracket stands inside of brackets");
  if (body.startsWith("--")) readFlag(reading, part, body, at);
  else readArgument(reading, part, body, at);
}

function readCommand(reading: Reading, part: string, at: number, inBrackets: boolean): void {
  if (inBrackets) {
    fail(
      reading,
      "COMMAND_PREFIX",
      at,
      `it begins with an argument. Write the command first: "/name ${part}"`,
    );
  }
  const prefix = prefixOf(part);
  if (prefix === "") fail(reading, "COMMAND_PREFIX", at, `a command begins with a prefix: write "/${part}"`);
  if (prefix.length === part.length)
    fail(reading, "COMMAND_WORD", at, `"${part}" has no name behind its prefix`);
  checkWord(reading, part, at);
  // Most have one word only, and a list that grows takes room for many.
  reading.words = [part];
}

function readWord(reading: Reading, part: string, at: number): void {
  if (part.startsWith("-")) fail(reading, "USAGE_FLAG", at, `a flag stands in brackets: write "[${part}]"`);
  if (reading.positionals.length + reading.flags.length > 0) {
    const remedy = `Put it before them, or write "[${part}]" for an argument`;
    fail(reading, "USAGE_WORD", at, `the word "${part}" stands behind arguments. ${remedy}`);
  }
  checkWord(reading, part, at);
  reading.words.push(part);
}

function checkWord(reading: Reading, part: string, at: number): void {
  if (WORD.test(part)) return;
  fail(
    reading,
    "COMMAND_WORD",
    at,
    `"${part}" has a quote, a bracket or another character no command may have`,
  );
}

function readArgument(reading: Reading, part: string, body: string, at: number): void {
  const rest = body.endsWith("...");
  const [name, typeName] = cut(rest ? body.slice(0, -3) : body, ":");
  const required = part.startsWith("<");
  const before = reading.positionals.at(-1);
  if (before?.rest) {
    fail(
      reading,
      "USAGE_REST",
      at,
      `"${before.text}" takes all that follows: nothing but flags may stand behind it`,
    );
  }
  if (required && before?.required === false) {
    fail(
      reading,
      "USAGE_ORDER",
      at,
      `"${part}" is required but stands behind the optional "${before.text}". Swap them`,
    );
  }
  const key = readName(reading, name, part, at + 1);
  const type = readType(reading, typeName, at + 1 + name.length + 1);
  reading.positionals.push({ name, key, text: part, type, required, rest });
}

function readFlag(reading: Reading, part: string, body: string, at: number): void {
  const rest = body.endsWith("...");
  const [name, typeName] = cut(body.slice(2, rest ? -3 : undefined), "=");
  if (part.startsWith("<")) {
    fail(
      reading,
      "USAGE_FLAG",
      at,
      `flags are never required: write "[${body}]", or an argument "<${name}>"`,
    );
  }
  if (typeName === undefined && name.includes(":")) {
    const remedy = `the type of a flag stands behind "=": write "[--${name.replace(":", "=")}]"`;
    fail(reading, "USAGE_FLAG", at + 3 + name.indexOf(":"), remedy);
  }
  if (rest && typeName === undefined) {
    fail(
      reading,
      "USAGE_FLAG",
      at,
      `a switch has nothing to list: write "[--${name}]", or "[--${name}=string...]"`,
    );
  }
  const key = readName(reading, name, part, at + 3);
  const type = typeName === undefined ? undefined : readType(reading, typeName, at + 3 + name.length + 1);
  reading.flags.push({ name, key, text: part, type, rest });
}

function readName(reading: Reading, name: string, part: string, at: number): string {
  if (!NAME.test(name)) {
    const why = name === "" ? `"${part}" has no name` : `"${name}" is not a name`;
    fail(reading, "USAGE_NAME", at, `${why}. A name is a letter, then letters, digits, "_" and "-"`);
  }
  const key = name.includes("-")
    ? name.replace(/-+(.?)/g, (_, letter: string) => letter.toUpperCase())
    : name;
  if (isTaken(reading, key)) {
    fail(reading, "USAGE_NAME_TWICE", at, `"${name}" is there twice: handlers would see both as "${key}"`);
  }
  return key;
}

function isTaken({ positionals, flags }: Reading, key: string): boolean {
  return positionals.some((other) => other.key === key) || flags.some((flag) => flag.key === key);
}

function readType(reading: Reading, name: string | undefined, at: number): ValueType {
  if (name === undefined) return stringType;
  if (name.includes("|")) return readChoices(reading, name, at);
  const type = valueTypes.get(name) ?? ownTypeOf(reading, name);
  if (type) return type;
  const all = [...valueTypes.keys(), ...Object.keys(reading.types ?? {})];
  const [close] = alike(name, all, 1);
  const hint = close === undefined ? "" : ` Did you mean "${close}"?`;
  const known = all.join(", ");
  return fail(
    reading,
    "USAGE_TYPE",
    at,
    `the type ${name === "" ? "is missing" : `"${name}" is unknown`}.${hint} Types are ${known}, choices: "full|incremental", and those of the option types`,
  );
}

function ownTypeOf({ types }: Reading, name: string): ValueType | undefined {
  const read = types && Object.hasOwn(types, name) ? types[name] : undefined;
  return read && ownType(name, read);
}

function readChoices(reading: Reading, name: string, at: number): ValueType {
  const choices = name.split("|");
  const odd = choices.find((choice) => choice === "" || NOT_A_CHOICE.test(choice));
  if (odd !== undefined) {
    fail(reading, "USAGE_CHOICES", at, `the choice "${odd}" is not a plain word. Write "full|incremental"`);
  }
  const twice = choices.find((choice, place) => choices.indexOf(choice) !== place);
  if (twice !== undefined) fail(reading, "USAGE_CHOICES", at, `the choice "${twice}" is there twice`);
  return choiceType(choices);
}

function cut(text: string, separator: string): [before: string, after: string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function fail({ usage }: Reading, code: string, at: number, why: string): never {
  throw new DeclarationError(
    code,
    `The usage of a command is wrong: ${why}.\n  ${usage}\n  ${" ".repeat(at)}^`,
  );
}
