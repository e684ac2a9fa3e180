/** A value on its way to the server, as text. */
export type Value = string | null;
/** A row as it comes back: each column as text. */
export type Row = readonly (string | null)[];

/** One statement with its values. */
export interface Statement {
  readonly text: string;
  readonly values: readonly Value[];
}

/** An SQL text with its schema filled in; the caller writes `{s}` where the schema stands. */
export class Sql {
  readonly #schema: string;
  readonly #texts = new Map<string, string>();

  constructor(schema: string) {
    this.#schema = schema;
  }

  /** The same text each time, so that a connection can tell that it has prepared it. */
  fill(template: string): string {
    const known = this.#texts.get(template);
    if (known !== undefined) return known;
    const text = template.replaceAll("{s}", this.#schema);
    this.#texts.set(template, text);
    return text;
  }

  statement(template: string, ...values: Argument[]): Statement {
    return { text: this.fill(template), values: toValues(...values) };
  }
}

/** What can be given for a value. */
export type Argument = Value | number | boolean | undefined;

export function toValues(...values: Argument[]): Value[] {
  return values.map(toValue);
}

function toValue(value: Argument): Value {
  if (value === undefined || value === null || typeof value === "string") return value ?? null;
  return String(typeof value === "number" ? Math.ceil(value) : value);
}

/** Writes numbers as an array of the server, which keeps whole milliseconds: not before a moment is not before the next. */
export function numbers(values: readonly (number | undefined)[]): string {
  return `{${values.map((value) => (value === undefined ? "NULL" : Math.ceil(value))).join(",")}}`;
}

/** Writes texts as an array of the server. */
export function texts(values: readonly (string | null | undefined)[]): string {
  let list = "";
  for (const value of values) {
    if (list !== "") list += ",";
    list += value === null || value === undefined ? "NULL" : quoted(value);
  }
  return `{${list}}`;
}

/** JSON's quotes are the server's, and faster; but it writes a letter behind the backslash for these. */
function quoted(text: string): string {
  return LETTERED.test(text) ? `"${text.replace(ESCAPED, "\\$&")}"` : JSON.stringify(text);
}

const LETTERED = /[^\x20-\ud7ff\ue000-\uffff]/;
const ESCAPED = /["\\]/g;

/** Reads an array of numbers; null for none, NaN for an element that is null. */
export function numbersOf(text: string | null | undefined): number[] {
  if (text === null || text === undefined || text === "{}") return [];
  return text.slice(1, -1).split(",").map(Number);
}

/** Reads a number. */
export function numberOr(text: string | null | undefined): number | undefined {
  return text === null || text === undefined ? undefined : Number(text);
}

/** The server's text cannot hold a NUL; everything else is kept as it is. */
export function withoutNul(text: string): string {
  return text.replace(/[\\\0]/g, (found) => (found === "\0" ? "\\0" : "\\\\"));
}

/** Undoes {@link withoutNul}. */
export function withNul(text: string): string {
  return text.replace(/\\(.)/g, (_, escaped: string) => (escaped === "0" ? "\0" : escaped));
}
