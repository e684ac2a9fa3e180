import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newSchema, dropSchema, server as postgres, urlOf } from "../engines/postgres/server.ts";
import { fill, using } from "../transfer/filled-store.ts";
import { cli, startCli, temporaryFolder, until } from "./program-runs.ts";

/* What a person types and reads: backup, restore, migrate. */

async function filled(messages = 20): Promise<string> {
  const url = `sqlite:${join(await temporaryFolder(), "app.db")}`;
  await using(url, (engine) => fill(engine, messages));
  return url;
}

async function fresh(name = "new.db"): Promise<string> {
  return `sqlite:${join(await temporaryFolder(), name)}`;
}

test("a backup is written, and restored into another engine", async () => {
  const [from, to] = [await filled(), await fresh()];
  const file = join(await temporaryFolder(), "app.ndjson.gz");
  const written = await cli(["backup", file, "--engine", from]);
  expect([written.code, written.stderr]).toEqual([0, ""]);
  expect(written.stdout).toMatch(/3 subscriptions, \d+ deliveries, .* written to .*app\.ndjson\.gz/);
  const restored = await cli(["restore", file], { env: { ENGINE_URL: to } });
  expect(restored.stdout).toContain(`restored into ${to}`);
  const again = await cli(["restore", file, "--engine", to, "--json"]);
  expect([again.code, again.stdout]).toEqual([3, ""]);
  expect(again.stderr).toContain("ENGINE_NOT_EMPTY");
  const unasked = await cli(["restore", file, "--engine", to, "--replace"]);
  expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining("--yes")]);
  const replaced = await cli(["restore", file, "--engine", to, "--replace", "--yes", "--json"]);
  expect(JSON.parse(replaced.stdout)).toMatchObject({ location: to, records: { subscription: 3 } });
});

test("a backup of what is not there is refused, and makes nothing", async () => {
  const missing = await fresh("typo.db");
  const file = join(await temporaryFolder(), "app.gz");
  const { code, stderr } = await cli(["backup", file, "--engine", missing]);
  expect([code, stderr]).toEqual([3, expect.stringContaining("There is no file")]);
  expect([existsSync(file), existsSync(missing.slice(7))]).toEqual([false, false]);
});

test("a move says where to go on, is done once, and --undo opens what it broke off", async () => {
  const [from, to] = [await filled(), await fresh()];
  const neither = await cli(["migrate", "--from", from]);
  expect([neither.code, neither.stderr]).toEqual([2, expect.stringContaining("--undo")]);
  const open = await cli(["migrate", "--from", from, "--undo"]);
  expect([open.code, open.stderr]).toEqual([3, expect.stringContaining("ENGINE_OPEN")]);
  const moved = await cli(["migrate", "--from", from, "--to", to]);
  expect([moved.code, moved.stderr]).toEqual([0, ""]);
  expect(moved.stdout).toContain(`moved to ${to}; ${from} is sealed. Set ENGINE_URL`);
  for (const args of [["--to", await fresh()], ["--undo"]]) {
    const again = await cli(["migrate", "--from", from, ...args]);
    expect([again.code, again.stderr]).toEqual([3, expect.stringContaining(`has moved to ${to}`)]);
  }
});

test("Ctrl-C in the middle undoes what was begun", async () => {
  const [from, to] = [await filled(40_000), await fresh()];
  const program = await startCli(["migrate", "--from", from, "--to", to]);
  await until(
    () => using(from, async (engine) => ((await engine.transfer.sealed()) ? true : undefined)),
    () => "that the move has begun",
  );
  program.child.kill("SIGINT");
  expect([await program.exit(), program.stderr]).toEqual([1, expect.stringContaining("open again")]);
  await using(from, (engine) => engine.check());
  expect(await using(to, ({ transfer }) => transfer.isEmpty())).toBe(true);
}, 30_000);

test.skipIf(postgres.absent !== "")(`no password is printed${postgres.absent}`, async () => {
  const schema = newSchema();
  try {
    const to = urlOf(schema).replace("//", "//root:s3cret@").replace("root@", "");
    const from = await filled();
    const file = join(await temporaryFolder(), "app.gz");
    const runs = [
      await cli(["backup", file, "--engine", from]),
      await cli(["restore", file, "--engine", to]),
      await cli(["backup", file, "--engine", to]),
      await cli(["restore", file, "--engine", to, "--replace", "--yes"]),
      await cli(["migrate", "--from", to, "--to", await fresh()]),
      await cli(["migrate", "--from", to, "--undo"]),
    ];
    for (const { stdout, stderr } of runs) expect(stdout + stderr).not.toContain("s3cret");
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 3]);
  } finally {
    await dropSchema(schema);
  }
});
