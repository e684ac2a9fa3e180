import { DeclarationError } from "./errors.ts";

type Unit = "ms" | "s" | "m" | "h" | "d";

/**
 * A length of time: milliseconds as a number, or text such as `"500ms"`, `"3s"`, `"5m"`, `"1h30m"`, `"1d"`.
 *
 * @example
 * const timeout: Duration = "1h30m";
 */
export type Duration = number | `${number}${Unit}` | `${number}${Unit}${number}${Unit}`;

const UNIT_MS: Record<Unit, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/**
 * Turns a duration into milliseconds.
 *
 * @param value The duration; numbers are milliseconds already.
 * @param what The name of the option, for the error's text.
 * @throws {DeclarationError} `DURATION_INVALID` when the text is not a duration or the number is negative or not finite.
 */
export function toMs(value: number | string, what = "duration"): number {
  // JavaScript may leave it out, or give anything.
  const ms = typeof value === "number" ? value : typeof value === "string" ? parse(value.trim()) : undefined;
  if (ms === undefined || !Number.isFinite(ms) || ms < 0) {
    throw new DeclarationError(
      "DURATION_INVALID",
      `${what}: ${JSON.stringify(value)} is not a duration. Write milliseconds as a number, or text such as "500ms", "3s", "5m" or "1h30m".`,
    );
  }
  return ms;
}

/** Writes milliseconds the way a person would: `1500` is `"1.5s"`, `5400000` is `"1h30m"`. */
export function formatMs(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  if (ms < 60_000) return `${Number((ms / 1_000).toFixed(1))}s`;
  let rest = Math.round(ms / 1_000) * 1_000;
  let text = "";
  for (const unit of ["d", "h", "m", "s"] as const) {
    const count = Math.floor(rest / UNIT_MS[unit]);
    rest -= count * UNIT_MS[unit];
    if (count > 0) text += `${count}${unit}`;
  }
  return text;
}

function parse(text: string): number | undefined {
  if (!WHOLE.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(PART)) total += Number(amount) * UNIT_MS[unit as Unit];
  return total;
}
