import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { alive, cli, type Program, startCli, temporaryFolder, until } from "./program-runs.ts";

const APP =
  'import { on } from "decorator-framework"; import { word } from "./words/word.js";\non("say").execute(function say() { return word; });';
const word = (text: string) => `export const word: string = "${text}";`;

interface Project {
  readonly folder: string;
  readonly write: (name: string, text: string) => Promise<void>;
  readonly dev: () => Promise<Program>;
}

/** An app that imports a file from another folder. */
async function project(): Promise<Project> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "words"));
  const write = (name: string, text: string) => writeFile(join(folder, name), text);
  await write("app.ts", APP);
  await write("words/word.ts", word("one"));
  const dev = () => startCli(["dev", "app.ts"], { cwd: folder, env: { ENGINE_URL: "memory:" } });
  return { folder, write, dev };
}

/** Asks whichever app runs now, until it says the word. */
async function untilSaid(program: Program, expected: string): Promise<void> {
  await until(
    async () => {
      const url = [...program.stdout.matchAll(/^ready .* at (http:\S+),/gm)].at(-1)?.[1];
      const reply =
        url && (await fetch(`${url}/events/say?wait=true`, { method: "POST" }).catch(() => undefined));
      if (!reply) return undefined;
      const { results } = (await reply.json()) as { results?: unknown[] };
      return results?.[0] === expected || undefined;
    },
    () => `${expected}\n${program.stdout}\n${program.stderr}`,
  );
}

describe("dev", () => {
  test("a change of an imported file is seen, and Ctrl-C ends all", async () => {
    const { dev, write } = await project();
    const program = await dev();
    await untilSaid(program, "one");
    await write("words/word.ts", word("two"));
    await untilSaid(program, "two");
    expect(program.stdout).toContain("words/word.ts has changed");
    const pids = [...program.stdout.matchAll(/\(pid (\d+)\)/g)].map(([, pid]) => Number(pid));
    expect(pids).toHaveLength(2);
    program.child.kill("SIGINT");
    expect(await program.exit()).toBe(0);
    expect(pids.filter(alive)).toEqual([]);
  });

  test("after a crash it waits for a change, which may be the file that was missing", async () => {
    const { dev, write } = await project();
    await write("app.ts", APP.replace("./words/word.js", "./other.js"));
    const program = await dev();
    await program.says(/has crashed \(3\)\. It will be started by the next change/);
    expect(program.stderr).toContain("other.js");
    await write("other.ts", word("three"));
    await untilSaid(program, "three");
    await write("other.ts", "const = 3;");
    await program.says(/has crashed[^]*has crashed/);
    expect(program.stderr).toContain("other.ts:1:7");
    await write("other.ts", word("four"));
    await untilSaid(program, "four");
  });

  test("when dev itself is killed, its app does not stay behind", async () => {
    const { dev } = await project();
    const program = await dev();
    await untilSaid(program, "one");
    const pid = Number(/\(pid (\d+)\)/.exec(program.stdout)?.[1]);
    program.child.kill("SIGKILL");
    await until(
      () => !alive(pid) || undefined,
      () => `process ${pid} ends`,
    );
    expect(alive(pid)).toBe(false);
  });

  test("a file that is not there ends it with 3", async () => {
    const { code, stderr } = await cli(["dev", "nothing.ts"]);
    expect(code).toBe(3);
    expect(stderr).toContain("FILE_NOT_FOUND");
  });
});
