import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-codes.ts";
import { type Output, paint } from "./output.ts";

/** Prints columns of equal length below their names. */
export async function tableOf(
  output: Output,
  columns: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  const names = Object.keys(columns);
  const all = Object.values(columns);
  const rows = (all[0] ?? []).map((_, at) => all.map((column) => column[at] || "-"));
  await output.table(
    names.map((name) => name.toUpperCase()),
    rows,
  );
}

/** Says in passing what a table does not. */
export function noRows(output: Output, text: string): Promise<void> {
  return output.line(paint("dim", text));
}

/** A whole number from the command line. @throws {CliError} `NUMBER_INVALID`. */
export function numberOf(option: string, written = "", most = 999_999_999): number {
  if (/^[1-9]\d{0,8}$/.test(written) && Number(written) <= most) return Number(written);
  throw new CliError(
    EXIT.usage,
    "NUMBER_INVALID",
    `${option} is ${JSON.stringify(written)}. It must be a whole number from 1 to ${most}.`,
  );
}
