import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./deploy-files.ts";

/** Whether promtool can be run here. */
export const hasPromtool = spawnSync("promtool", ["--version"]).error === undefined;

/** Whether this run must not skip what needs a program from outside: so CI says. */
export const mustHave = process.env["REQUIRE_SERVERS"] === "1";

/** Runs promtool in the folder of the rules: its exit code and what it printed. */
export function promtool(...args: string[]): { code: number | null; text: string } {
  const { status, stdout, stderr, error } = spawnSync("promtool", args, {
    cwd: join(root, "deploy/prometheus"),
    encoding: "utf8",
  });
  if (error) throw new Error("promtool is not here: install Debian's package prometheus.", { cause: error });
  return { code: status, text: stdout + stderr };
}
