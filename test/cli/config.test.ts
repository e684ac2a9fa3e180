import { expect, test } from "vitest";
import { cli, errorIn } from "./program-runs.ts";

const TOKEN = "0123456789abcdef0123";

test("what is in effect, where it comes from, and no secret", async () => {
  const env = { LOG_LEVEL: "debug", API_TOKENS: `${TOKEN}:read`, ENGINE_URL: "redis://me:hush@db" };
  const [people, programs] = await Promise.all([
    cli(["config"], { env }),
    cli(["config", "--json"], { env }),
  ]);
  expect([people.code, people.stderr]).toEqual([0, ""]);
  expect(people.stdout).toMatch(/^NAME +VALUE +SOURCE +ACCEPTED$/m);
  expect(people.stdout).toMatch(/^LOG_LEVEL +debug +env +trace, /m);
  expect(people.stdout).toMatch(/^LEASE +30s +default +/m);
  expect(people.stdout + programs.stdout).not.toMatch(/hush|0123456789abcdef/);
  const { config } = JSON.parse(programs.stdout) as { config: readonly object[] };
  expect(config).toContainEqual(
    expect.objectContaining({ name: "LOG_LEVEL", value: "debug", source: "env" }),
  );
});

test("all mistakes at once, and 3", async () => {
  const ended = await cli(["config", "--json"], { env: { PORT: "70000", LOG_FORMAT: "xml" } });
  expect([ended.code, ended.stdout]).toEqual([3, ""]);
  expect(errorIn(ended).code).toBe("CONFIG_INVALID");
  expect(errorIn(ended).message).toMatch(/PORT is "70000"/);
  expect(errorIn(ended).message).toMatch(/LOG_FORMAT is "xml"/);
});

test("names that are nearly ours are spoken of", async () => {
  const { code, stderr } = await cli(["config"], { env: { LOG_LEVLE: "debug" } });
  expect(code).toBe(0);
  expect(stderr).toContain("warning: LOG_LEVLE is set");
});
