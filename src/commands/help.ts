import { alike } from "../alike.ts";
import { formatMs } from "../duration.ts";
import type { CommandIndex, Found } from "./command-index.ts";
import type { CommandRun } from "./command-run.ts";
import { type CommandInfo, mayUse } from "./command.ts";
import type { Messages } from "./messages.ts";
import type { Reply } from "./reply.ts";
import type { Token } from "./tokenize.ts";
import { prefixOf } from "./usage.ts";

/** What fits a chat message. */
const MOST_LISTED = 50;
const MOST_MEANT = 3;
/** Looking for a likeness costs time for each command, and anybody may ask for it with a typing error. */
const MOST_COMPARED = 500;

/** Answers what is no command: `/help`, `/help COMMAND`, and words that are not known. Nobody is told of commands that are hidden, or not for him. */
export class Help {
  readonly #index: CommandIndex;

  constructor(index: CommandIndex) {
    this.#index = index;
  }

  answer(found: Found, run: CommandRun, messages: Messages): Reply {
    const { word, node, tokens } = found;
    const prefix = prefixOf(word);
    if (word.toLowerCase() === `${prefix}help`) return this.#help(prefix, word, tokens, run, messages);
    const below = node ? visible(this.#index.beginningWith(word, tokens), run) : [];
    const next = tokens[found.from];
    if (below.length > 0 && !next) {
      const words = below.slice(0, MOST_LISTED).map(({ command }) => command);
      return unknown(messages.incomplete(run.written(word), words));
    }
    if (!node || !next) return this.#unknown(word, run, messages);
    const words = textsOf(tokens.slice(0, found.from + 1));
    // Where the first words are those of commands, these are meant.
    const siblings = visible(this.#index.beginningWith(word, tokens.slice(0, found.from)), run);
    return this.#unknown([word, ...words].join(" "), run, messages, siblings);
  }

  #help(prefix: string, help: string, topic: readonly Token[], run: CommandRun, messages: Messages): Reply {
    const [first, ...others] = topic;
    if (!first) return list(visible(this.#index.list(), run), run.written(help), messages);
    const topicPrefix =
      run.prefix !== "/" && first.text.startsWith(run.prefix) ? run.prefix : prefixOf(first.text);
    const named = first.text.slice(topicPrefix.length);
    const word = topicPrefix === "" || topicPrefix === run.prefix ? prefix + named : first.text;
    const about = visible(this.#index.beginningWith(word, others), run);
    const [only] = about;
    if (!only) return this.#unknown([word, ...textsOf(others)].join(" "), run, messages);
    if (about.length > 1) return list(about, run.written(help), messages);
    return { status: "ok", text: helpOne(only, messages), data: only, command: "help" };
  }

  #unknown(
    written: string,
    run: CommandRun,
    messages: Messages,
    siblings: readonly CommandInfo[] = [],
  ): Reply {
    const shown = run.written(written);
    const meant = didYouMean(shown, visible(this.#index.list(), run));
    if (meant.length === 0) meant.push(...siblings.slice(0, MOST_MEANT).map(({ command }) => command));
    return unknown(messages.unknown(shown, meant));
  }
}

/** One command: its description, how to write it, its aliases and its limits. */
export function helpOne(command: CommandInfo, messages: Messages): string {
  const lines = [messages.usage(command.usage)];
  if (command.description) lines.unshift(`${command.command}: ${command.description}`);
  if (command.aliases.length > 0) lines.push(messages.aliases(command.aliases));
  if (command.cooldown) lines.push(messages.cooldown(formatMs(command.cooldown)));
  const rate = command.rateLimit;
  if (rate) lines.push(messages.rateLimit(rate.limit, formatMs(rate.per)));
  return lines.join("\n");
}

/** The commands that somebody who wrote `written` may have meant, the likeliest first. */
export function didYouMean(written: string, commands: readonly CommandInfo[]): string[] {
  const words = commands.flatMap(({ command, aliases }) => [command, ...aliases]);
  return alike(written, words.length <= MOST_COMPARED ? words : likely(written, words));
}

/** Among very many, those that begin the same and are about as long: a slip in the first letter is rare. */
function likely(written: string, words: readonly string[]): string[] {
  const start = written.slice(0, 2).toLowerCase();
  const whole = written.toLowerCase();
  const near = (word: string): boolean =>
    (Math.abs(word.length - written.length) <= 2 && word.slice(0, 2).toLowerCase() === start) ||
    word.toLowerCase().startsWith(whole);
  return words.filter(near).slice(0, MOST_COMPARED);
}

function list(commands: readonly CommandInfo[], help: string, messages: Messages): Reply {
  return { status: "ok", text: helpList(commands, help, messages), data: commands, command: "help" };
}

function helpList(commands: readonly CommandInfo[], help: string, messages: Messages): string {
  if (commands.length === 0) return messages.noCommands();
  const lines = commands
    .slice(0, MOST_LISTED)
    .map(({ usage, description }) => `  ${usage}${description ? `  ${description}` : ""}`);
  if (commands.length > MOST_LISTED) lines.push(`  ${messages.helpMore(commands.length - MOST_LISTED)}`);
  return [messages.helpTitle(), ...lines, messages.helpHint(help)].join("\n");
}

/** As this caller may see and write them. */
function visible(commands: readonly CommandInfo[], run: CommandRun): CommandInfo[] {
  const seen = commands.filter((info) => !info.hidden && mayUse(info, run));
  if (run.prefix === "/") return seen;
  return seen.map((info) => ({
    ...info,
    command: run.written(info.command),
    usage: run.written(info.usage),
    aliases: info.aliases.map((alias) => run.written(alias)),
  }));
}

function unknown(text: string): Reply {
  return { status: "unknown", text, data: undefined };
}

function textsOf(tokens: readonly Token[]): string[] {
  return tokens.map(({ text }) => text);
}
