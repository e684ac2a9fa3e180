import {
  CancelledError,
  DeclarationError,
  EngineError,
  FrameworkError,
  type HandlerOutcome,
  HandlersFailedError,
  LifecycleError,
  PayloadError,
  RateLimitedError,
  TimeoutError,
  UnknownEventError,
  UnsupportedError,
} from "../errors.ts";

/** What a problem reply has beside its standard members. */
export type ProblemExtras = Readonly<Record<string, unknown>>;

/** The answer to a request that went wrong, before it is written down. */
export class HttpProblem extends FrameworkError {
  readonly status: number;
  readonly extras: ProblemExtras;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    detail: string,
    extras: ProblemExtras = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(code, detail);
    this.status = status;
    this.extras = extras;
    this.headers = headers;
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: "The request is malformed",
  401: "A token is needed",
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  409: "Not possible as things are",
  413: "The body is too large",
  415: "The body is of another type",
  422: "The input does not fit",
  429: "Too many requests",
  500: "Something went wrong",
  501: "The engine cannot do this",
  502: "The handler failed",
  503: "Not available right now",
  504: "It took too long",
};

/**
 * Writes any error as a problem: its own code and message where it is one of ours, and nothing but that it happened
 * where it is not. There is never a stack in it.
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
export function problemResponse(error: unknown, path: string): Response {
  const { status, code, message, extras, headers } = toProblem(error);
  const standard = {
    type: `urn:decorator-framework:problem:${code}`,
    title: TITLES[status] ?? "The request failed",
    status,
    detail: message,
    code,
    instance: path,
  };
  return new Response(tryJson({ ...standard, ...extras }) ?? JSON.stringify(standard), {
    status,
    headers: { "content-type": "application/problem+json", ...headers },
  });
}

/** A response of JSON. @throws {HttpProblem} 500 when a handler returned what JSON cannot hold. */
export function jsonResponse(body: unknown, status = 200): Response {
  const text = tryJson(body);
  if (text !== undefined)
    return new Response(text, { status, headers: { "content-type": "application/json" } });
  throw new HttpProblem(
    500,
    "RESULT_NOT_JSON",
    "It was done, but a handler returned what JSON cannot hold, such as a BigInt or an object with a circle in it.",
  );
}

/** What may be told of an error that a handler threw. */
export function errorFacts(error: unknown): { readonly code?: string; readonly message: string } {
  if (!(error instanceof Error)) return { message: String(error) };
  const code: unknown = "code" in error ? error.code : undefined;
  return { ...(typeof code === "string" && { code }), message: error.message };
}

/** Whether the error says that something is wrong with this side, so that the log should have it. */
export function isOurs(error: unknown): boolean {
  return toProblem(error).status >= 500;
}

function tryJson(body: unknown): string | undefined {
  try {
    return JSON.stringify(body);
  } catch {
    return undefined;
  }
}

function toProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof HandlersFailedError) return handlersProblem(error);
  if (!(error instanceof FrameworkError)) {
    return new HttpProblem(500, "INTERNAL", "An unexpected error occurred; the log of the server has it.");
  }
  const extras = error instanceof PayloadError ? { errors: error.issues } : {};
  const headers = error instanceof RateLimitedError ? retryAfter(error) : {};
  return new HttpProblem(statusOf(error), error.code, error.message, extras, headers);
}

/** Codes whose class alone does not say it. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  TASK_UNKNOWN: 404,
  SUBSCRIPTION_IN_USE: 409,
  SCHEDULER_NOT_RUNNING: 409,
  REQUEST_FAILED: 502,
};

function statusOf(error: FrameworkError): number {
  const status = STATUS_OF_CODE[error.code];
  if (status !== undefined) return status;
  if (error instanceof PayloadError) return 422;
  if (error instanceof UnknownEventError) return 404;
  // An event's name, a duration, a moment: what the caller wrote.
  if (error instanceof DeclarationError) return 400;
  if (error instanceof RateLimitedError) return 429;
  if (error instanceof TimeoutError) return 504;
  if (error instanceof UnsupportedError) return 501;
  if (error instanceof EngineError || error instanceof LifecycleError || error instanceof CancelledError)
    return 503;
  return 500;
}

/** Handlers that failed for one reason are answered with it; the others' results are told in any case. */
function handlersProblem(failed: HandlersFailedError): HttpProblem {
  const { errors } = failed;
  const limited = errors.find((error) => error instanceof RateLimitedError);
  const status = errors.every((error) => error instanceof RateLimitedError)
    ? 429
    : errors.every((error) => error instanceof TimeoutError)
      ? 504
      : 500;
  const extras = { results: failed.results, errors: failed.outcomes.flatMap(outcomeFacts) };
  return new HttpProblem(
    status,
    failed.code,
    failed.message,
    extras,
    status === 429 ? retryAfter(limited) : {},
  );
}

function outcomeFacts(outcome: HandlerOutcome): object[] {
  return outcome.status === "ok" ? [] : [{ handler: outcome.handler, ...errorFacts(outcome.error) }];
}

function retryAfter(error: RateLimitedError | undefined): Record<string, string> {
  return { "retry-after": String(Math.ceil((error?.retryAfter ?? 0) / 1_000)) };
}
