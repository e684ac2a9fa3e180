import { DeclarationError } from "../errors.ts";
import type { CommandHandler } from "../handler.ts";
import { CommandWords, type WordNode } from "./command-words.ts";
import type { Command, CommandInfo } from "./command.ts";
import { skipBlanks, type Token, tokenize, withoutInvisible, wordEnd } from "./tokenize.ts";
import { prefixOf } from "./usage.ts";

/** A text that begins with a prefix in use, taken apart. */
export interface Found {
  /** The command that is meant, if there is one. */
  readonly command: Command | undefined;
  /** The first word. */
  readonly word: string;
  /** Where its words lead, though they may be no command by themselves. */
  readonly node: WordNode<Command> | undefined;
  /** All that stands behind the first word. */
  readonly tokens: readonly Token[];
  /** The first token that is no word of the command. */
  readonly from: number;
  readonly unclosed: string | undefined;
  /** What was written in place of `/`. */
  readonly prefix: string;
}

const DEFAULT_PREFIX = "/";
/** What is written to confirm a command. */
export const CONFIRM = "/confirm";
/** What Chinese and Japanese keyboards write for it. */
const FULL_WIDTH_SLASH = "／";

/** The commands there are, by their handlers, their words and their prefixes. */
export class CommandIndex {
  readonly #byHandler = new Map<CommandHandler, Command>();
  readonly #words = new CommandWords<Command>();
  /** How many commands use each prefix; the default one is always in use, by the built-in help. */
  readonly #prefixes = new Map<string, number>([[DEFAULT_PREFIX, 1]]);
  /** Those that may ask to be confirmed. */
  readonly #asking = new Set<Command>();

  /**
   * @throws {DeclarationError} `COMMAND_DUPLICATE` when its words or aliases are taken, `ALIAS_INVALID` when one of them is
   *   there twice; then nothing was added.
   */
  add(command: Command): void {
    const { calledBy } = command;
    for (const words of calledBy) {
      const other = this.#words.get(words);
      if (other) throw duplicate(words, other.handler, command.handler);
    }
    if (calledBy.length > 1) refuseTwice(command);
    this.#refuseConfirm(command);
    for (const words of calledBy) {
      this.#words.set(words, command);
      this.#countPrefix(words, 1);
    }
    this.#byHandler.set(command.handler, command);
    if (command.confirmation) this.#asking.add(command);
  }

  remove(handler: CommandHandler): void {
    const command = this.#byHandler.get(handler);
    if (!command) return;
    this.#byHandler.delete(handler);
    this.#asking.delete(command);
    for (const words of command.calledBy) {
      this.#words.delete(words);
      this.#countPrefix(words, -1);
    }
  }

  /** In order of declaration. */
  list(): CommandInfo[] {
    return Array.from(this.#byHandler.values(), ({ info }) => info);
  }

  /** Whether any command may ask to be confirmed. */
  get asks(): boolean {
    return this.#asking.size > 0;
  }

  /**
   * Takes a text apart; undefined when it does not begin with a prefix in use and a name.
   * @param prefixes What is written in place of `/`. @default that itself
   */
  find(text: string, prefixes?: readonly string[]): Found | undefined {
    const start = skipBlanks(text, 0);
    const end = wordEnd(text, start);
    let word = text.slice(start, end);
    let prefix = DEFAULT_PREFIX;
    if (prefixes) {
      const own = prefixIn(prefixes, word);
      if (own !== undefined) [word, prefix] = [DEFAULT_PREFIX + word.slice(own.length), own];
      else if (word.startsWith(DEFAULT_PREFIX)) return undefined;
    }
    let first = this.#words.first(word, false);
    if (!first) {
      word = withoutInvisible(word);
      if (word.startsWith(FULL_WIDTH_SLASH) && !prefixes) word = DEFAULT_PREFIX + word.slice(1);
      if (!this.#isCommand(word)) return undefined;
      first = this.#words.first(word, true);
    }
    const { tokens, unclosed } = tokenize(text, end);
    const node = first && this.#words.follow(first, tokens);
    return { command: node?.value, word, node, tokens, from: node ? node.depth - 1 : 0, unclosed, prefix };
  }

  /** The commands whose words begin with all of these, in any case. */
  beginningWith(word: string, tokens: readonly Token[]): CommandInfo[] {
    const first = this.#words.first(word, true);
    const node = first && this.#words.follow(first, tokens);
    if (!node || node.depth <= tokens.length) return [];
    return [...new Set(this.#words.below(node))].map(({ info }) => info);
  }

  /** What asks to be confirmed is confirmed by `/confirm`, which is then no word for another command. */
  #refuseConfirm(command: Command): void {
    if (!command.confirmation && !this.asks) return;
    const takes = command.calledBy.some((words) => words.length === 1 && words[0] === CONFIRM);
    const taker = takes ? command : this.#words.get([CONFIRM]);
    const asking = command.confirmation ? command : this.#asking.values().next().value;
    if (!taker || !asking) return;
    throw new DeclarationError(
      "COMMAND_DUPLICATE",
      `"${taker.name}" at ${taker.handler.site} is called by "${CONFIRM}", with which "${asking.name}" at ${asking.handler.site} is confirmed.\n` +
        `Give it another word, or take confirm away.`,
    );
  }

  #isCommand(word: string): boolean {
    const prefix = prefixOf(word);
    return prefix.length < word.length && this.#prefixes.has(prefix);
  }

  #countPrefix(words: readonly string[], by: 1 | -1): void {
    const prefix = prefixOf(words[0] ?? "");
    const uses = (this.#prefixes.get(prefix) ?? 0) + by;
    if (uses > 0) this.#prefixes.set(prefix, uses);
    else this.#prefixes.delete(prefix);
  }
}

/** The longest of the prefixes that a word begins with and does not end with. */
function prefixIn(prefixes: readonly string[], word: string): string | undefined {
  let longest: string | undefined;
  for (const prefix of prefixes) {
    if (word.length <= prefix.length || !word.startsWith(prefix)) continue;
    if (longest === undefined || prefix.length > longest.length) longest = prefix;
  }
  return longest;
}

function duplicate(
  words: readonly string[],
  first: CommandHandler,
  second: CommandHandler,
): DeclarationError {
  return new DeclarationError(
    "COMMAND_DUPLICATE",
    `Two handlers are called by "${words.join(" ")}".\n` +
      `  first:  "${first.name}" at ${first.site}\n  second: "${second.name}" at ${second.site}\n` +
      `Give one of them another word, or take the alias away.`,
  );
}

function refuseTwice({ name, calledBy }: Command): void {
  const written = calledBy.map((words) => words.join(" "));
  const twice = written.find((one, place) => written.indexOf(one) !== place);
  if (twice === undefined) return;
  throw new DeclarationError(
    "ALIAS_INVALID",
    `The command of "${name}" has "${twice}" twice. Take the alias away.`,
  );
}
