import type { PatternHandler } from "../handler.ts";
import { gateOf, isNarrow } from "./gate.ts";
import { LiteralIndex } from "./literal-index.ts";
import { requirementsOf } from "./literals.ts";
import type { Candidate } from "./matcher.ts";
import { parsePattern } from "./parse.ts";
import { isAnchored } from "./safety.ts";
import type { Syntax } from "./syntax.ts";
import { LazyRunner, type PatternRunner } from "./pattern-runner.ts";
import { refuseUnsafe } from "./refusal.ts";
import { classRunOf } from "./class-runs.ts";
import { type ClassPlace, ClassScan } from "./class-scan.ts";

interface Entry {
  readonly handler: PatternHandler;
  readonly priority: number;
  readonly order: number;
  readonly runner: PatternRunner;
}

/** A pattern that no literal finds. */
interface Other {
  readonly entry: Entry;
  /** Where the classes that it requires are looked for. */
  readonly place: ClassPlace | undefined;
}

const NO_CANDIDATES: readonly Candidate[] = [];

/** The patterns that read one field. */
export class FieldPatterns {
  readonly #index = new LiteralIndex();
  /** By number; the index knows patterns by their numbers. */
  readonly #entries: (Entry | undefined)[] = [];
  readonly #numbers = new Map<PatternHandler, number>();
  readonly #free: number[] = [];
  /** Those without a literal, in order. */
  #others: readonly Other[] = [];
  readonly #classes = new ClassScan();

  get size(): number {
    return this.#numbers.size;
  }

  add(handler: PatternHandler, order: number): void {
    const { priority = 0, trusted = false } = handler.options;
    if (!trusted) refuseUnsafe(`reOn(${JSON.stringify(handler.name)})`, handler.pattern);
    const syntax = parsePattern(handler.pattern);
    const number = this.#free.pop() ?? this.#entries.length;
    const entry = { handler, priority, order, runner: new LazyRunner(handler.pattern, trusted) };
    const hasEdge = /^\^|\$$/.test(handler.pattern.source) && isNarrow(gateOf(syntax));
    if (!this.#index.add(number, requirementsOf(syntax), hasEdge)) this.#addOther(entry, syntax);
    this.#entries[number] = entry;
    this.#numbers.set(handler, number);
  }

  #addOther(entry: Entry, syntax: Syntax): void {
    const run = syntax.unicode || isAnchored(syntax.root) ? undefined : classRunOf(syntax.root);
    const other = { entry, place: run && this.#classes.add(run) };
    this.#others = [...this.#others, other].sort((a, b) => inOrder(a.entry, b.entry));
  }

  remove(handler: PatternHandler): void {
    const number = this.#numbers.get(handler);
    if (number === undefined) return;
    this.#index.remove(number);
    this.#entries[number] = undefined;
    this.#numbers.delete(handler);
    this.#free.push(number);
    const other = this.#others.find(({ entry }) => entry.handler === handler);
    if (!other) return;
    if (other.place) this.#classes.remove(other.place);
    this.#others = this.#others.filter((one) => one !== other);
  }

  match(text: string): readonly Candidate[] {
    const found = this.#index.find(text);
    if (found.length === 0 && this.#others.length === 0) return NO_CANDIDATES;
    const due: Entry[] = [];
    for (const number of found) due.push(this.#entries[number] as Entry); // the index has only what is here
    if (this.#others.length > 0) this.#addOthers(text, due);
    if (found.length > 0 && due.length > 1) due.sort(inOrder);
    return due.length === 0 ? NO_CANDIDATES : run(due, text);
  }

  #addOthers(text: string, due: Entry[]): void {
    this.#classes.scan(text);
    for (const { entry, place } of this.#others) {
      if (place === undefined || this.#classes.has(place)) due.push(entry);
    }
  }

  isIndexed(handler: PatternHandler): boolean {
    return this.#numbers.has(handler) && !this.#others.some(({ entry }) => entry.handler === handler);
  }
}

function run(due: readonly Entry[], text: string): readonly Candidate[] {
  let candidates: Candidate[] | undefined;
  for (const { handler, runner, order } of due) {
    const found = runner.exec(text);
    if (!found) continue;
    (candidates ??= []).push({ handler, found, order });
    if (handler.options.stop) break;
  }
  return candidates ?? NO_CANDIDATES;
}

function inOrder(a: Entry, b: Entry): number {
  return a.priority - b.priority || a.order - b.order;
}
