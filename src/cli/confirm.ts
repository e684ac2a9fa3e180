import { createInterface } from "node:readline/promises";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-codes.ts";

/** Where a question is asked. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

const HERE: Terminal = { input: process.stdin, output: process.stderr };

/**
 * Refuses what cannot be undone when there is nobody to ask; to be called before anything is loaded.
 * @param yes Whether `--yes` was given.
 * @throws {CliError} `CONFIRMATION_NEEDED`.
 */
export function needConfirmation(yes: boolean, { input, output }: Terminal = HERE): void {
  if (yes || (input.isTTY && output.isTTY)) return;
  throw new CliError(
    EXIT.usage,
    "CONFIRMATION_NEEDED",
    "This cannot be undone, and there is no terminal to ask on. Give --yes to do it.",
  );
}

/**
 * Asks whether something that cannot be undone shall be done, unless `--yes` was given.
 * @param what What will be done, as a sentence without its mark: `Discard 3 dead letters`.
 * @throws {CliError} `NOT_CONFIRMED` for every answer but yes.
 */
export async function confirm(what: string, yes: boolean, terminal: Terminal = HERE): Promise<void> {
  if (yes) return;
  needConfirmation(yes, terminal);
  const reader = createInterface(terminal);
  const closed = new Promise<string>((resolve) => reader.once("close", () => resolve("")));
  const answer = await Promise.race([reader.question(`${what}? This cannot be undone. [y/N] `), closed]);
  reader.close();
  if (/^y(?:es)?$/i.test(answer.trim())) return;
  throw new CliError(EXIT.failed, "NOT_CONFIRMED", "Nothing was done.");
}
