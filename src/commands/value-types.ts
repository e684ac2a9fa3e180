import { toMs } from "../duration.ts";
import { DeclarationError } from "../errors.ts";
import type { OwnType, OwnTypes } from "../handler.ts";

/** How one word of a command becomes a value. */
export interface ValueType {
  /** As the usage names it: `int`, or the choices themselves, `full|incremental`. */
  readonly name: string;
  /** The value, or undefined when the text does not fit. */
  read(text: string): unknown;
  /** A text that fits, for replies. */
  readonly example: string;
  /** What may be written, where that is a short list. */
  readonly choices?: readonly string[];
  /** Why a text does not fit, where the type can say it. */
  why?(text: string): string | undefined;
}

const INT = /^[+-]?\d+$/;
// Digits in one place only: where two parts could share them, a long text takes the square of its length.
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
/** A day, or a day and a time; the zone is read off separately. */
const DATE = /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?$/;
const DOMAIN_LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?$/u;
const LONGEST_EMAIL = 254;

const YES = new Set(["true", "yes", "on", "1"]);
const NO = new Set(["false", "no", "off", "0"]);

/** What a word without a type is. */
export const stringType: ValueType = { name: "string", example: "text", read: (text) => text };

/** What stands behind the `=` of a switch, too. */
export const booleanType: ValueType = {
  name: "boolean",
  example: "yes",
  read: readBoolean,
  choices: ["yes", "no"],
};

const builtIn: readonly ValueType[] = [
  stringType,
  { name: "int", example: "42", read: readInt },
  { name: "number", example: "3.5", read: readNumber },
  { name: "duration", example: "1h30m", read: readDuration },
  { name: "date", example: "2026-11-22T10:00Z", read: readDate },
  { name: "json", example: `'{"a": 1}'`, read: readJson },
  { name: "email", example: "ann@example.org", read: readEmail },
  { name: "url", example: "https://example.org/", read: readUrl },
  booleanType,
];

/** The types a usage may name. */
export const valueTypes: ReadonlyMap<string, ValueType> = new Map(builtIn.map((type) => [type.name, type]));

/** A type of its own for `full|incremental`; a choice may be written in any case and is given as it was declared. */
export function choiceType(choices: readonly string[]): ValueType {
  return {
    name: choices.join("|"),
    example: choices[0] ?? "",
    choices,
    read: (text) =>
      choices.includes(text) ? text : choices.find((choice) => choice.toLowerCase() === text.toLowerCase()),
  };
}

const OWN_NAME = /^\p{L}[\p{L}\p{N}_-]*$/u;

/**
 * Checks the user's own types.
 * @param what The declaration, for the error's text.
 * @throws {DeclarationError} `COMMAND_TYPE_INVALID`.
 */
export function checkOwnTypes(what: string, types: OwnTypes): void {
  if (typeof types !== "object" || types === null) {
    refuseType(what, "types is an object: { color: (text) => toColor(text) }");
  }
  for (const [name, type] of Object.entries(types)) {
    if (!OWN_NAME.test(name))
      refuseType(what, `the type "${name}" needs a name of letters, digits, "_" and "-"`);
    if (valueTypes.has(name)) refuseType(what, `"${name}" is a built-in type. Give yours another name`);
    if (typeof type !== "function" && typeof type?.["~standard"]?.validate !== "function") {
      refuseType(what, `the type "${name}" is neither a function of a text nor a schema`);
    }
  }
}

function refuseType(what: string, why: string): never {
  throw new DeclarationError("COMMAND_TYPE_INVALID", `${what}: ${why}.`);
}

/** A type of the user's own. What it throws means that the text does not fit, too: it is the user's word on a text from outside. */
export function ownType(name: string, own: OwnType): ValueType {
  // A schema may be a function as well (arktype's are).
  if ("~standard" in own) return schemaType(name, own);
  return {
    name,
    example: name,
    read(text) {
      const value = attempt(own, text);
      if (!(value instanceof Promise)) return value;
      value.catch(() => {}); // What it would have said is not waited for.
      throw asynchronous(`type "${name}"`);
    },
  };
}

function attempt(own: (text: string) => unknown, text: string): unknown {
  try {
    return own(text);
  } catch {
    return undefined;
  }
}

function asynchronous(what: string): DeclarationError {
  return new DeclarationError(
    "COMMAND_TYPE_INVALID",
    `The ${what} is asynchronous. Check such things in the option schema, or in the handler.`,
  );
}

function schemaType(name: string, schema: Extract<OwnType, { readonly "~standard": unknown }>): ValueType {
  const check = (text: string) => {
    const result = schema["~standard"].validate(text);
    if (!(result instanceof Promise)) return result;
    throw asynchronous(`schema of the type "${name}"`);
  };
  return {
    name,
    example: name,
    read(text) {
      const result = check(text);
      return result.issues ? undefined : result.value;
    },
    why: (text) => check(text).issues?.[0]?.message,
  };
}

function readInt(text: string): number | undefined {
  const digits = readDigits(text);
  if (digits !== undefined) return digits;
  const value = Number(text);
  return INT.test(text) && Number.isSafeInteger(value) ? value : undefined;
}

/** Most numbers are a few digits, and are read so ten times faster than by a pattern; undefined for the others. */
function readDigits(text: string): number | undefined {
  if (text.length === 0 || text.length > 15) return undefined;
  let value = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = 10 * value + digit;
  }
  return value;
}

function readNumber(text: string): number | undefined {
  const value = Number(text);
  return NUMBER.test(text) && Number.isFinite(value) ? value : undefined;
}

function readDuration(text: string): number | undefined {
  try {
    return toMs(text);
  } catch {
    return undefined;
  }
}

/** A time without a zone is UTC, whatever zone the process happens to run in. */
function readDate(text: string): Date | undefined {
  const found = DATE.exec(text);
  if (!found) return undefined;
  const [, day = "", zone] = found;
  const date = new Date(zone !== undefined || text === day ? text : `${text}Z`);
  // JavaScript turns 30 February into 2 March: the day must be one that exists.
  const exists = new Date(day).toJSON()?.startsWith(day) ?? false;
  return exists && !Number.isNaN(date.getTime()) ? date : undefined;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text, refuseProto);
  } catch {
    return undefined;
  }
}

/** Such a key changes the prototype of whatever the value is later copied into. */
function refuseProto(key: string, value: unknown): unknown {
  if (key === "__proto__") throw new SyntaxError("__proto__ is not allowed");
  return value;
}

/** Catches slips of the pen; only a mail that arrives proves an address. */
function readEmail(text: string): string | undefined {
  const at = text.lastIndexOf("@");
  const labels = text.slice(at + 1).split(".");
  const fits =
    at > 0 && text.length <= LONGEST_EMAIL && !/[\s@,;<>()[\]"]/.test(text.slice(0, at)) && labels.length > 1;
  return fits && labels.every((label) => DOMAIN_LABEL.test(label)) ? text : undefined;
}

/** With a host: `javascript:…` and `mailto:…` are not what a command asks for. */
function readUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  return url !== null && url.host !== "" && !/\s/.test(text) ? url : undefined;
}

function readBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase();
  return YES.has(word) ? true : NO.has(word) ? false : undefined;
}
