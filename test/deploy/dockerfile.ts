/** One instruction of a Dockerfile, its continued lines joined: `{ name: "EXPOSE", value: "8080" }`. */
export interface Instruction {
  readonly name: string;
  readonly value: string;
}

/** The instructions of a Dockerfile in their order, comments left out. */
export function instructionsOf(dockerfile: string): Instruction[] {
  return dockerfile
    .replaceAll(/^\s*#.*\n/gm, "")
    .replaceAll(/\\\n/g, " ")
    .split("\n")
    .map((line) => /^(?<name>[A-Z]+)\s+(?<value>.+)$/.exec(line.trim())?.groups)
    .filter((groups) => groups !== undefined)
    .map(({ name = "", value = "" }) => ({ name, value }));
}

/** The instructions of the last stage: what the image itself is made of. */
export function lastStage(dockerfile: string): Instruction[] {
  const all = instructionsOf(dockerfile);
  return all.slice(all.findLastIndex(({ name }) => name === "FROM"));
}

/** The variables that the image sets. */
export function environmentOf(instructions: readonly Instruction[]): Record<string, string> {
  const pairs = instructions
    .filter(({ name }) => name === "ENV")
    .flatMap(({ value }) => value.split(/\s+/))
    .map((pair) => pair.split("=", 2));
  return Object.fromEntries(pairs.map(([name = "", value = ""]) => [name, value]));
}

/** What an exec-form `CMD [...]` runs, also behind the flags of a HEALTHCHECK. */
export function execForm(value: string): string[] {
  const parsed: unknown = JSON.parse(value.slice(value.indexOf("[")));
  if (!Array.isArray(parsed)) throw new Error(`not in exec form: ${value}`);
  return parsed.map(String);
}
