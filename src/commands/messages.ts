import type { Problem } from "./bind.ts";

/** Every sentence that commands say. `command` is always the command as it is written: `/db migrate`. */
export interface Messages {
  unknown(command: string, alike: readonly string[]): string;
  /** The words lead to commands, but are none by themselves. */
  incomplete(command: string, commands: readonly string[]): string;
  invalid(problems: readonly string[], usage: string): string;
  problem(problem: Problem): string;
  denied(command: string, roles: readonly string[]): string;
  coolingDown(command: string, seconds: number): string;
  /** It was used `limit` times, which is as often as it may be. */
  tooOften(command: string, limit: number, seconds: number): string;
  /** Its uses cannot be counted now. */
  unavailable(command: string): string;
  /** `answer` is what has to be written: `/confirm 7F3K`. */
  confirm(command: string, answer: string, seconds: number): string;
  /** The token is wrong, used or too old. */
  nothingToConfirm(): string;
  /** `id` is the run's id in the log; nothing else of the failure is told. */
  failed(command: string, id: string): string;
  timedOut(command: string, id: string): string;
  cancelled(command: string): string;
  /** The line above a list of commands. */
  helpTitle(): string;
  /** The line below a list that was cut. */
  helpMore(left: number): string;
  /** How to learn more of one command; `help` is the help command itself: `/help`. */
  helpHint(help: string): string;
  noCommands(): string;
  usage(usage: string): string;
  aliases(words: readonly string[]): string;
  cooldown(length: string): string;
  rateLimit(limit: number, length: string): string;
}

const LONGEST_SHOWN = 60;

/** A text that came from outside as a reply may repeat it: in quotes, on one line, and not too long. */
export function shown(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
  return line.length <= LONGEST_SHOWN ? `"${line}"` : `"${cutAt(line, LONGEST_SHOWN)}…"`;
}

/** A sentence of somebody else's, without its full stop: ours follows. */
export function withoutEnd(sentence: string): string {
  return sentence.trim().replace(/[.。]+$/u, "");
}

/** Without leaving half a character behind. */
function cutAt(text: string, length: number): string {
  return text.slice(0, length).replace(/[\uD800-\uDBFF]$/, "");
}
