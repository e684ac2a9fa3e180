import { expect, test } from "vitest";
import { cli, errorIn, fixture } from "./program-runs.ts";

const FUNCTIONS = fixture("functions.ts");

test("it prints what the handlers return, in order of priority, and leaves no file behind but the engine's", async () => {
  const [people, programs] = await Promise.all([
    cli(["trigger", FUNCTIONS, "user.greeted", '{"name":"ann"}']),
    cli(["trigger", FUNCTIONS, "user.greeted", "-", "--json"], { input: '{"name":"ann"}' }),
  ]);
  expect(people).toEqual({ code: 0, stdout: 'hello ann\n{"length":3}\n', stderr: "" });
  expect(programs).toEqual({ code: 0, stdout: '{"results":["hello ann",{"length":3}]}\n', stderr: "" });
});

test("decorated methods run", async () => {
  const ended = await cli([
    "trigger",
    fixture("accounts.ts"),
    "user.registered",
    '{"email":"ann@example.com"}',
  ]);
  expect(ended).toEqual({ code: 0, stdout: "audited ann@example.com\n", stderr: "" });
});

test("a handler that fails: the others' results, the error, and 1", async () => {
  const ended = await cli(["trigger", FUNCTIONS, "user.greeted", '{"name":"nobody"}', "--json"], {
    env: { LOG_LEVEL: "silent" },
  });
  expect(ended.code).toBe(1);
  expect(ended.stdout).toBe('{"results":["hello nobody"]}\n');
  expect(errorIn(ended).code).toBe("HANDLERS_FAILED");
  expect(errorIn(ended).message).toContain("judge: nobody is not welcome");
});

test("wrong use ends with 2: an unknown event, a payload that does not fit, no JSON", async () => {
  const [unknown, misfit, noJson] = await Promise.all([
    cli(["trigger", FUNCTIONS, "user.greted", "{}", "--json"]),
    cli(["trigger", FUNCTIONS, "user.greeted", '{"name":7}', "--json"]),
    cli(["trigger", FUNCTIONS, "user.greeted", "ann", "--json"]),
  ]);
  expect([unknown, misfit, noJson].map(({ code, stdout }) => [code, stdout])).toEqual(Array(3).fill([2, ""]));
  expect(errorIn(unknown)).toMatchObject({ code: "EVENT_UNKNOWN" });
  expect(errorIn(unknown).message).toContain('Did you mean "user.greeted"?');
  expect(errorIn(misfit)).toMatchObject({ code: "PAYLOAD_INVALID" });
  expect(errorIn(misfit).message).toContain("name: ");
  expect(errorIn(noJson)).toMatchObject({ code: "JSON_INVALID" });
});

test("errors have no stack, unless it is asked for", async () => {
  const args = ["trigger", FUNCTIONS, "user.greeted", '{"name":7}'];
  const [plain, verbose] = await Promise.all([cli(args), cli([...args, "--verbose"])]);
  expect(plain.stderr).toMatch(/^error PAYLOAD_INVALID: /);
  expect(plain.stderr).not.toMatch(/^ +at /m);
  expect(verbose.stderr).toMatch(/^ +at /m);
});

test("what cannot start ends with 3", async () => {
  const args = ["trigger", FUNCTIONS, "user.greeted", '{"name":"ann"}', "--json"];
  const [engine, config] = await Promise.all([
    cli(args, { env: { ENGINE_URL: "oracle:db" } }),
    cli(args, { env: { LEASE: "soon", PORT: "x" } }),
  ]);
  expect([engine.code, config.code]).toEqual([3, 3]);
  expect(errorIn(engine)).toMatchObject({ code: "ENGINE_UNKNOWN" });
  expect(errorIn(config).message).toMatch(/PORT is "x".*LEASE is "soon"/s);
});
