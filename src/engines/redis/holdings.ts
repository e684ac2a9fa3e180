import type { ClaimRef } from "../../engine.ts";

/** One delivery that this instance runs, with what its settlement needs to know. */
export interface Holding {
  /** As the server knows it, of this instance. */
  readonly token: number;
  readonly handler: string;
  readonly number: string;
  /** As it stands in the record; undefined without one. */
  readonly key: string | undefined;
  /** Whether the server keeps more of it than its record. */
  flagged: boolean;
  /** Its end is on its way to the server. */
  ending: boolean;
}

/**
 * What this instance holds, by fencing token. A token is counted here and has the instance's number before it, so that it
 * is never given twice. What is not held here is refused without asking the server.
 */
export class Holdings {
  readonly #held = new Map<string, Holding>();
  /** Claims that are under way: the first token of each. */
  readonly #underWay = new Set<number>();
  #next = 1;

  /** The tokens of a claim that begins now; the first is answered. */
  begin(count: number): number {
    const first = this.#next;
    this.#next += count;
    this.#underWay.add(first);
    return first;
  }

  /** The claim has been answered, or never will be. */
  end(first: number): void {
    this.#underWay.delete(first);
  }

  add(token: string, holding: Holding): void {
    this.#held.set(token, holding);
  }

  /** The delivery that a claim names, if it is held and nobody is ending it. */
  find({ handler, seq, token }: ClaimRef): Holding | undefined {
    const holding = this.#held.get(token as string); // anything else is no key of it
    return holding && !holding.ending && holding.handler === handler && holding.number === seq
      ? holding
      : undefined;
  }

  remove(token: ClaimRef["token"]): void {
    this.#held.delete(token as string); // anything else is no key of it
  }

  /** It was given up as dead: nothing is held any more. */
  clear(): void {
    this.#held.clear();
  }

  /** The tokens held of a handler, and the first that the server may know and this side cannot yet. */
  tokensOf(handler: string): { readonly known: number[]; readonly below: number } {
    const known = [...this.#held.values()].flatMap((each) => (each.handler === handler ? [each.token] : []));
    return { known, below: Math.min(this.#next, ...this.#underWay) };
  }
}
