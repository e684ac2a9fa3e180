import type { Handler, HandlerFunction } from "../handler.ts";

/** Where a declaration stands. */
export interface Site {
  /** `file:line:column`. */
  readonly text: string;
}

/** A handler without its function: what `on`, `timeOn`, `commandOn` and `reOn` were told, checked. */
export interface Declaration {
  /** For errors: `on("user.registered")`. */
  readonly what: string;
  /** The name that was asked for, if any. */
  readonly name: string | undefined;
  /** The name where neither one was asked for nor the function has one. */
  readonly fallbackName: string;
  /** What is particular to the kind. */
  readonly record: RecordOf<Handler>;
}

type RecordOf<H> = H extends Handler ? Omit<H, "name" | "fn" | "site"> : never;

/** Makes the handler record. */
export function toHandler({ record }: Declaration, name: string, fn: HandlerFunction, site: Site): Handler {
  // The fields of one kind, and what all kinds have: together a Handler.
  return Object.assign(new Declared(name, fn, site), record) as unknown as Handler;
}

/** A class for the sake of its accessor: one in an object literal costs each object a kilobyte. */
class Declared {
  readonly name: string;
  readonly fn: HandlerFunction;
  readonly #site: Site;

  constructor(name: string, fn: HandlerFunction, site: Site) {
    this.name = name;
    this.fn = fn;
    this.#site = site;
  }

  get site(): string {
    return this.#site.text;
  }
}

/** Nobody writes more by hand: a loop declares them, all from the same place. */
const MOST_SITES = 1_000;
const ONE_OF_MANY: Site = { text: `one of more than ${MOST_SITES.toLocaleString("en")} declarations` };

/**
 * The place from which `above` was called, unless the registry is full of others. The stack is recorded now, and turned
 * into text when somebody asks: formatting it costs more than all the rest of a declaration, and recording it half of it.
 *
 * @param declared How many handlers there are.
 */
export function siteOf(above: (...args: never[]) => unknown, declared: number): Site {
  return declared < MOST_SITES ? new CalledFrom(above) : ONE_OF_MANY;
}

class CalledFrom implements Site {
  declare readonly stack?: string;

  constructor(above: (...args: never[]) => unknown) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 1;
    Error.captureStackTrace(this, above);
    Error.stackTraceLimit = limit;
  }

  get text(): string {
    const frame = /\(?((?:file:\/\/)?\/?[^()\s]+:\d+:\d+)\)?\s*$/.exec(this.stack ?? "");
    return frame?.[1]?.replace(/^file:\/\//, "") ?? "an unknown place";
  }
}
