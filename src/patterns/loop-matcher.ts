import type { PatternHandler } from "../handler.ts";
import type { Candidate, Matcher } from "./matcher.ts";

interface Entry {
  readonly handler: PatternHandler;
  readonly regExp: RegExp;
  readonly order: number;
}

const NONE: readonly Candidate[] = [];

/**
 * Runs each pattern of the field once for each text, on V8: the plain way, whose cost grows with the number of patterns,
 * and which hangs on texts made for it. Tests compare the other matcher with it.
 */
export class LoopMatcher implements Matcher {
  /** By field, each list in the order in which its patterns are tried. */
  readonly #fields = new Map<string, Entry[]>();
  #added = 0;

  add(handler: PatternHandler): void {
    const entries = this.#fields.get(handler.field) ?? [];
    const priority = priorityOf(handler);
    let place = entries.length;
    // From the end: most patterns have the priority of those before them, and then nothing moves.
    while (place > 0 && priorityOf((entries[place - 1] as Entry).handler) > priority) place--;
    entries.splice(place, 0, { handler, regExp: ownCopy(handler.pattern), order: this.#added++ });
    this.#fields.set(handler.field, entries);
  }

  remove(handler: PatternHandler): void {
    const left = this.#fields.get(handler.field)?.filter((entry) => entry.handler !== handler) ?? [];
    if (left.length > 0) this.#fields.set(handler.field, left);
    else this.#fields.delete(handler.field);
  }

  match(field: string, text: string): readonly Candidate[] {
    let candidates: Candidate[] | undefined;
    for (const { handler, regExp, order } of this.#fields.get(field) ?? []) {
      const found = regExp.exec(text);
      if (!found) continue;
      (candidates ??= []).push({ handler, found, order });
      if (handler.options.stop) break;
    }
    return candidates ?? NONE;
  }

  isIndexed(): boolean {
    return false;
  }
}

/** Patterns with `g` or `y` remember where they stopped, and the user's own object may be run by others meanwhile. */
function ownCopy(pattern: RegExp): RegExp {
  return new RegExp(pattern.source, pattern.flags.replace(/[dgy]/g, ""));
}

function priorityOf(handler: PatternHandler): number {
  return handler.options.priority ?? 0;
}
