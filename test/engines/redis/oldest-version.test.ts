import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { noBinary, PrivateServer } from "./private-server.ts";

const SOURCES = join(import.meta.dirname, "../../../src/engines/redis");
const OLDEST = 6.2;

/** The commands of the scripts, each with the words in capitals that stand as arguments beside it. */
function commandsOfScripts(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const file of readdirSync(SOURCES)) {
    const text = readFileSync(join(SOURCES, file), "utf8");
    for (const [, name = "", rest = ""] of text.matchAll(/\bcall\('([A-Z]+)'(.*)/g)) {
      const words = found.get(name) ?? new Set();
      for (const [, word = ""] of rest.matchAll(/, '([A-Z]+)'/g)) words.add(word);
      found.set(name, words);
    }
  }
  return found;
}

/** The server's answer is a list of names and values, which may be such lists. Answers the version in which each option came. */
function optionsOf(answer: unknown, came = "0", options = new Map<string, string>()): Map<string, string> {
  if (!Array.isArray(answer)) return options;
  const valueOf = (name: string): string | undefined =>
    answer.includes(name) ? String(answer[answer.indexOf(name) + 1]) : undefined;
  // A choice says it once for all that can be chosen.
  const since = valueOf("since") ?? came;
  const token = valueOf("token");
  if (token !== undefined) options.set(token, since);
  for (const part of answer) optionsOf(part, since, options);
  return options;
}

describe.skipIf(noBinary !== "")(`the oldest server that will do${noBinary}`, () => {
  test("has each command, and each option, that the scripts use", async () => {
    const server = await PrivateServer.start();
    onTestFinished(() => server.dispose());
    const used = commandsOfScripts();
    expect(used.size).toBeGreaterThan(30);
    const newer: string[] = [];
    for (const [name, words] of used) {
      const [, docs] = (await server.ask("command", "docs", name)) as [string, unknown[]]; // as Redis 7 answers
      const since = String(docs[docs.indexOf("since") + 1]);
      if (Number.parseFloat(since) > OLDEST) newer.push(`${name} ${since}`);
      const options = optionsOf(docs[docs.indexOf("arguments") + 1]);
      for (const word of words) {
        const came = options.get(word);
        if (came !== undefined && Number.parseFloat(came) > OLDEST) newer.push(`${name} ${word} ${came}`);
      }
    }
    expect(newer).toEqual([]);
  });
});
