import { expect, test } from "vitest";
import { cli, errorIn, fixture } from "./program-runs.ts";

const FUNCTIONS = fixture("functions.ts");

test("words keep the quotes that the shell has taken off, and unknown options are the command's", async () => {
  const [words, whole, dashes] = await Promise.all([
    cli(["command", FUNCTIONS, "/say", "hello world", "it's", "--loud", "--user", "ann"]),
    cli(["command", "--json", FUNCTIONS, '/say "hello world" --loud']),
    cli(["command", FUNCTIONS, "--", "/say", "a", "--", "--json"]),
  ]);
  expect(words).toEqual({ code: 0, stdout: "ann: HELLO WORLD|IT'S\n", stderr: "" });
  expect(JSON.parse(whole.stdout)).toEqual({
    status: "ok",
    text: "somebody: HELLO WORLD",
    data: "somebody: HELLO WORLD",
    command: "say",
  });
  expect(dashes.stdout).toBe("somebody: a|--json\n");
});

test("without --locale it answers in the language of LOCALE", async () => {
  const [chinese, english] = await Promise.all([
    cli(["command", FUNCTIONS, "/sy", "--json"], { env: { LOCALE: "zh" } }),
    cli(["command", FUNCTIONS, "/sy", "--json", "--locale", "en"], { env: { LOCALE: "zh" } }),
  ]);
  expect(JSON.parse(chinese.stdout)).toMatchObject({ text: expect.stringContaining("没有命令") });
  expect(JSON.parse(english.stdout)).toMatchObject({ text: expect.stringContaining("There is no command") });
});

test("help is generated", async () => {
  const { code, stdout } = await cli(["command", FUNCTIONS, "/help"]);
  expect(code).toBe(0);
  expect(stdout).toContain("/say");
  expect(stdout).toContain("Says it.");
});

test("roles are those that are given", async () => {
  const [without, with_] = await Promise.all([
    cli(["command", FUNCTIONS, "/secret", "--json"]),
    cli(["command", FUNCTIONS, "/secret", "--role", "guest", "--role", "admin"]),
  ]);
  expect(without.code).toBe(1);
  expect(JSON.parse(without.stdout)).toMatchObject({ status: "denied" });
  expect(errorIn(without).code).toBe("COMMAND_DENIED");
  expect(with_).toEqual({ code: 0, stdout: "the secret\n", stderr: "" });
});

test("what is wrongly written ends with 2, what fails with 1", async () => {
  const ended = await Promise.all([
    cli(["command", FUNCTIONS, "/sy", "hello", "--json"]),
    cli(["command", FUNCTIONS, "hello", "--json"]),
    cli(["command", FUNCTIONS, "/say", "--json"]),
    cli(["command", FUNCTIONS, "/broken", "--json"], { env: { LOG_LEVEL: "silent" } }),
  ]);
  expect(ended.map(({ code }) => code)).toEqual([2, 2, 2, 1]);
  expect(ended.map((each) => errorIn(each).code)).toEqual([
    "COMMAND_UNKNOWN",
    "NOT_A_COMMAND",
    "COMMAND_INVALID",
    "COMMAND_FAILED",
  ]);
  expect(errorIn(ended[0]).message).toContain("/say");
  expect(ended[3].stderr).not.toContain("it is broken");
});

test("the log goes to standard error, so that standard output has nothing but the reply", async () => {
  const { stdout, stderr } = await cli(["command", FUNCTIONS, "/broken"]);
  expect(stdout).toBe("");
  expect(stderr).toContain("it is broken");
});

test("the file does not see the program's own arguments", async () => {
  expect(await cli(["command", FUNCTIONS, "/arguments", "--user", "ann"])).toEqual({
    code: 0,
    stdout: "\n",
    stderr: "",
  });
});
