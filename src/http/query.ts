import { alike } from "../alike.ts";
import { HttpProblem } from "./problem.ts";

/** How one parameter of a query is read. */
export interface Field<T> {
  /** What it must be, for the refusal. */
  readonly accepted: string;
  /** Undefined for what it must not be. */
  readonly parse: (text: string) => T | undefined;
}

type Fields = Readonly<Record<string, Field<unknown>>>;
type Read<T extends Fields> = { [K in keyof T]?: T[K] extends Field<infer V> ? V : never };

/** A text that is not empty. */
export const text: Field<string> = {
  accepted: "a text that is not empty",
  parse: (given) => (given === "" ? undefined : given),
};

/** A whole number from 1 to `most`. */
export function count(most: number): Field<number> {
  return {
    accepted: `a whole number from 1 to ${most}`,
    parse: (given) => (/^[1-9]\d{0,8}$/.test(given) && Number(given) <= most ? Number(given) : undefined),
  };
}

/** One of some words. */
export function oneOf<T extends string>(words: readonly T[]): Field<T> {
  return { accepted: words.join(", "), parse: (given) => words.find((word) => word === given) };
}

/**
 * Reads the query of a request.
 * @throws {HttpProblem} 400 that lists every mistake, a parameter that does not exist included: it would else be without effect.
 */
export function readQuery<T extends Fields>(request: Request, fields: T): Read<T> {
  const query = new URL(request.url).searchParams;
  const mistakes = unknownNames(query, Object.keys(fields));
  const read: Record<string, unknown> = {};
  for (const [name, { accepted, parse }] of Object.entries(fields)) {
    const given = query.get(name);
    if (given === null) continue;
    read[name] = parse(given.trim());
    if (read[name] === undefined)
      mistakes.push(`${name} is ${JSON.stringify(given)}. It must be ${accepted}.`);
  }
  refuseMistakes(mistakes);
  return read as Read<T>; // each was read by its own field
}

/** What is wrong with the names in a query, in sentences. */
export function unknownNames(query: URLSearchParams, names: readonly string[]): string[] {
  const mistakes: string[] = [];
  for (const name of new Set(query.keys())) {
    if (query.getAll(name).length > 1) mistakes.push(`${name} is given twice.`);
    if (names.includes(name)) continue;
    const [meant] = alike(name, names, 1);
    const all = names.length === 0 ? "There are none here." : `There are ${names.join(", ")}.`;
    const hint = meant === undefined ? all : `Did you mean ${meant}?`;
    mistakes.push(`There is no option ${JSON.stringify(name)}. ${hint}`);
  }
  return mistakes;
}

/** @throws {HttpProblem} 400 with all mistakes, if there are any. */
export function refuseMistakes(mistakes: readonly string[]): void {
  if (mistakes.length === 0) return;
  throw new HttpProblem(400, "OPTION_INVALID", mistakes.join(" "), {
    errors: mistakes.map((message) => ({ message })),
  });
}
