import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { cli, errorIn, fixture, startCli } from "./program-runs.ts";

const TOKEN = "a-token-of-the-tests";

test("a running app is asked for everything, by its address", async () => {
  const app = await startCli(["start", fixture("functions.ts")], { env: { ENGINE_URL: "memory:" } });
  const at = ["--url", await app.url(), "--json"];
  const [list, trigger, publish, command, match, lines] = await Promise.all([
    cli(["list", ...at]),
    cli(["trigger", ...at, "user.greeted", '{"name":"ann"}']),
    cli(["publish", ...at, "user.greeted", '{"name":"ann"}', "--key", "k", "--header", "tenant=acme"]),
    cli(["command", ...at, "/say", "hello world", "--loud", "--user", "ann"]),
    cli(["match", ...at, "ERROR disk full"]),
    cli(["match", ...at], { input: "fine\nERROR disk full\n" }),
  ]);
  expect([list, trigger, publish, command, match, lines].map(({ code, stderr }) => [code, stderr])).toEqual(
    Array(6).fill([0, ""]),
  );
  const { handlers } = JSON.parse(list.stdout) as { handlers: readonly object[] };
  expect(handlers).toHaveLength(10);
  expect(handlers[0]).toMatchObject({ name: "welcome", trigger: "user.greeted", options: { retry: 3 } });
  expect(JSON.parse(trigger.stdout)).toEqual({ results: ["hello ann", { length: 3 }] });
  expect(JSON.parse(publish.stdout)).toEqual({ id: expect.any(String) as string });
  expect(JSON.parse(command.stdout)).toMatchObject({ status: "ok", text: "ann: HELLO WORLD" });
  const results = [{ handler: "error_line", status: "ok", value: "seen: disk full" }];
  expect(JSON.parse(match.stdout)).toEqual({ results });
  expect(JSON.parse(lines.stdout)).toEqual({ content: "ERROR disk full", results });
});

test("what it refuses is told with its own code, and the exit codes are the same as with a file", async () => {
  const app = await startCli(["start", fixture("functions.ts")], { env: { ENGINE_URL: "memory:" } });
  const at = ["--url", await app.url(), "--json"];
  const ended = await Promise.all([
    cli(["trigger", ...at, "user.greted", "{}"]),
    cli(["trigger", ...at, "user.greeted", '{"name":7}']),
    cli(["trigger", ...at, "user.greeted", '{"name":"nobody"}']),
    cli(["publish", ...at, "user.greted", "{}"]),
    cli(["command", ...at, "/sy"]),
    cli(["command", ...at, "/secret", "--role", "admin"]),
    cli(["match", ...at, "FATAL"]),
  ]);
  expect(ended.map((each) => [each.code, errorIn(each).code])).toEqual([
    [2, "EVENT_UNKNOWN"],
    [2, "PAYLOAD_INVALID"],
    [1, "HANDLERS_FAILED"],
    [2, "EVENT_UNKNOWN"],
    [2, "COMMAND_UNKNOWN"],
    [2, "ROLE_REFUSED"],
    [1, "HANDLERS_FAILED"],
  ]);
});

test("a token opens what is closed, from the option or the environment", async () => {
  const app = await startCli(["start", fixture("functions.ts")], {
    env: { ENGINE_URL: "memory:", API_TOKENS: TOKEN },
  });
  const args = ["command", "--url", await app.url(), "/say", "a"];
  const [none, wrong, option, variable] = await Promise.all([
    cli([...args, "--json"]),
    cli([...args, "--json", "--token", "another-token-altogether"]),
    cli([...args, "--token", TOKEN]),
    cli(args, { env: { API_TOKEN: `${TOKEN}\n` } }),
  ]);
  expect([none.code, wrong.code]).toEqual([4, 4]);
  expect(errorIn(none).message).toContain("API_TOKEN");
  expect([option.code, variable.code]).toEqual([0, 0]);
});

test("an app that is not there ends with 4, an address that is none with 2", async () => {
  const server = createServer((_request, response) => void response.end("<html>hello</html>"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo; // it listens on a port
  const [other, nobody, noUrl, query, slow] = await Promise.all([
    cli(["list", "--url", `http://127.0.0.1:${port}`, "--json"]),
    cli(["list", "--url", "http://127.0.0.1:9", "--json"]),
    cli(["list", "--url", "localhost:8080", "--json"]),
    cli(["list", "--url", "http://localhost:8080/?a=b", "--json"]),
    cli(["list", "--url", `http://127.0.0.1:${port}`, "--timeout", "soon", "--json"]),
  ]);
  expect([other, nobody, noUrl, query, slow].map((each) => [each.code, errorIn(each).code])).toEqual([
    [4, "NOT_AN_APP"],
    [4, "APP_UNREACHABLE"],
    [2, "URL_INVALID"],
    [2, "URL_INVALID"],
    [2, "DURATION_INVALID"],
  ]);
});

test("one that does not answer is waited for as long as one likes", async () => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo; // it listens on a port
  const ended = await cli(["list", "--url", `http://127.0.0.1:${port}`, "--timeout", "100ms", "--json"]);
  expect(ended.code).toBe(4);
  expect(errorIn(ended).message).toContain("--timeout");
});
