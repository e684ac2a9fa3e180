import { expect, test } from "vitest";
import { cli, errorIn, fixture, startCli } from "./program-runs.ts";

const FUNCTIONS = fixture("functions.ts");
const SILENT = { env: { LOG_LEVEL: "silent" } };

test("a text: what the handlers of its patterns return", async () => {
  const [people, programs, none] = await Promise.all([
    cli(["match", FUNCTIONS, "12:00 ERROR disk full"]),
    cli(["match", FUNCTIONS, "12:00", "ERROR", "disk full", "--json"]),
    cli(["match", FUNCTIONS, "all is well"]),
  ]);
  expect(people).toEqual({ code: 0, stdout: "error_line: seen: disk full\n", stderr: "" });
  expect(JSON.parse(programs.stdout)).toEqual({
    results: [{ handler: "error_line", status: "ok", value: "seen: disk full" }],
  });
  expect(none).toEqual({ code: 0, stdout: "no pattern matches\n", stderr: "" });
});

test("the lines of standard input, with one line of JSON for each that matched", async () => {
  const input = "ERROR one\r\nall is well\nERROR two";
  const [json, dash] = await Promise.all([
    cli(["match", FUNCTIONS, "--json"], { input }),
    cli(["match", FUNCTIONS, "-"], { input }),
  ]);
  expect(
    json.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([
    { content: "ERROR one", results: [{ handler: "error_line", status: "ok", value: "seen: one" }] },
    { content: "ERROR two", results: [{ handler: "error_line", status: "ok", value: "seen: two" }] },
  ]);
  expect(dash.stdout).toBe("error_line: seen: one\nerror_line: seen: two\n");
});

test("a handler that fails ends it with 1, after all lines", async () => {
  const ended = await cli(["match", FUNCTIONS, "--json"], { input: "FATAL\nERROR last\n", ...SILENT });
  expect(ended.code).toBe(1);
  const [failed, last] = ended.stdout.split("\n");
  expect(JSON.parse(failed ?? "")).toMatchObject({
    results: [{ handler: "fatal_line", status: "failed", value: null, error: { message: "cannot cope" } }],
  });
  expect(last).toContain("seen: last");
  expect(errorIn(ended).code).toBe("HANDLERS_FAILED");
});

test("a reader that has seen enough (| head) is no error", async () => {
  const program = await startCli(["match", FUNCTIONS], SILENT);
  const { stdin, stdout } = program.child;
  // Writing into a program that has ended fails, which is what is meant here.
  stdin?.on("error", () => {});
  stdin?.write("ERROR first\n");
  await program.says(/seen: first/);
  stdout?.destroy();
  const lines = setInterval(() => stdin?.write("ERROR more\n"), 5);
  expect(await program.exit()).toBe(0);
  clearInterval(lines);
  expect(program.stderr).toBe("");
});
