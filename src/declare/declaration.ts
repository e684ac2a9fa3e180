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
  readonly record: Declared<Handler>;
}

type Declared<H> = H extends Handler ? Omit<H, "name" | "fn" | "site"> : never;

/** Makes the handler record. */
export function toHandler({ record }: Declaration, name: string, fn: HandlerFunction, site: Site): Handler {
  return {
    ...record,
    name,
    fn,
    get site() {
      return site.text;
    },
  };
}

/**
 * The place from which `above` was called. The stack is recorded now, and turned into text when somebody asks:
 * formatting it costs more than all the rest of a declaration.
 */
export function siteOf(above: (...args: never[]) => unknown): Site {
  const holder: { stack?: string } = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 1;
  Error.captureStackTrace(holder, above);
  Error.stackTraceLimit = limit;
  return {
    get text() {
      const frame = /\(?((?:file:\/\/)?\/?[^()\s]+:\d+:\d+)\)?\s*$/.exec(holder.stack ?? "");
      return frame?.[1]?.replace(/^file:\/\//, "") ?? "an unknown place";
    },
  };
}
