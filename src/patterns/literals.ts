import type { CharSet } from "./char-set.ts";
import type { Node, Repeat, Syntax } from "./syntax.ts";
import { chooseWindow } from "./windows.ts";

/**
 * One char of a literal as the scan sees it: the last byte of its code, folded (see `text-bytes.ts`), or the few bytes of
 * a small class. Bytes of several chars may be the same: what is found by them is verified.
 */
export type Cell = number | readonly number[];

/** Chars that follow each other in every match. */
export type Run = readonly Cell[];

/** Runs of which every matching text has at least one. */
export type Requirement = readonly Run[];

/** A class of more bytes says too little. */
const MOST_BYTES = 16;
/** Longer literals are cut: what is left says enough. */
const LONGEST_RUN = 48;
const MOST_RUNS = 64;
const MOST_REQUIREMENTS = 12;
/** How often `x{n}` is written out. */
const MOST_COPIES = 8;

/** What every text that the pattern matches must have in it; each requirement is one way to find it. Empty when there is none. */
export function requirementsOf({ root }: Pick<Syntax, "root">): readonly Requirement[] {
  const collector = new Collector();
  collector.visit(root);
  return collector.end();
}

class Collector {
  readonly #run: Cell[] = [];
  readonly #found: Requirement[] = [];

  visit(node: Node): void {
    switch (node.kind) {
      case "char":
        this.#char(node.set);
        break;
      case "sequence":
        for (const item of node.items) this.visit(item);
        break;
      case "group":
        this.visit(node.body);
        break;
      case "choice":
        this.#choice(node.options);
        break;
      case "repeat":
        this.#repeat(node);
        break;
      case "look":
        // What it looks for must be there; what stands around it follows as if it was not.
        if (!node.negative) this.#add(...requirementsOf({ root: node.body }));
        break;
      case "opaque":
        this.#cut();
        break;
      case "assert":
        break;
    }
  }

  end(): readonly Requirement[] {
    this.#cut();
    return this.#found;
  }

  #cut(): void {
    if (this.#run.length === 0) return;
    // A copy has no room to grow, of which there would be much.
    this.#add([this.#run.slice()]);
    this.#run.length = 0;
  }

  #add(...found: readonly Requirement[]): void {
    for (const one of found) if (this.#found.length < MOST_REQUIREMENTS) this.#found.push(one);
  }

  #char(set: CharSet): void {
    const cells = cellsOf(set);
    if (cells.length === 0) this.#cut();
    for (const cell of cells) this.#run.push(cell);
    if (this.#run.length >= LONGEST_RUN) this.#cut();
  }

  #choice(options: readonly Node[]): void {
    const oneOf = cellOfAll(options);
    if (oneOf !== undefined) return void this.#run.push(oneOf);
    this.#cut();
    const runs: Run[] = [];
    for (const option of options) {
      const best = bestOf(requirementsOf({ root: option }));
      if (!best) return;
      runs.push(...best);
    }
    if (runs.length <= MOST_RUNS) this.#add(runs);
  }

  #repeat({ body, min, max }: Repeat): void {
    if (min === 0) return this.#cut();
    if (body.kind !== "char") {
      this.visit(body);
      if (max > 1) this.#cut();
      return;
    }
    const copies = Math.min(min, MOST_COPIES);
    for (let n = 0; n < copies; n++) this.visit(body);
    if (max === copies) return;
    // The last turns stand before what follows, as the first ones behind what came before.
    this.#cut();
    for (let n = 0; n < copies; n++) this.visit(body);
  }
}

/** The requirement that is met most seldom. */
function bestOf(requirements: readonly Requirement[]): Requirement | undefined {
  let best: Requirement | undefined;
  let least = Infinity;
  for (const requirement of requirements) {
    const cost = requirement.reduce((sum, run) => sum + chooseWindow(run).cost, 0);
    if (cost < least) [best, least] = [requirement, cost];
  }
  return best;
}

/** The bytes of all options when each is one char. */
function cellOfAll(options: readonly Node[]): Cell | undefined {
  const bytes = new Set<number>();
  for (const option of options) {
    const [cell, more] = option.kind === "char" ? cellsOf(option.set) : [];
    if (cell === undefined || more !== undefined) return undefined;
    for (const byte of typeof cell === "number" ? [cell] : cell) bytes.add(byte);
  }
  return bytes.size <= MOST_BYTES ? [...bytes] : undefined;
}

const known = new WeakMap<CharSet, readonly Cell[]>();

/** A cell for each UTF-16 unit of the char; none when it may be too many. */
function cellsOf(set: CharSet): readonly Cell[] {
  let cells = known.get(set);
  if (!cells) known.set(set, (cells = findCells(set)));
  return cells;
}

function findCells({ code, listed }: CharSet): readonly Cell[] {
  if (code !== undefined)
    return String.fromCodePoint(code)
      .split("")
      .map((unit) => byteOf(unit.charCodeAt(0)));
  const bytes = [...new Set(listed?.map(byteOf))];
  if (bytes.length === 0 || bytes.length > MOST_BYTES) return [];
  return bytes.length === 1 ? bytes : [bytes];
}

/** The last byte of a unit with the bit set that tells lower from upper case in ASCII. */
function byteOf(code: number): number {
  return (code & 0xff) | 0x20;
}
