import type { Claim, DeadLetter, DeadReason, DeliveryInfo, NewMessage } from "../../engine.ts";

/*
 * A delivery's text in the server. What the scripts look at stands in front, at places that do not move; see script.ts.
 */

const PRIORITY = 11;
const NUMBER = 13;
/** Where the flag stands. */
const FLAG = PRIORITY + NUMBER;
/** The smallest priority that there can be, as a shift that makes all of them positive. */
const SHIFT = 2n ** 53n;

/** The facts of a message beside its payload, in the order in which they stand in the text. */
type Facts = [
  event: string,
  publishedAt: number,
  due: number,
  expires?: number | null,
  headers?: string | null,
  to?: string | null,
  /** Of a message that came from another store. */
  id?: string,
];

/** A record, read. */
export interface Read {
  readonly number: string;
  readonly flagged: boolean;
  readonly priority: number;
  readonly key: string | undefined;
  readonly event: string;
  readonly publishedAt: number;
  readonly due: number;
  readonly expires: number | undefined;
  readonly headers: string | undefined;
  readonly to: string | undefined;
  readonly id: string | undefined;
  readonly payload: string;
}

/** What stands behind a record's number: everything but its priority. */
export function tailOf(message: Omit<NewMessage, "priority">, publishedAt: number, id?: string): string {
  const { event, payload, headers, due, key, expires, to } = message;
  const name = `0${key === undefined ? "-" : encodeKey(key)} `;
  if (expires === undefined && headers === undefined && to === undefined && id === undefined)
    return `${name}[${JSON.stringify(event)},${publishedAt},${due}]\n${payload}`;
  const facts: Facts = [event, publishedAt, due, expires ?? null, headers ?? null, to ?? null];
  if (id !== undefined) facts.push(id);
  return `${name}${JSON.stringify(facts)}\n${payload}`;
}

/** A key as it stands in a record: without a space in it. */
export function encodeKey(key: string): string {
  return `k${/[% ]/.test(key) ? key.replace(/%/g, "%25").replace(/ /g, "%20") : key}`;
}

const known = new Map<number, string>();
const names = new Map<string, number>();

/** Eleven characters whose order is the order of the numbers. */
export function priorityText(priority: number): string {
  let text = known.get(priority);
  if (text !== undefined) return text;
  text = (BigInt(priority) + SHIFT).toString(36).padStart(PRIORITY, "0");
  // Priorities are few. Should somebody use very many, they are reckoned each time.
  if (known.size < 1_000) known.set(priority, text);
  return text;
}

function priorityOf(text: string): number {
  let priority = names.get(text);
  if (priority !== undefined) return priority;
  let sum = 0n;
  for (const digit of text) sum = sum * 36n + BigInt(Number.parseInt(digit, 36));
  priority = Number(sum - SHIFT);
  if (names.size < 1_000) names.set(text, priority);
  return priority;
}

/** The number of a message as its records have it. */
export function numberText(number: number): string {
  return String(number).padStart(NUMBER, "0");
}

/** The id of a message. @param name Its number, or the id that it had in the store from which it came, encoded. */
export function idOf(store: string, name: string): string {
  return /^\d{13}$/.test(name) ? `${store}-${name}` : decodeURIComponent(name);
}

/** What stands for a message where its number or {@link idOf} is wanted. */
export function nameOf(store: string, id: string): string {
  return numberOfId(id, store) ?? encodeURIComponent(id);
}

/** The number in a message's id, if it is one of this store's. @param store The start of its ids. */
export function numberOfId(id: string, store: string): string | undefined {
  const number = id.slice(store.length + 1);
  return id.startsWith(`${store}-`) && /^\d{13}$/.test(number) ? number : undefined;
}

export function readRecord(text: string): Read {
  const space = text.indexOf(" ", FLAG + 1);
  const end = text.indexOf("\n", space);
  const name = text.slice(FLAG + 1, space);
  // Written by `tailOf`.
  const [event, publishedAt, due, expires, headers, to, id] = JSON.parse(text.slice(space + 1, end)) as Facts;
  return {
    number: text.slice(PRIORITY, FLAG),
    flagged: text[FLAG] === "1",
    priority: priorityOf(text.slice(0, PRIORITY)),
    key: name === "-" ? undefined : decodeKey(name.slice(1)),
    event,
    publishedAt,
    due,
    expires: expires ?? undefined,
    headers: headers ?? undefined,
    to: to ?? undefined,
    id,
    payload: text.slice(end + 1),
  };
}

/** The record of a dead letter that comes back: it is meant to run, so neither its delay nor its end counts any more. */
export function revivedRecord(text: string, now: number): string {
  const { event, publishedAt, headers, to, id } = readRecord(text);
  const space = text.indexOf(" ", FLAG + 1);
  const facts: Facts = [event, publishedAt, now, null, headers ?? null, to ?? null];
  if (id !== undefined) facts.push(id);
  return `${text.slice(0, space + 1)}${JSON.stringify(facts)}${text.slice(text.indexOf("\n", space))}`;
}

/** What the server keeps beside a record that was tried before. */
export interface Extras {
  readonly attempt: number;
  readonly errors: string | undefined;
  readonly steps: string | undefined;
}

export function claimOf(store: string, handler: string, token: string, read: Read, extras: Extras): Claim {
  const { number, priority, key, event, publishedAt, due, expires, headers, payload } = read;
  const { attempt, errors, steps } = extras;
  // prettier-ignore
  return { id: read.id ?? `${store}-${number}`, handler, seq: number, token, event, payload, headers, attempt, priority, key, publishedAt, due, expires, steps, errors };
}

export function infoOf(
  store: string,
  handler: string,
  read: Read,
  more: Extras & Pick<DeliveryInfo, "state" | "holder"> & { readonly until: number | undefined },
): DeliveryInfo {
  const { number, priority, key, event, publishedAt, due, expires, headers, payload } = read;
  const { attempt, errors, steps, state, holder, until } = more;
  // prettier-ignore
  return { id: read.id ?? `${store}-${number}`, handler, event, state, payload, headers, attempt, priority, key, publishedAt, due: until ?? due, expires, holder, steps, errors };
}

/** A dead letter as the server has it. */
export interface Buried {
  readonly letter: DeadLetter;
  /** Its place in the order of death. */
  readonly place: string;
  readonly number: string;
  /** When it was to be delivered first. */
  readonly due: number;
  readonly to: string | undefined;
  readonly record: string;
}

/** Reads `place attempt reason record`. */
export function readLetter(
  store: string,
  handler: string,
  text: string,
  errors: string | undefined,
  steps: string | undefined,
): Buried {
  const [place = "", attempt = "", reason = ""] = text.split(" ", 3);
  const record = text.slice(place.length + attempt.length + reason.length + 3);
  const { number, priority, key, event, publishedAt, due, headers, to, id, payload } = readRecord(record);
  const letter: DeadLetter = {
    id: id ?? `${store}-${number}`,
    handler,
    event,
    payload,
    headers,
    attempt: Number(attempt),
    priority,
    key,
    publishedAt,
    diedAt: Number(place.slice(0, 13)),
    reason: reason as DeadReason, // written by the script that buried it
    steps,
    errors,
  };
  return { letter, place, number, due, to, record };
}

function decodeKey(text: string): string {
  return text.includes("%") ? text.replace(/%20/g, " ").replace(/%25/g, "%") : text;
}

/** JSON of an object, of steps that the server keeps as `"name":result,"name":result`. */
export function stepsText(stored: string | null): string | undefined {
  return stored === null ? undefined : `{${stored}}`;
}

/** JSON of an array, of errors that the server keeps as `{…},{…}`. */
export function errorsText(stored: string | null): string | undefined {
  return stored === null ? undefined : `[${stored}]`;
}
