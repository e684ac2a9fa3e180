import { toMs } from "../duration.ts";
import { CliError } from "./cli-error.ts";
import type { TargetOptions } from "./command-options.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";

/** A request to a running app. */
export interface RemoteRequest {
  /** Sent as JSON; `undefined` as nothing. Without one the request is a GET. */
  readonly body?: { readonly value: unknown };
  readonly method?: "DELETE";
  readonly query?: URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
  /** Calls it off; the app is told, for the connection ends. */
  readonly signal?: AbortSignal;
}

/** A problem reply (RFC 9457), or a part of one. */
interface Problem {
  readonly code?: unknown;
  readonly detail?: unknown;
}

/** An app that runs somewhere, as its HTTP port shows it. */
export class Remote {
  readonly #base: string;
  readonly #token: string | undefined;
  readonly #timeout: number;

  /** @throws {CliError} `URL_INVALID`. */
  constructor(url: string, { token = process.env["API_TOKEN"], timeout = "30s" }: TargetOptions) {
    if (!/^https?:\/\/[^/?#][^?#]*$/.test(url) || !URL.canParse(url)) {
      throw new CliError(
        EXIT.usage,
        "URL_INVALID",
        `--url is ${JSON.stringify(url)}. It must be an address such as http://localhost:8080.`,
      );
    }
    this.#base = url.replace(/\/+$/, "");
    // Of a file that ends with a line's end, or of quotes with blanks in them.
    this.#token = token?.trim() || undefined;
    this.#timeout = toMs(timeout, "--timeout");
  }

  /**
   * Resolves with the reply's JSON.
   * @throws {CliError} with the app's own code and message where it refuses; `APP_UNREACHABLE`, `NOT_AN_APP`.
   */
  async ask(path: string, { body, method, query, headers, signal }: RemoteRequest = {}): Promise<unknown> {
    const url = `${this.#base}${path}${query && query.size > 0 ? `?${query.toString()}` : ""}`;
    const response = await this.#fetch(url, {
      method: method ?? (body ? "POST" : "GET"),
      ...(body && { body: body.value === undefined ? "" : JSON.stringify(body.value) }),
      headers: {
        accept: "application/json, application/problem+json",
        ...(body && { "content-type": "application/json" }),
        ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
        ...headers,
      },
      ...(signal && { signal }),
    });
    const { status } = response;
    const reply = await this.#read(response);
    if (response.ok) return reply;
    const { code, detail } = reply as Problem; // whatever it is: both may be missing
    if (typeof code !== "string" || typeof detail !== "string") throw this.#notAnApp(status);
    const hint = status === 401 ? " Give --token, or set API_TOKEN." : "";
    throw new CliError(exitCodeOf(status), code, detail + hint);
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    try {
      const signals = [AbortSignal.timeout(this.#timeout), init.signal].filter((signal) => signal != null);
      return await fetch(url, { ...init, signal: AbortSignal.any(signals) });
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  async #read(response: Response): Promise<object> {
    try {
      const reply: unknown = await response.json();
      if (typeof reply === "object" && reply !== null) return reply;
    } catch (error) {
      if (error instanceof DOMException) throw this.#unreachable(error);
    }
    throw this.#notAnApp(response.status);
  }

  #unreachable(error: unknown): CliError {
    const timedOut = error instanceof DOMException && error.name === "TimeoutError";
    const { cause = error } = error as Error; // fetch rejects with errors only
    const why = timedOut ? "it did not answer in time" : reasonOf(cause);
    return new CliError(
      EXIT.remote,
      "APP_UNREACHABLE",
      `The app at ${this.#base} cannot be reached: ${why}. ${timedOut ? "Give it longer with --timeout." : "Is it running, and is this its address?"}`,
      { cause: error },
    );
  }

  #notAnApp(status: number): CliError {
    return new CliError(
      EXIT.remote,
      "NOT_AN_APP",
      `${this.#base} answers (with ${status}), but not as an app of decorator-framework does. Is this the right address?`,
    );
  }
}

/** What an AggregateError (one for each address of a name) says is empty; its code is not. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.message || ("code" in cause ? String(cause.code) : cause.name);
}

function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403 || status === 503) return EXIT.remote;
  return status < 500 && status !== 429 ? EXIT.usage : EXIT.failed;
}
