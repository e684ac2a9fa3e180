import { LinearEngine } from "./linear-engine.ts";
import { parsePattern } from "./parse.ts";
import { compile, NotLinear } from "./program.ts";
import { isAnchored, judge } from "./safety.ts";
import { firstCharsOf, type Gate, gateOf, mayMatch } from "./gate.ts";

/** Finds the first match of one pattern. Keeps nothing in mind from one text to the next. */
export interface PatternRunner {
  exec(text: string): RegExpExecArray | null;
}

/** Who runs a pattern. */
export interface RunPlan {
  /** The longest text that V8 is given, in UTF-16 units: Infinity where it is linear, 0 where it may be exponential. */
  readonly v8UpTo: number;
  /** Why nothing but V8 can run it. */
  readonly v8Only: NotLinear | undefined;
  /** The longest text of which the linear engine sees the whole, in UTF-16 units. */
  readonly linearUpTo: number;
}

/** Of a text so much is looked at unless the dispatcher is told otherwise, in UTF-16 units. */
export const MAX_TEXT = 2 ** 20;
/** About how many steps V8 may take for one text, two to the power of this: a millisecond or so. */
const STEPS = 20;

/** How often the linear engine may take a step of the pattern for one text: about a second. */
const MOST_TURNS = 2 ** 26;

/** Decides by its syntax who runs a pattern. */
export function planFor(pattern: RegExp): RunPlan {
  return planOf(pattern).plan;
}

/** Decides with its first text who runs the pattern: most patterns of many never get one. */
export class LazyRunner implements PatternRunner {
  readonly #pattern: RegExp;
  readonly #trusted: boolean;
  #runner: PatternRunner | undefined;
  #gate: Gate | undefined;

  /** @param trusted Whether V8 runs it whatever it costs. */
  constructor(pattern: RegExp, trusted: boolean) {
    this.#pattern = pattern;
    this.#trusted = trusted;
  }

  exec(text: string): RegExpExecArray | null {
    this.#runner ??= decide(this.#pattern, this.#trusted);
    this.#gate ??= gateOf(parsePattern(this.#pattern));
    return mayMatch(this.#gate, text) ? this.#runner.exec(text) : null;
  }
}

function decide(pattern: RegExp, trusted: boolean): PatternRunner {
  const regExp = ownCopy(pattern);
  if (trusted) return regExp;
  const { plan, engine } = planOf(pattern);
  if (plan.v8UpTo === Infinity || engine === undefined) return regExp;
  return {
    exec: (text) => {
      if (text.length <= plan.v8UpTo) return regExp.exec(text);
      return engine().exec(text.length <= plan.linearUpTo ? text : text.slice(0, plan.linearUpTo));
    },
  };
}

function planOf(pattern: RegExp): { readonly plan: RunPlan; readonly engine?: () => LinearEngine } {
  const syntax = parsePattern(pattern);
  const { power } = judge(syntax);
  const v8UpTo = power === 1 ? Infinity : Math.floor(2 ** (STEPS / power)) - (power === Infinity ? 1 : 0);
  if (power === 1) return { plan: { v8UpTo, v8Only: undefined, linearUpTo: Infinity } };
  try {
    const program = compile(syntax);
    const beginning = { anchored: isAnchored(syntax.root), first: firstCharsOf(syntax.root) };
    let engine: LinearEngine | undefined;
    return {
      plan: { v8UpTo, v8Only: undefined, linearUpTo: Math.floor(MOST_TURNS / program.steps.length) },
      engine: () => (engine ??= new LinearEngine(program, beginning)),
    };
  } catch (error) {
    if (error instanceof NotLinear) return { plan: { v8UpTo, v8Only: error, linearUpTo: 0 } };
    throw error;
  }
}

/** Patterns with `g` or `y` remember where they stopped, and the user's own object may be run by others meanwhile. */
function ownCopy(pattern: RegExp): RegExp {
  return new RegExp(pattern.source, pattern.flags.replace(/[dgy]/g, ""));
}
