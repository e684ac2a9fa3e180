import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { ConsoleHistory } from "../../src/cli/console-history.ts";
import { temporaryFolder } from "./program-runs.ts";

test("sessions that run at the same time keep each other's lines", async () => {
  const file = join(await temporaryFolder(), "state", "history");
  const [one, two] = [new ConsoleHistory(file), new ConsoleHistory(file)];
  one.add("/first");
  two.add("/second");
  one.add("/third");
  one.add("/third");
  one.add(" /secret");
  one.add("");
  expect(one.lines).toEqual(["/third", "/first"]);
  expect(new ConsoleHistory(file).lines).toEqual(["/third", "/second", "/first"]);
});

test("the file does not grow without end", async () => {
  const file = join(await temporaryFolder(), "history");
  await writeFile(file, Array.from({ length: 2_500 }, (_, at) => `/line ${at}\n`).join(""));
  const { lines } = new ConsoleHistory(file);
  expect([lines.length, lines[0]]).toEqual([1_000, "/line 2499"]);
  expect((await readFile(file, "utf8")).trim().split("\n")).toHaveLength(1_000);
});

test("a place that cannot be written keeps nobody from working; a relative XDG_STATE_HOME counts as none", async () => {
  const file = join(await temporaryFolder(), "file");
  await writeFile(file, "");
  const history = new ConsoleHistory(join(file, "below", "history"));
  history.add("/here");
  expect(history.lines).toEqual(["/here"]);

  const home = await temporaryFolder();
  vi.stubEnv("XDG_STATE_HOME", "state").stubEnv("HOME", home);
  new ConsoleHistory().add("/home");
  vi.unstubAllEnvs();
  expect(await readFile(join(home, ".local/state/decorator-framework/console-history"), "utf8")).toBe(
    "/home\n",
  );
});
