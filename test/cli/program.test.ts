import { describe, expect, test } from "vitest";
import { version } from "../../src/version.ts";
import { createProgram } from "../../src/cli/program.ts";
import { cli, errorIn, fixture } from "./program-runs.ts";

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
});
