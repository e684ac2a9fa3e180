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
}

const DEFAULT_PREFIX = "/";

/** The commands there are, by their handlers, their words and their prefixes. */
export class CommandIndex {
  readonly #byHandler = new Map<CommandHandler, Command>();
  readonly #words = new CommandWords<Command>();
  /** How many commands use each prefix; the default one is always in use, by the built-in help. */
  readonly #prefixes = new Map<string, number>([[DEFAULT_PREFIX, 1]]);

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
    for (const words of calledBy) {
      this.#words.set(words, command);
      this.#countPrefix(words, 1);
    }
    this.#byHandler.set(command.handler, command);
  }

  remove(handler: CommandHandler): void {
    const command = this.#byHandler.get(handler);
    if (!command) return;
    this.#byHandler.delete(handler);
    for (const words of command.calledBy) {
      this.#words.delete(words);
      this.#countPrefix(words, -1);
    }
  }

  /** In order of declaration. */
  list(): CommandInfo[] {
    return Array.from(this.#byHandler.values(), ({ info }) => info);
  }

  /** Takes a text apart; undefined when it does not begin with a prefix in use and a name. */
  find(text: string): Found | undefined {
    const end = wordEnd(text, skipBlanks(text, 0));
    let word = text.slice(skipBlanks(text, 0), end);
    let first = this.#words.first(word, false);
    if (!first) {
      word = withoutInvisible(word);
      if (!this.#isCommand(word)) return undefined;
      first = this.#words.first(word, true);
    }
    const { tokens, unclosed } = tokenize(text, end);
    const node = first && this.#words.follow(first, tokens);
    return { command: node?.value, word, node, tokens, from: node ? node.depth - 1 : 0, unclosed };
  }

  /** The commands whose words begin with all of these, in any case. */
  beginningWith(word: string, tokens: readonly Token[]): CommandInfo[] {
    const first = this.#words.first(word, true);
    const node = first && this.#words.follow(first, tokens);
    if (!node || node.depth <= tokens.length) return [];
    return [...new Set(this.#words.below(node))].map(({ info }) => info);
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
