import { CancelledError, LifecycleError, TimeoutError } from "../errors.ts";
import type { Handler, PatternHandler, PatternMatch } from "../handler.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import type { Runner } from "../pipeline/runner.ts";
import { defaultRegistry, type HandlerRegistry } from "../registry.ts";
import { PatternCooldown } from "./cooldown.ts";
import { IndexedMatcher } from "./indexed-matcher.ts";
import type { Candidate, Matcher } from "./matcher.ts";
import { DEFAULT_FIELD, type Message, textsOf } from "./message-texts.ts";
import { describePattern, type PatternDescription } from "./pattern-description.ts";
import { MAX_TEXT } from "./pattern-runner.ts";
import { toPatternMatch } from "./pattern-match.ts";
import { Threshold } from "./threshold.ts";

/** How one handler whose pattern matched has fared. */
export interface PatternResult {
  readonly handler: string;
  /** `cancelled`: the caller's signal, or the stopping app, called the run off. */
  readonly status: "ok" | "failed" | "timed_out" | "cancelled";
  /** What the handler returned; undefined unless the status is `ok`. */
  readonly value: unknown;
  /** What it threw; absent when the status is `ok`. */
  readonly error?: unknown;
}

/** Options of a {@link PatternDispatcher}. */
export interface PatternDispatcherOptions {
  /** Whose handlers it runs. @default the registry of module-level `reOn` */
  readonly registry?: HandlerRegistry;
  /** @default one of its own, without an engine */
  readonly pipeline?: Pipeline;
  /** How many UTF-16 units of a text patterns look at; the rest of a longer one is ignored. @default 1048576 */
  readonly maxText?: number;
  /** What finds the patterns that match. @default an index of the literals that they require */
  readonly matcher?: Matcher;
}

/** What is known of one call of `match` beside the message. */
export interface MatchCall {
  /** The id that handlers see as `ctx.id`. */
  readonly id?: string | undefined;
  /** Calls the handlers off. */
  readonly signal?: AbortSignal | undefined;
}

interface Entry {
  readonly runner: Runner;
  readonly threshold: Threshold | undefined;
  readonly cooldown: PatternCooldown | undefined;
}

/** Field names come from outside: no more than this many are kept in mind. */
const MAX_NOTES = 100;
const NO_RESULTS: readonly PatternResult[] = Object.freeze([]);
/** Most messages match nothing: they share one answer. */
const NOTHING = Promise.resolve(NO_RESULTS);

/**
 * Runs the handlers whose patterns match a message. It watches its registry: handlers may come and go at any time.
 *
 * Each pattern is run at most once for each text; the flags `g`, `y` and `d` are ignored. Texts are untrusted: matching
 * takes a time that grows linearly with their length, whatever the pattern, unless it is declared `trusted`. See docs/patterns.md.
 *
 * @example
 * const patterns = new PatternDispatcher({ registry });
 * const results = await patterns.match("2026-11-22 ERROR disk full");
 */
export class PatternDispatcher {
  readonly #pipeline: Pipeline;
  readonly #matcher: Matcher;
  readonly #maxText: number;
  readonly #entries = new Map<PatternHandler, Entry>();
  /** Fields of which a text was cut, so that the log hears of it once. */
  readonly #cutFields = new Set<string>();
  readonly #unwatch: () => void;
  #closed = false;

  /** @throws {DeclarationError} when a handler that the registry already holds has options that cannot be kept. */
  constructor(options: PatternDispatcherOptions = {}) {
    this.#pipeline = options.pipeline ?? new Pipeline();
    this.#matcher = options.matcher ?? new IndexedMatcher();
    this.#maxText = options.maxText ?? MAX_TEXT;
    this.#unwatch = (options.registry ?? defaultRegistry).watch({
      added: (handler) => this.#added(handler),
      removed: (handler) => this.#removed(handler),
    });
  }

  /**
   * Runs every handler whose pattern matches, and answers with one result for each, highest priority first (the
   * smallest number; ties in order of declaration).
   *
   * Handlers are started in that order and then run side by side. A match of one with `stop` ends the search, whatever
   * becomes of its run. A match that does not complete its handler's `threshold` is counted and has no result, nor
   * has one that falls into its `cooldown`. A handler that fails is a result like any other, and is logged: `match` itself does not reject for it.
   *
   * @param message Text, which stands in the field `content`, or an object of texts by field.
   * @throws {PayloadError} when the message is neither.
   * @throws {LifecycleError} `DISPATCHER_CLOSED`.
   */
  match(message: Message, call: MatchCall = {}): Promise<readonly PatternResult[]> {
    try {
      if (this.#closed) {
        throw new LifecycleError("DISPATCHER_CLOSED", "This PatternDispatcher was closed: make another one.");
      }
      const candidates = this.#find(message);
      return candidates.length === 0 ? NOTHING : this.#runAll(candidates, textsOf(message), call);
    } catch (error) {
      return Promise.reject(error as Error); // nothing else is thrown here
    }
  }

  /** What each pattern is found by and run on, in order of declaration: the slow ones tell why they are. */
  describe(): PatternDescription[] {
    return [...this.#entries.keys()].map((handler) =>
      describePattern(handler, this.#matcher.isIndexed(handler)),
    );
  }

  /** Stops watching the registry; runs under way go on to their end. Legal twice. */
  close(): void {
    this.#closed = true;
    this.#unwatch();
  }

  #added(handler: Handler): void {
    if (handler.kind !== "pattern") return;
    // The matcher last: when the others refuse the handler's options, nothing of it may stay behind.
    const { name, options } = handler;
    const { threshold, cooldown } = options;
    const { environment } = this.#pipeline;
    const entry = {
      runner: this.#pipeline.runner(handler),
      threshold: threshold && new Threshold(name, threshold, environment),
      cooldown:
        cooldown === undefined ? undefined : new PatternCooldown(name, cooldown, threshold, environment),
    };
    this.#matcher.add(handler);
    this.#entries.set(handler, entry);
  }

  #removed(handler: Handler): void {
    if (handler.kind !== "pattern") return;
    this.#matcher.remove(handler);
    this.#entries.delete(handler);
    this.#pipeline.forget(handler);
  }

  /** The candidates of all fields in the order of their results. */
  #find(message: Message): readonly Candidate[] {
    if (typeof message === "string") {
      return this.#matcher.match(DEFAULT_FIELD, this.#bounded(DEFAULT_FIELD, message));
    }
    const found: (readonly Candidate[])[] = [];
    for (const [field, text] of Object.entries(textsOf(message))) {
      const candidates = this.#matcher.match(field, this.#bounded(field, text));
      if (candidates.length > 0) found.push(candidates);
    }
    const [only = []] = found;
    return found.length <= 1 ? only : merge(found);
  }

  #bounded(field: string, text: string): string {
    if (text.length <= this.#maxText) return text;
    if (this.#cutFields.size < MAX_NOTES && !this.#cutFields.has(field)) {
      this.#cutFields.add(field);
      this.#pipeline.environment.log.warn(
        { field, length: text.length, maxText: this.#maxText },
        "patterns look only at the beginning of texts this long (said once for each field)",
      );
    }
    return text.slice(0, this.#maxText);
  }

  async #runAll(
    candidates: readonly Candidate[],
    texts: Readonly<Record<string, string>>,
    call: MatchCall,
  ): Promise<readonly PatternResult[]> {
    const results = await Promise.all(candidates.map((candidate) => this.#run(candidate, texts, call)));
    return results.filter((result) => result !== undefined);
  }

  async #run(
    { handler, found }: Candidate,
    texts: Readonly<Record<string, string>>,
    call: MatchCall,
  ): Promise<PatternResult | undefined> {
    let turn: string | undefined;
    const entry = this.#entries.get(handler);
    if (!entry) return undefined;
    try {
      const match: PatternMatch = toPatternMatch(found, handler.field, texts);
      if (entry.threshold && !(await entry.threshold.reached(match))) return undefined;
      if (entry.cooldown && (turn = await entry.cooldown.take(match)) === undefined) return undefined;
      return { handler: handler.name, status: "ok", value: await entry.runner.call(match, call) };
    } catch (error) {
      if (turn !== undefined) await entry.cooldown?.giveBack(turn).catch(() => {}); // it ends by itself
      return this.#failure(handler, error, call);
    }
  }

  #failure(handler: PatternHandler, error: unknown, call: MatchCall): PatternResult {
    const status = statusOf(error, call.signal);
    const fields = { handler: handler.name, field: handler.field, id: call.id, status, err: error };
    this.#pipeline.environment.log.error(fields, "the handler of a pattern failed");
    return { handler: handler.name, status, value: undefined, error };
  }
}

/** Each field has found its own; together they are put in order again and end at the first `stop`. */
function merge(found: readonly (readonly Candidate[])[]): readonly Candidate[] {
  const all = found.flat().sort((a, b) => priorityOf(a) - priorityOf(b) || a.order - b.order);
  const last = all.findIndex(({ handler }) => handler.options.stop);
  return last < 0 ? all : all.slice(0, last + 1);
}

function priorityOf({ handler }: Candidate): number {
  return handler.options.priority ?? 0;
}

function statusOf(error: unknown, signal: AbortSignal | undefined): PatternResult["status"] {
  if (error instanceof TimeoutError) return "timed_out";
  return error instanceof CancelledError || signal?.aborted ? "cancelled" : "failed";
}
