import { expect, test } from "vitest";
import { cli, fixture } from "./program-runs.ts";

interface Row {
  readonly name: string;
  readonly kind: string;
  readonly trigger: string;
  readonly options: object;
  readonly site: string;
}

test("every handler is listed with what it fires on, its options and the line it is declared at", async () => {
  const { code, stdout, stderr } = await cli(["list", fixture("functions.ts"), "--json"]);
  expect([code, stderr]).toEqual([0, ""]);
  const { handlers } = JSON.parse(stdout) as { handlers: readonly Row[] };
  const facts = handlers.map(({ kind, name, trigger }) => `${kind} ${name}: ${trigger}`);
  expect(facts).toEqual([
    "event welcome: user.greeted",
    "event judge: user.greeted",
    "time cleanup: cron 0 3 * * * (Asia/Shanghai)",
    "time pulse: every 1m30s",
    "command say: /say <words...> [--loud]",
    "command secret: /secret",
    "command arguments: /arguments",
    "command broken: /broken",
    "pattern error_line: content /ERROR (?<what>.*)/",
    "pattern fatal_line: content /FATAL/",
  ]);
  expect(handlers[0]?.options).toEqual({ schema: true, retry: 3 });
  // The line as it is written, not as it was compiled.
  expect(handlers[0]?.site).toMatch(/fixtures\/functions\.ts:7:1$/);
});

test("for people it is a table, in which paths are short", async () => {
  const { code, stdout } = await cli(["list", "fixtures/functions.ts"], { cwd: import.meta.dirname });
  expect(code).toBe(0);
  const [headings = "", first = "", ...others] = stdout.trimEnd().split("\n");
  expect(headings).toMatch(/^KIND +NAME +FIRES ON +OPTIONS +DECLARED AT$/);
  expect(first).toMatch(
    /^event +welcome +user\.greeted +priority=1 schema retry=3 +fixtures\/functions\.ts:7:1$/,
  );
  expect(others).toHaveLength(9);
});

test("decorated methods of an exported app are listed, and nothing is started", async () => {
  const { code, stdout } = await cli(["list", fixture("accounts.ts"), "--json"], {
    env: { ENGINE_URL: "nothing:" },
  });
  expect(code).toBe(0);
  const { handlers } = JSON.parse(stdout) as { handlers: readonly Row[] };
  expect(handlers.map(({ name }) => name).toSorted()).toEqual(["Accounts.audit", "audited"]);
});
