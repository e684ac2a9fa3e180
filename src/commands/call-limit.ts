import { toMs } from "../duration.ts";
import type { Limits } from "../engine.ts";
import { DeclarationError } from "../errors.ts";
import type { CommandCall, CommandOptions, CommandScope, CooldownOptions } from "../handler.ts";

const SCOPES: readonly unknown[] = ["global", "user", "channel"];
const WHEN_DOWN: readonly unknown[] = [undefined, "allow", "refuse"];

/** Where uses are counted. */
export type UseCounter = Pick<Limits, "take" | "giveBack">;

/** How often a command may be used in a time. A cooldown is one use in its length. */
export interface CallLimit {
  readonly kind: "cooldown" | "rateLimit";
  readonly limit: number;
  /** Milliseconds. */
  readonly window: number;
  readonly whenDown: "allow" | "refuse";
  readonly keyOf: (call: CommandCall) => string;
}

/** Why a call may not go ahead now. */
export interface Refusal {
  readonly by: CallLimit;
  /** Milliseconds until it may. */
  readonly wait: number;
}

/**
 * The limits that a command declares, in the order in which they are asked.
 *
 * @param name The handler's name, of which the counters' keys are made.
 * @param what The declaration, for the error's text.
 * @throws {DeclarationError} `COOLDOWN_INVALID`, `RATE_LIMIT_INVALID`, `DURATION_INVALID`.
 */
export function callLimits(
  name: string,
  { cooldown, rateLimit }: CommandOptions,
  what = `"${name}"`,
): readonly CallLimit[] {
  if (cooldown === undefined && rateLimit === undefined) return NONE;
  const limits: CallLimit[] = [];
  if (cooldown !== undefined) {
    const options = typeof cooldown === "object" && cooldown !== null ? cooldown : { per: cooldown };
    limits.push(limitOf("cooldown", name, `cooldown of ${what}`, { ...options, limit: 1 }));
  }
  if (rateLimit !== undefined) {
    const about = `rateLimit of ${what}`;
    if (!Number.isSafeInteger(rateLimit?.limit) || rateLimit.limit < 1) {
      throw new DeclarationError(
        "RATE_LIMIT_INVALID",
        `${about}: limit is a whole number of at least 1. Write { limit: 5, per: "1m" }.`,
      );
    }
    limits.push(limitOf("rateLimit", name, about, rateLimit));
  }
  return limits;
}

const NONE: readonly CallLimit[] = [];

function limitOf(
  kind: CallLimit["kind"],
  name: string,
  what: string,
  options: CooldownOptions & { readonly limit: number },
): CallLimit {
  const code = kind === "cooldown" ? "COOLDOWN_INVALID" : "RATE_LIMIT_INVALID";
  const { limit, per, scope, by, whenDown = "refuse" } = options;
  if (scope !== undefined && !SCOPES.includes(scope)) {
    throw new DeclarationError(
      code,
      `${what}: scope is "global", "user" or "channel", not ${JSON.stringify(scope)}.`,
    );
  }
  if (by !== undefined && typeof by !== "function") {
    throw new DeclarationError(code, `${what}: by is a function, such as (call) => call.user ?? "".`);
  }
  if (!WHEN_DOWN.includes(options.whenDown)) {
    throw new DeclarationError(
      code,
      `${what}: whenDown is "allow" or "refuse", not ${JSON.stringify(whenDown)}.`,
    );
  }
  const own = by ?? scopeKey(scope ?? "global");
  // Encoded, so that no user's name makes the key of another command.
  const prefix = `${kind === "cooldown" ? "cooldown" : "calls"}:${encodeURIComponent(name)}:`;
  return { kind, limit, window: toMs(per, what), whenDown, keyOf: (call) => prefix + own(call) };
}

/** Who does not say who he is counts as the one anonymous user. */
function scopeKey(scope: CommandScope): (call: CommandCall) => string {
  if (scope === "global") return () => "";
  return scope === "user" ? ({ user = "" }) => user : ({ channel = "" }) => channel;
}

/**
 * Counts one use against all limits, or against none: what an earlier one has counted is given back when a later one
 * refuses. Undefined when the call may go ahead.
 *
 * @param down Told when a limit could not be asked.
 * @throws What the counter throws, where a limit that is down refuses.
 */
export async function takeAll(
  limits: readonly CallLimit[],
  counter: UseCounter,
  call: CommandCall,
  down: (limit: CallLimit, error: unknown) => void,
): Promise<Refusal | undefined> {
  const taken: string[] = [];
  try {
    for (const by of limits) {
      const wait = await take(by, counter, call, taken, down);
      if (wait > 0) {
        await giveBack(counter, taken);
        return { by, wait };
      }
    }
    return undefined;
  } catch (error) {
    // What cannot be given back now runs out by itself.
    await giveBack(counter, taken).catch(() => {});
    throw error;
  }
}

/** Milliseconds to wait; 0 when the use was counted, or the limit is down and lets calls through. */
async function take(
  by: CallLimit,
  counter: UseCounter,
  call: CommandCall,
  taken: string[],
  down: (limit: CallLimit, error: unknown) => void,
): Promise<number> {
  const key = by.keyOf(call);
  try {
    const { ok, retryAfter } = await counter.take(key, by.limit, by.window);
    if (!ok) return Math.max(1, Math.ceil(retryAfter));
    taken.push(key);
    return 0;
  } catch (error) {
    down(by, error);
    if (by.whenDown === "refuse") throw error;
    return 0;
  }
}

async function giveBack(counter: UseCounter, keys: readonly string[]): Promise<void> {
  for (const key of keys) await counter.giveBack(key);
}
