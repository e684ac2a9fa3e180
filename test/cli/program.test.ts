import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { version } from "../../src/version.ts";
import { createProgram } from "../../src/cli/program.ts";
import { cli, errorIn, fixture, shellWords, startCli } from "./program-runs.ts";

describe("help", () => {
  test("it lists the commands and the exit codes", async () => {
    const { code, stdout } = await cli(["--help"]);
    expect(code).toBe(0);
    for (const name of ["start", "dev", "list", "trigger", "publish", "command", "match", "config"]) {
      expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
    }
    for (const exit of ["0", "1", "2", "3", "4", "130"])
      expect(stdout).toMatch(new RegExp(`^  ${exit} +\\S`, "m"));
  });

  test("each command has a summary, a description and examples", async () => {
    for (const command of createProgram().commands) {
      let help = "";
      command.configureOutput({ writeOut: (text) => void (help += text) });
      command.outputHelp();
      expect(command.summary()).not.toBe("");
      expect(help).toContain(command.description().split("\n")[0]?.slice(0, 40));
      expect(help).toContain(`decorator-framework ${command.name()}`);
      expect(help).toContain("--json");
    }
  });

  test("no command at all: the help, as an error", async () => {
    const { code, stdout, stderr } = await cli([]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("Usage: decorator-framework");
  });

  test("the version", async () => {
    expect(await cli(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("what is printed", () => {
  test("may be read by somebody who has seen enough, the help too", async () => {
    for (const args of [["--help"], ["list", fixture("functions.ts")], ["nothing"]]) {
      const program = await startCli(args);
      program.child.stdout?.destroy(); // before anything is printed
      expect(await program.exit()).toBe(args[0] === "nothing" ? 2 : 0);
      expect(program.stderr).toBe(
        args[0] === "nothing" ? "error UNKNOWN_COMMAND: unknown command 'nothing'\n" : "",
      );
    }
  });

  test.skipIf(!existsSync("/dev/full"))("on a full disk (where there is /dev/full) is an error", async () => {
    for (const args of [["--help"], ["list", fixture("functions.ts")]]) {
      const words = shellWords(...args, "--json");
      const { code, stdout } = (await promisify(execFile)("sh", ["-c", `${words} 2>&1 >/dev/full`]).catch(
        (failed: { code: number; stdout: string }) => ({ code: failed.code, stdout: failed.stdout }),
      )) as { code: number; stdout: string };
      expect([code, errorIn({ code, stdout: "", stderr: stdout }).code]).toEqual([1, "OUTPUT_FAILED"]);
    }
  });
});

describe("wrong use ends with 2", () => {
  test("an unknown command", async () => {
    const { code, stdout, stderr } = await cli(["trigge", "x"]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toBe("error UNKNOWN_COMMAND: unknown command 'trigge'\n(Did you mean trigger?)\n");
  });

  test("an unknown option, as JSON", async () => {
    const ended = await cli(["list", fixture("functions.ts"), "--verbos", "--json"]);
    expect(ended.code).toBe(2);
    expect(errorIn(ended)).toEqual({
      code: "UNKNOWN_OPTION",
      message: "unknown option '--verbos'\n(Did you mean --verbose?)",
    });
  });

  test("missing arguments, and too many", async () => {
    const [none, noEvent, many] = await Promise.all([
      cli(["trigger", "--json"]),
      cli(["trigger", fixture("functions.ts"), "--json"]),
      cli(["trigger", fixture("functions.ts"), "a", "{", "}", "--json"]),
    ]);
    expect([none, noEvent, many].map(({ code }) => code)).toEqual([2, 2, 2]);
    expect([none, noEvent, many].map((ended) => errorIn(ended).code)).toEqual([
      "MISSING_ARGUMENT",
      "MISSING_ARGUMENT",
      "EXCESS_ARGUMENTS",
    ]);
    expect(errorIn(none).message).toContain("--url");
    expect(errorIn(noEvent).message).toContain("EVENT");
  });

  test("a file and --url", async () => {
    const ended = await cli([
      "trigger",
      fixture("functions.ts"),
      "a",
      "--url",
      "http://localhost:8080",
      "--json",
    ]);
    expect([ended.code, errorIn(ended).code]).toEqual([2, "EXCESS_ARGUMENTS"]);
    expect(errorIn(ended).message).toContain("starts no file");
  });
});
