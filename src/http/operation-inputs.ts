import { alike } from "../alike.ts";
import { type Duration, toMs } from "../duration.ts";
import { PayloadError, type PayloadIssue } from "../errors.ts";
import type { ReplayOptions } from "../operations.ts";
import { HttpProblem } from "./problem.ts";
import { count, type Field, oneOf, text } from "./query.ts";
import { readText } from "./read-body.ts";
import { readObject } from "./request-inputs.ts";
import type { ServedDeadLetterFilter } from "./served-app.ts";

/** Why a delivery may be among the dead letters. */
export const DEAD_REASONS = ["exhausted", "fatal", "invalid", "expired", "poison", "unrouted"] as const;

/** What a delivery that is not done may be doing. */
export const DELIVERY_STATES = ["ready", "waiting", "running"] as const;

/** How many rows one answer has at the most: each comes with its payload. */
export const MOST_ROWS = 1_000;

/** The query of `GET /api/dead-letters/count`. */
export const DEAD_LETTER_FIELDS = {
  id: text,
  handler: text,
  event: text,
  reason: oneOf(DEAD_REASONS),
};

/** The query of `GET /api/messages`. */
export const MESSAGE_FIELDS = {
  handler: text,
  event: text,
  state: oneOf(DELIVERY_STATES),
  limit: count(MOST_ROWS),
};

/** Which dead letters are to be replayed or discarded, and how. */
export interface DeadLetterOrder {
  readonly filter: ServedDeadLetterFilter;
  readonly rate: ReplayOptions["rate"];
}

/** How one member of a body is checked; answers what it must be, when it is not. */
type Check = (value: unknown) => string | undefined;

const WHOLE: Check = (value) =>
  Number.isSafeInteger(value) && Number(value) >= 1 ? undefined : "must be a whole number of at least 1";
const CHECKS: Readonly<Record<string, Check>> = {
  id: fits(text),
  handler: fits(text),
  event: fits(text),
  reason: fits(DEAD_LETTER_FIELDS.reason),
  limit: WHOLE,
  all: (value) => (typeof value === "boolean" ? undefined : "must be true or false"),
};

/**
 * Checks the body of a replay or a discard.
 * @param what The route, for the error's text.
 * @throws {PayloadError} with every misfit.
 * @throws {HttpProblem} 422 when it names no dead letters and does not say `all` either.
 */
export function readDeadLetterOrder(body: unknown, what: string, mayHaveRate: boolean): DeadLetterOrder {
  const fields = readObject(body ?? {}, what, 'an object such as { "handler": "ship" }, or { "all": true }');
  const checks: Readonly<Record<string, Check>> = mayHaveRate ? { ...CHECKS, rate: rateMistake } : CHECKS;
  const issues: PayloadIssue[] = Object.entries(fields).flatMap(([path, value]) => {
    const check = Object.hasOwn(checks, path) ? checks[path] : undefined;
    const message = check ? check(value) : unknownMember(path, Object.keys(checks));
    return message === undefined ? [] : [{ path, message }];
  });
  if (issues.length > 0) throw new PayloadError(what, issues);
  const { all, rate, ...filter } = fields as ServedDeadLetterFilter & ReplayOptions & { all?: boolean }; // just checked
  const { id, handler, event, reason } = filter;
  if (!all && [id, handler, event, reason].every((given) => given === undefined)) throw filterMissing();
  return { filter, rate };
}

/** What is taken of all dead letters must be meant. */
function filterMissing(): HttpProblem {
  return new HttpProblem(
    422,
    "FILTER_MISSING",
    'Say which dead letters: give id, handler, event or reason; or "all": true for all of them.',
  );
}

/** @throws {HttpProblem} 400 when there is a body: what it asks for would be without effect. */
export async function refuseBody(request: Request, limit: number): Promise<void> {
  const body = (await readText(request, limit)).trim();
  if (body === "" || body === "{}") return;
  throw new HttpProblem(400, "BODY_UNEXPECTED", "This takes no body; options stand in the query.");
}

function fits(field: Field<string>): Check {
  return (value) =>
    typeof value === "string" && field.parse(value) !== undefined ? undefined : `must be ${field.accepted}`;
}

function rateMistake(value: unknown): string | undefined {
  const accepted = 'must be an object such as { "limit": 10, "per": "1s" }';
  if (typeof value !== "object" || value === null) return accepted;
  const { limit, per, ...more } = value as { limit?: unknown; per?: unknown }; // both are checked here
  if (Object.keys(more).length > 0 || WHOLE(limit) !== undefined) return accepted;
  return isDuration(per) ? undefined : accepted;
}

function isDuration(value: unknown): value is Duration {
  if (typeof value !== "string" && typeof value !== "number") return false;
  try {
    return toMs(value) > 0;
  } catch {
    return false;
  }
}

function unknownMember(path: string, names: readonly string[]): string {
  const [meant] = alike(path, names, 1);
  return `is not known; ${meant === undefined ? `there are ${names.join(", ")}` : `did you mean ${meant}?`}`;
}
