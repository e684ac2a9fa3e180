import { text } from "node:stream/consumers";
import { parseJson } from "../http/json-text.ts";
import { HttpProblem } from "../http/problem.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-codes.ts";

/** How much of a long text is shown on either side of a mistake. */
const AROUND = 30;

/**
 * Reads a payload from the command line: JSON, `-` for JSON on standard input, or nothing for no payload.
 * @throws {CliError} `JSON_INVALID` with the place of the mistake, and how to write it.
 */
export async function jsonArgument(written: string | undefined): Promise<unknown> {
  if (written === undefined) return undefined;
  const json = written === "-" ? await text(process.stdin) : written;
  try {
    return parseJson(json);
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    throw new CliError(EXIT.usage, "JSON_INVALID", describe(json, error), { cause: error });
  }
}

/** The mistake, the line it stands in with a mark below it, and how to write it. */
function describe(json: string, { message, extras }: HttpProblem): string {
  const at = Number(extras["position"] ?? 0);
  const from = Math.max(json.lastIndexOf("\n", at - 1) + 1, at - AROUND);
  const shown = json.slice(from, at + AROUND).split("\n", 1)[0] ?? "";
  const lines = [message.replace("The body", "The payload")];
  if (shown !== "") lines.push(shown, `${" ".repeat(at - from)}^`);
  return [...lines, remedy(json.trim())].join("\n  ");
}

function remedy(json: string): string {
  const example = `'{"email":"ann@example.com"}'`;
  if (json === "") return `Leave the payload out for none, or write it like ${example}.`;
  if (/^[^"[{\d-]/.test(json)) {
    return `A text stands in double quotes inside of single ones: '${JSON.stringify(json)}'. An object: ${example}.`;
  }
  return `Names and texts stand in double quotes, and the whole in single ones, so that the shell leaves it alone: ${example}.`;
}
