import { join } from "node:path";
import { expect, test } from "vitest";
import { cli, errorIn, fixture, startCli, temporaryFolder } from "./program-runs.ts";

interface Problem {
  readonly kind: string;
  readonly name: string;
  readonly problem: string;
  readonly site?: string;
}

test("finds slow and risky patterns, declarations without effect, and what only the engine knows any more", async () => {
  const cwd = await temporaryFolder();
  const env = { ENGINE_URL: `sqlite:${join(cwd, "app.db")}` };
  await cli(["publish", fixture("unwell.ts"), "order.paid", "{}"], { cwd, env: { ...env, OLD: "1" } });
  const { code, stdout, stderr } = await cli(["doctor", fixture("unwell.ts"), "--json"], { cwd, env });
  expect(code).toBe(1);
  expect(stderr).toContain('"code":"PROBLEMS_FOUND"');
  const { problems } = JSON.parse(stdout) as { problems: readonly Problem[] };
  expect(problems.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    "pattern digits",
    "pattern nested",
    "pattern twice",
    'declaration on("order.paid")',
    "subscription gone",
    "subscription gone_task",
  ]);
  expect(problems[0]?.problem).toContain("tried on every text");
  expect(problems[0]?.site).toMatch(/unwell\.ts:3:1$/);
  expect(problems[1]?.problem).toContain("linear engine");
  expect(problems[2]?.problem).toContain("trusted");
  expect(problems[4]?.problem).toContain("1 message waits");
});

test("a running app says the same of itself; who may not read is not told", async () => {
  const cwd = await temporaryFolder();
  const env = { ENGINE_URL: `sqlite:${join(cwd, "app.db")}`, LOG_FORMAT: "pretty" };
  await cli(["publish", fixture("unwell.ts"), "order.paid", "{}"], { cwd, env: { ...env, OLD: "1" } });
  const API_TOKENS = "reader-0123456789:read,writer-0123456789:publish";
  const running = await startCli(["start", fixture("unwell.ts")], { cwd, env: { ...env, API_TOKENS } });
  const url = await running.url();
  const ask = (token: string) => cli(["doctor", "--url", url, "--token", token, "--json"], { cwd });
  const [asked, ofFile, refused] = await Promise.all([
    ask("reader-0123456789"),
    cli(["doctor", fixture("unwell.ts"), "--json"], { cwd, env }),
    ask("writer-0123456789"),
  ]);
  expect([asked.code, asked.stdout]).toEqual([1, ofFile.stdout]);
  expect(JSON.parse(asked.stdout)).toMatchObject({ problems: { length: 6 } });
  expect(asked.stderr).toContain('"code":"PROBLEMS_FOUND"');
  expect([refused.code, refused.stdout, errorIn(refused).code]).toEqual([4, "", "ROLE_MISSING"]);
});

test("an app without problems ends with 0", async () => {
  const { code, stdout } = await cli(["doctor", fixture("accounts.ts")], { env: { ENGINE_URL: "memory:" } });
  expect([code, stdout]).toEqual([0, "No problems.\n"]);
});

test("an engine that cannot be used is an error of the start", async () => {
  const { code, stderr } = await cli(["doctor", fixture("accounts.ts")], { env: { ENGINE_URL: "nothing:" } });
  expect(code).toBe(3);
  expect(stderr).toContain("error ");
});
