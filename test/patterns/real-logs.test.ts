import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import type { PatternMatch } from "../../src/handler.ts";
import { PatternDispatcher } from "../../src/patterns/pattern-dispatcher.ts";
import { HandlerRegistry } from "../../src/registry.ts";
import { patternHandler } from "./pattern-setup.ts";

/** The LogHub samples (github.com/logpai/loghub); each line's true kind is the EventId in the CSV beside the log. */
const folder = process.env.LOGHUB_DIR ?? resolve(import.meta.dirname, "../../../shared/data/loghub");
const log = join(folder, "OpenSSH_2k.log");
const truth = join(folder, "OpenSSH_2k.log_structured.csv");
const absent = !existsSync(log) || !existsSync(truth);
const where = absent ? " (skipped: set LOGHUB_DIR to the folder with the LogHub samples)" : "";

// Anchored to the program's name: the user's name is whatever an attacker likes to send.
const FAILED_PASSWORD =
  /^.{15} \S+ sshd\[\d+\]: (?:message repeated (?<times>\d+) times: \[ )?Failed password for (?<invalid>invalid user )?(?<user>.*) from (?<ip>\S+) port \d+/;
const INVALID_USER = /^.{15} \S+ sshd\[\d+\]: Invalid user (?<user>.*) from (?<ip>\S+)$/;
const BREAK_IN =
  /^.{15} \S+ sshd\[\d+\]: reverse mapping .* \[(?<ip>[^\]]+)\] failed - POSSIBLE BREAK-IN ATTEMPT!$/;

/** Which EventIds each handler is to find, and no others. */
const EVENTS: Record<string, readonly string[]> = {
  failed_password: ["E9", "E10", "E14"],
  invalid_user: ["E13"],
  break_in: ["E27"],
};

async function matchAll(fn?: (match: PatternMatch) => unknown) {
  const registry = new HandlerRegistry();
  registry.add(patternHandler("failed_password", FAILED_PASSWORD, fn ? { fn } : {}));
  registry.add(patternHandler("invalid_user", INVALID_USER));
  registry.add(patternHandler("break_in", BREAK_IN));
  const patterns = new PatternDispatcher({ registry });
  const lines = readFileSync(log, "utf8").split(/\r?\n/);
  const found: string[][] = [];
  for (const line of lines) found.push((await patterns.match(line)).map((result) => result.handler));
  patterns.close();
  return found;
}

describe.skipIf(absent)(`OpenSSH_2k.log${where}`, () => {
  test("each handler finds exactly the lines of its events", async () => {
    const found = await matchAll();
    const events = readFileSync(truth, "utf8").trim().split(/\r?\n/).slice(1).map(eventIdOf);
    expect(found).toHaveLength(events.length);
    const expected = events.map((id) => Object.keys(EVENTS).filter((name) => EVENTS[name]?.includes(id)));
    expect(found).toEqual(expected);
    const count = (name: string) => found.filter((names) => names.includes(name)).length;
    expect([count("failed_password"), count("invalid_user"), count("break_in")]).toEqual([520, 113, 85]);
  });

  test("the addresses with five failed passwords, and with more", async () => {
    const lines = new Map<string, number>();
    const failures = new Map<string, number>();
    await matchAll(({ groups: { ip = "", times } }) => {
      lines.set(ip, (lines.get(ip) ?? 0) + 1);
      failures.set(ip, (failures.get(ip) ?? 0) + Number(times || 1));
    });
    const over = (counts: Map<string, number>, least: number) =>
      [...counts]
        .filter(([, count]) => count >= least)
        .map(([ip]) => ip)
        .toSorted();
    expect(over(lines, 6)).toEqual([
      "103.99.0.122",
      "112.95.230.3",
      "119.4.203.64",
      "123.235.32.19",
      "183.62.140.253",
      "185.190.58.151",
      "187.141.143.180",
      "5.188.10.180",
    ]);
    expect(over(lines, 5)).toEqual([...over(lines, 6), "52.80.34.196", "60.2.12.12"].toSorted());
    // Two addresses pass five only when "message repeated 5 times" counts five times.
    expect(over(failures, 6)).toEqual([...over(lines, 6), "106.5.5.195", "5.36.59.76"].toSorted());
  });
});

/** The EventId comes before the template and after the content, which may hold quoted commas. */
function eventIdOf(row: string): string {
  const ids = row.match(/(?<=,)E\d+(?=,)/g);
  const id = ids?.at(-1);
  if (!id) throw new Error(`no EventId in ${row}`);
  return id;
}
