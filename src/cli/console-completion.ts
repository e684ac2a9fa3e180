import type { CommandInfo } from "../commands/command.ts";

/** What completion needs to know of a command. */
export type Completable = Pick<CommandInfo, "command" | "aliases" | "usage">;

/**
 * What may follow in a line: words of commands and subcommands, flags, and the words of choices.
 *
 * @returns the ways to go on, and the part of the line that each of them replaces: as readline's completers do.
 */
export function complete(line: string, commands: readonly Completable[]): [string[], string] {
  const start = line.search(/\S/);
  if (start < 0) return [firstWords(commands, ""), ""];
  const words = line.slice(start).split(/\s+/);
  const last = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  if (before.length === 0) return [firstWords(commands, last), last];
  const found = new Set<string>();
  for (const each of commands)
    for (const written of [each.command, ...each.aliases]) {
      const own = written.split(" ");
      if (begins(before, own)) {
        const next = own[before.length];
        if (next !== undefined && next.toLowerCase().startsWith(last.toLowerCase())) found.add(`${next} `);
      }
      if (begins(own, before)) for (const hit of argumentsOf(each, last, before)) found.add(hit);
    }
  return [[...found].sort(), last];
}

function firstWords(commands: readonly Completable[], written: string): string[] {
  const words = commands.flatMap(({ command, aliases }) =>
    [command, ...aliases].map((each) => each.split(" ")[0] ?? ""),
  );
  const fitting = words.filter((word) => word.toLowerCase().startsWith(written.toLowerCase()));
  return [...new Set(fitting)].sort().map((word) => `${word} `);
}

/** Whether the longer list begins with all words of the shorter one. */
function begins(shorter: readonly string[], longer: readonly string[]): boolean {
  return (
    shorter.length <= longer.length &&
    shorter.every((word, at) => word.toLowerCase() === longer[at]?.toLowerCase())
  );
}

/** Flags that are not there yet, the values of a flag that has choices, and the words of an argument that has choices. */
function argumentsOf({ usage }: Completable, last: string, before: readonly string[]): string[] {
  const [, flag, written = ""] = /^(--[^=]+)=(.*)$/.exec(last) ?? [];
  if (flag !== undefined) {
    const [, choices = ""] = new RegExp(`\\[${escaped(flag)}=([^\\]]*\\|[^\\]]*)\\]`).exec(usage) ?? [];
    return choices
      .split("|")
      .filter((choice) => choice !== "" && choice.startsWith(written))
      .map((choice) => `${flag}=${choice} `);
  }
  const flags = [...usage.matchAll(/\[(--[^\]=]+)(=)?[^\]]*?(\.\.\.)?\]/g)]
    .filter(
      ([, name = "", , again]) =>
        again || !before.some((word) => word === name || word.startsWith(`${name}=`)),
    )
    .map(([, name = "", value]) => (value ? `${name}=` : `${name} `));
  const positional = [...usage.matchAll(/[<[](?!-)[^\]>:]+:([^\]>]*\|[^\]>]*)[\]>]/g)].flatMap(
    ([, choices = ""]) =>
      choices
        .replace("...", "")
        .split("|")
        .map((choice) => `${choice} `),
  );
  return [...flags, ...positional].filter((each) => each.startsWith(last));
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
