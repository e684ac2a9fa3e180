import { writeSync } from "node:fs";

/**
 * Writes a line to the standard output: `began N ATTEMPT`, `ended N ATTEMPT`, `aborted N CODE`, … Before it stands the
 * moment, by the clock that all processes of the machine share. It is written before the next line of code runs, which
 * may end the process.
 */
export function tell(...words: readonly unknown[]): void {
  writeSync(1, `${process.hrtime.bigint()} ${words.join(" ")}\n`);
}

/** What to say of an error. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
