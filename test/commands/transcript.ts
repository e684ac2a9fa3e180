import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { CommandFrom } from "../../src/commands/command-run.ts";

export { declareTranscriptCommands } from "./transcript-commands.ts";

/*
 * Conversations as files, so that every front can be held to the same ones:
 *
 *   # a remark
 *   @ user=ann channel=ops locale=zh roles=op,admin     who speaks from here on
 *   > /user 5 ban                                        what he writes
 *   ok: banned 5                                         the reply: its status, and its text, line by line
 *   | second line of the text
 *
 * `{1}` in a reply stands for any word, and `{1}` in a later line that is written for the word it stood for.
 */

/** One text and the reply to it. */
export interface Exchange {
  readonly line: number;
  readonly from: CommandFrom;
  readonly text: string;
  readonly status: string;
  readonly reply: string;
}

/** What a front makes of a reply. */
export interface Answered {
  readonly status: string;
  readonly text: string;
}

/** Reads `test/commands/transcripts/NAME.txt`. */
export function readTranscript(name: string): Exchange[] {
  const lines = readFileSync(join(import.meta.dirname, "transcripts", `${name}.txt`), "utf8").split("\n");
  const exchanges: { line: number; from: CommandFrom; text: string; status: string; reply: string }[] = [];
  let from: CommandFrom = {};
  for (const [at, line] of lines.entries()) {
    const last = exchanges.at(-1);
    if (line.startsWith("@")) from = speaker(line.slice(1));
    else if (line.startsWith("> ")) {
      exchanges.push({ line: at + 1, from, text: unescaped(line.slice(2)), status: "", reply: "" });
    } else if (line.startsWith("| ") && last) last.reply += `\n${line.slice(2)}`;
    else if (line !== "" && !line.startsWith("#") && last) {
      const [, status = "", reply = ""] = /^(\w+):? ?(.*)$/.exec(line) ?? [];
      Object.assign(last, { status, reply: unescaped(reply) });
    }
  }
  return exchanges;
}

/** Says everything in a transcript and compares what comes back. */
export async function runTranscript(
  exchanges: readonly Exchange[],
  send: (text: string, from: CommandFrom) => Promise<Answered>,
): Promise<void> {
  const words = new Map<string, string>();
  for (const { line, from, text, status, reply } of exchanges) {
    const said = text.replace(/\{(\d)\}/g, (_, name: string) => words.get(name) ?? "");
    const answer = await send(said, from);
    const names = [...reply.matchAll(/\{(\d)\}/g)].map(([, name]) => name);
    const pattern = reply
      .split(/\{\d\}/)
      .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
      .join("(\\S+)");
    const found = new RegExp(`^${pattern}$`).exec(answer.text);
    // What does not fit is shown whole, with the line.
    const wanted = found ? answer.text : reply;
    expect({ line, said, status: answer.status, text: answer.text }).toEqual({
      line,
      said,
      status,
      text: wanted,
    });
    names.forEach((name, at) => words.set(name ?? "", found?.[at + 1] ?? ""));
  }
}

function speaker(line: string): CommandFrom {
  const fields = Object.fromEntries(
    line
      .trim()
      .split(/\s+/)
      .map((pair) => pair.split("=") as [string, string]),
  );
  const { user, channel, locale, roles } = fields;
  return { user, channel, locale, ...(roles !== undefined && { roles: roles.split(",") }) };
}

/** Escapes of what cannot be seen in a file: `\\u200b`. */
function unescaped(text: string): string {
  return text.replace(/\\u([0-9a-f]{4})/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}
