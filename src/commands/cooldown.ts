import { type Duration, toMs } from "../duration.ts";
import type { Limits } from "../engine.ts";
import { DeclarationError } from "../errors.ts";
import type { CommandCall, CooldownOptions } from "../handler.ts";

const SCOPES: readonly unknown[] = ["global", "user", "channel"];

/**
 * How soon a command may be used again; counted when the handler is about to run, and not taken back when it fails.
 */
export class Cooldown {
  readonly per: number;
  readonly #name: string;
  readonly #keyOf: (call: CommandCall) => string;

  /** @throws {DeclarationError} `COOLDOWN_INVALID`, `DURATION_INVALID`. */
  constructor(name: string, option: Duration | CooldownOptions) {
    const options = typeof option === "object" && option !== null ? option : { per: option };
    const what = `cooldown of "${name}"`;
    if (options.scope !== undefined && !SCOPES.includes(options.scope)) {
      const given = JSON.stringify(options.scope);
      throw new DeclarationError(
        "COOLDOWN_INVALID",
        `${what}: scope is "global", "user" or "channel", not ${given}.`,
      );
    }
    if (options.by !== undefined && typeof options.by !== "function") {
      throw new DeclarationError(
        "COOLDOWN_INVALID",
        `${what}: by is a function, such as (call) => call.user ?? "".`,
      );
    }
    this.per = toMs(options.per, what);
    this.#name = name;
    this.#keyOf = options.by ?? keyOf(options.scope ?? "global");
  }

  /** Counts a use if none was counted in the last `per` ms; answers how many milliseconds to wait, 0 to go ahead. */
  async take(limits: Pick<Limits, "take">, call: CommandCall): Promise<number> {
    const taken = await limits.take(`cooldown:${this.#name}:${this.#keyOf(call)}`, 1, this.per);
    return taken.ok ? 0 : Math.max(1, Math.ceil(taken.retryAfter));
  }
}

/** Who does not say who he is counts as the one anonymous user. */
function keyOf(scope: "global" | "user" | "channel"): (call: CommandCall) => string {
  if (scope === "global") return () => "";
  return scope === "user" ? ({ user = "" }) => user : ({ channel = "" }) => channel;
}
