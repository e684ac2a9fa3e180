import type { Problem } from "./bind.ts";
import { type Messages, shown, withoutEnd } from "./messages.ts";
import type { ValueType } from "./value-types.ts";

/** What commands say in English, and to everybody whose language they do not know. */
export const english: Messages = {
  unknown: (command, alike) =>
    `There is no command ${shown(command)}.${alike.length > 0 ? ` Did you mean ${alike.join(" or ")}?` : ""}`,
  incomplete: (command, commands) =>
    `${command} alone does nothing. Write one of these: ${commands.join(", ")}.`,
  invalid: (problems, usage) => `${problems.join("\n")}\nUsage: ${usage}`,
  problem,
  denied: (command, roles) =>
    `You may not use ${command}: it needs the role ${roles.map((role) => `"${role}"`).join(" or ")}.`,
  coolingDown: (command, seconds) => `${command} was used a moment ago. Try again in ${seconds} s.`,
  tooOften: (command, limit, seconds) =>
    `${command} was used ${limit} times, which is as often as it may be. Try again in ${seconds} s.`,
  unavailable: (command) => `${command} cannot be used right now. Try again in a moment.`,
  confirm: (command, answer, seconds) =>
    `${command} needs your confirmation. Write ${answer} within ${seconds} s.`,
  nothingToConfirm: () => "There is nothing to confirm: the token is wrong, used or too old.",
  failed: (command, id) => `${command} failed. The log has the reason under the id ${id}.`,
  timedOut: (command, id) => `${command} took too long and was stopped. Its id in the log is ${id}.`,
  cancelled: (command) => `${command} was called off.`,
  helpTitle: () => "Commands:",
  helpMore: (left) => `… and ${left} more.`,
  helpHint: (help) => `Write "${help} COMMAND" to learn more about one of them.`,
  noCommands: () => "There are no commands that you may use.",
  usage: (usage) => `Usage: ${usage}`,
  aliases: (words) => `Also: ${words.join(", ")}`,
  cooldown: (length) => `May be used once in ${length}.`,
  rateLimit: (limit, length) => `May be used ${limit} times in ${length}.`,
};

function problem(it: Problem): string {
  switch (it.code) {
    case "missing":
      return `${it.argument} is missing: give ${wanted(it.type)}.`;
    case "misfit":
      return `${it.argument}: ${shown(it.given)} does not fit. ${it.why === undefined ? `Give ${wanted(it.type)}` : withoutEnd(it.why)}.`;
    case "too_many":
      return `${shown(it.given)} is one argument too many. Put quotes around an argument that has blanks in it.`;
    case "unknown_flag": {
      const hint = it.alike.length > 0 ? ` Did you mean ${it.alike.join(" or ")}?` : "";
      return `There is no flag ${shown(it.argument)}.${hint} Write "--" before arguments that begin with dashes.`;
    }
    case "flag_twice":
      return `${it.argument} is given twice. Give it once.`;
    case "flag_without_value":
      return `${it.argument} needs a value, such as ${it.argument}=${it.type.example}.`;
    case "unclosed_quote":
      return `The quote ${it.given} is not closed. Close it, or write \\${it.given} for the character itself.`;
    case "too_long":
      return `That is longer than the ${it.most} characters that a command may have.`;
    case "schema":
      return it.argument === "" ? it.message : `${it.argument}: ${it.message}`;
  }
}

const KINDS: Readonly<Record<string, string>> = {
  string: "a text",
  int: "a whole number",
  number: "a number",
  duration: "a length of time",
  date: "a date",
  json: "JSON",
  email: "an e-mail address",
  url: "a web address",
};

function wanted({ name, example, choices }: ValueType): string {
  if (choices) return choices.join(" or ");
  if (name === "string") return "a text";
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  return kind === undefined ? `a ${name}` : `${kind}, such as ${example}`;
}
