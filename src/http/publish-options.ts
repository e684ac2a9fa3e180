import type { PublishOptions } from "../context.ts";
import { type Duration, toMs } from "../duration.ts";
import { refuseMistakes, text, unknownNames } from "./query.ts";

/** What the query and the headers of `POST /events/:name` ask for. */
export interface EventRequest {
  /** Run the handlers now and answer with their results. */
  readonly wait: boolean;
  /** Store the event and answer with what its handler returns, wherever it runs. */
  readonly reply: boolean;
  /** How long to wait for that answer. */
  readonly timeout?: Duration | undefined;
  readonly options: PublishOptions;
}

/** The names of the options in the query. In headers they have `x-event-` before them. */
const NAMES = ["delay", "at", "priority", "key", "dedupe", "dedupe-within", "expires"] as const;
type Name = (typeof NAMES)[number];
type Given = Partial<Record<Name, string>>;

/** Options of the request rather than of the event: they stand in the query only. */
const ASKING = ["wait", "reply", "timeout"];
/** An answer that takes longer is fetched, not waited for: whoever waits holds a connection. */
const LONGEST_WAIT_MS = 3_600_000;

const PREFIX = "x-event-";
/** Headers of a request that go with the message under their own names: the context of a trace. */
const CARRIED = ["traceparent", "tracestate", "baggage"];
/** `x-event-header-tenant: a` gives the message the header `tenant: a`. */
const CARRIED_PREFIX = `${PREFIX}header-`;

/**
 * Reads `wait`, `reply`, `timeout` and the options of `publish` from a request; the query counts where both say something.
 * `idempotency-key` is another name of `x-event-dedupe`.
 *
 * @throws {HttpProblem} 400 that lists every mistake, an option that does not exist included: it would else be without effect.
 */
export function readEventRequest(request: Request): EventRequest {
  const query = new URL(request.url).searchParams;
  const mistakes = unknownNames(query, [...ASKING, ...NAMES]);
  const given = readGiven(query, request.headers);
  const wait = readSwitch("wait", query, mistakes);
  const reply = readSwitch("reply", query, mistakes);
  const timeout = readTimeout(query, reply, mistakes);
  if (wait && reply) mistakes.push("Give either wait or reply, not both.");
  if (reply && given.dedupe !== undefined) {
    mistakes.push("dedupe: with reply=true the answer would go to the first message's publisher only.");
  }
  if (wait && Object.keys(given).length > 0) {
    mistakes.push(
      `${Object.keys(given).join(", ")}: with wait=true the handlers run at once and nothing is stored.`,
    );
  }
  const headers = readHeaders(request.headers);
  const options = { ...readOptions(given, mistakes), ...(headers && { headers }) };
  refuseMistakes(mistakes);
  return { wait, reply, timeout, options };
}

function readSwitch(name: string, query: URLSearchParams, mistakes: string[]): boolean {
  const given = query.get(name) ?? "false";
  if (given !== "true" && given !== "false")
    mistakes.push(`${name} is ${JSON.stringify(given)}. It must be true or false.`);
  return given === "true";
}

function readTimeout(query: URLSearchParams, reply: boolean, mistakes: string[]): Duration | undefined {
  const given = query.get("timeout");
  if (given === null) return undefined;
  if (!reply) mistakes.push("timeout needs reply=true.");
  const timeout = parseDuration(given.trim());
  if (timeout === undefined || toMs(timeout) > LONGEST_WAIT_MS)
    mistakes.push(`timeout is ${JSON.stringify(given)}. It must be ${DURATION}, up to 1h.`);
  return timeout;
}

function readGiven(query: URLSearchParams, headers: Headers): Given {
  const given: Given = {};
  for (const name of NAMES) {
    const value = query.get(name) ?? headers.get(PREFIX + name) ?? undefined;
    if (value !== undefined) given[name] = value.trim();
  }
  const idempotency = headers.get("idempotency-key");
  // A structured field's string stands in quotes.
  if (idempotency !== null) given.dedupe ??= idempotency.replace(/^"(.*)"$/, "$1");
  return given;
}

function readOptions(given: Given, mistakes: string[]): PublishOptions {
  const refuse = (name: Name, accepted: string): undefined => {
    mistakes.push(`${name} is ${JSON.stringify(given[name])}. It must be ${accepted}.`);
  };
  const read = <T>(
    name: Name,
    accepted: string,
    parse: (written: string) => T | undefined,
  ): T | undefined => {
    const written = given[name];
    return written === undefined ? undefined : (parse(written) ?? refuse(name, accepted));
  };
  const dedupe = read("dedupe", text.accepted, text.parse);
  const within = read("dedupe-within", DURATION, parseDuration);
  if (within !== undefined && dedupe === undefined) mistakes.push("dedupe-within needs dedupe.");
  if (given.delay !== undefined && given.at !== undefined)
    mistakes.push("Give either delay or at, not both.");
  return defined({
    delay: read("delay", DURATION, parseDuration),
    at: read("at", MOMENT, parseMoment),
    priority: read("priority", "a whole number", parseInteger),
    key: read("key", text.accepted, text.parse),
    dedupe: dedupe !== undefined && within !== undefined ? { key: dedupe, within } : dedupe,
    expires: read(
      "expires",
      `${DURATION}, or ${MOMENT}`,
      (value) => parseDuration(value) ?? parseMoment(value),
    ),
  });
}

const DURATION = 'a duration such as "30s" or "1h30m"';
const MOMENT = 'a moment such as "2026-11-22T08:00:00Z", or milliseconds since 1970';

function parseDuration(written: string): Duration | undefined {
  // Not a plain number: in `at` and `expires` that is a moment.
  if (/^[\d.]*$/.test(written)) return undefined;
  try {
    return toMs(written);
  } catch {
    return undefined;
  }
}

function parseMoment(text: string): Date | undefined {
  if (!/^\d{12,16}$|^\d{4}-\d\d-\d\d(?:T.*(?:Z|[+-]\d\d:?\d\d))?$/.test(text)) return undefined;
  const moment = new Date(/^\d+$/.test(text) ? Number(text) : text);
  return Number.isNaN(moment.getTime()) ? undefined : moment;
}

function parseInteger(text: string): number | undefined {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function readHeaders(headers: Headers): Record<string, string> | undefined {
  const carried: Record<string, string> = {};
  for (const [name, value] of headers) {
    if (CARRIED.includes(name)) carried[name] = value;
    else if (name.startsWith(CARRIED_PREFIX)) carried[name.slice(CARRIED_PREFIX.length)] = value;
  }
  return Object.keys(carried).length > 0 ? carried : undefined;
}

/** Without what is undefined, as optional properties want it. */
function defined<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> }; // what is left is defined
}
