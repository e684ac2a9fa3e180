import { expect, test } from "vitest";
import { cli, errorIn, fixture, startCli, temporaryFolder } from "./program-runs.ts";

const ACCOUNTS = fixture("accounts.ts");
const EVENT = ["user.registered", '{"email":"ann@example.com"}'];

test("what is published is delivered by the app that runs on the same engine", async () => {
  const cwd = await temporaryFolder();
  const { code, stdout } = await cli(["publish", ACCOUNTS, ...EVENT], { cwd });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\S+\n$/);
  const app = await startCli(["start", ACCOUNTS], { cwd, env: { LOG_FORMAT: "json" } });
  const url = await app.url();
  const audited = async () => (await cli(["command", "--url", url, "/audited"])).stdout.trim();
  while ((await audited()) === "") expect(app.child.exitCode).toBeNull();
  expect(await audited()).toBe("ann@example.com");
});

test("options reach the engine: a second message with the same dedupe key is the first", async () => {
  const cwd = await temporaryFolder();
  const args = ["publish", ACCOUNTS, ...EVENT, "--json", "--delay", "1h", "--header", "tenant=acme"];
  const ids = [];
  for (const dedupe of ["one", "one", "two"]) {
    const { stdout } = await cli([...args, "--dedupe", dedupe, "--dedupe-within", "1h"], { cwd });
    ids.push((JSON.parse(stdout) as { id: string }).id);
  }
  expect(ids[1]).toBe(ids[0]);
  expect(ids[2]).not.toBe(ids[0]);
});

test("wrong options, events and payloads end with 2", async () => {
  const ended = await Promise.all([
    cli(["publish", ACCOUNTS, ...EVENT, "--delay", "soon", "--priority", "high", "--json"]),
    cli(["publish", ACCOUNTS, ...EVENT, "--header", "tenant", "--json"]),
    cli(["publish", ACCOUNTS, "user.registred", "{}", "--json"]),
    cli(["publish", ACCOUNTS, "user.registered", "{", "--json"]),
  ]);
  expect(ended.map(({ code }) => code)).toEqual([2, 2, 2, 2]);
  expect(ended.map((each) => errorIn(each).code)).toEqual([
    "OPTION_INVALID",
    "HEADER_INVALID",
    "EVENT_UNKNOWN",
    "JSON_INVALID",
  ]);
  const [options] = ended;
  expect(errorIn(options).message).toMatch(/delay is "soon".*priority is "high"/s);
});

test("an engine that would lose the event with the process is refused", async () => {
  const ended = await cli(["publish", ACCOUNTS, ...EVENT, "--json"], { env: { ENGINE_URL: "memory:" } });
  expect(ended.code).toBe(2);
  expect(errorIn(ended).code).toBe("ENGINE_NOT_SHARED");
});
