import { appendFile, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "decorator-framework";
import { createTestApp } from "decorator-framework/testing";
import { expect, onTestFinished, test } from "vitest";
import { Alert } from "./log-monitoring.ts";

test("what a user does is logged and confirmed", async () => {
  const { log, lines } = recordingLog();
  await using t = await createTestApp({ log });
  expect(await t.trigger("user_action", { user: "alice" })).toEqual(["行为已记录"]);
  expect(lines).toContainEqual(["info", { action: { user: "alice" } }, '用户行为: {"user":"alice"}']);
});

test("one alert for a source that failed three times within a minute, and no other for an hour", async () => {
  await using t = await createTestApp();
  const fail = (source: string) => t.match(`2025-01-15 ERROR ${source}: refused`);
  await fail("db");
  await fail("web");
  await fail("db");
  await t.advance("61s");
  await fail("db"); // the first two are too old to count
  expect(t.published(Alert)).toEqual([]);
  await fail("db");
  await fail("db");
  await t.advance(0);
  expect(t.published(Alert)).toEqual([{ source: "db", text: "检测到错误: ERROR db: refused" }]);
  for (let again = 0; again < 3; again++) await fail("db");
  expect(t.published(Alert)).toHaveLength(1);
  await t.advance("1h");
  for (let again = 0; again < 3; again++) await fail("db");
  expect(t.published(Alert)).toHaveLength(2);
});

test("a file is followed from its start, across a rotation", async () => {
  const dir = await mkdtemp(join(tmpdir(), "guide-log-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = join(dir, "app.log");
  await using t = await createTestApp();
  await appendFile(file, "ERROR db: refused\nINFO web: ready\nERROR db: refused\n");
  const follower = await t.app.follow({ file, fromStart: true });
  await follower.caughtUp();
  expect(t.published(Alert)).toEqual([]);
  await rename(file, `${file}.1`);
  await appendFile(file, "ERROR db: refused\n");
  await follower.caughtUp();
  expect(t.published(Alert)).toEqual([{ source: "db", text: "检测到错误: ERROR db: refused" }]);
});

function recordingLog(): { log: Logger; lines: unknown[] } {
  const lines: unknown[] = [];
  const line = (level: string) => (fields: object, message?: string) =>
    void lines.push([level, fields, message]);
  const log: Logger = {
    trace: line("trace"),
    debug: line("debug"),
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
    fatal: line("fatal"),
    child: () => log,
  };
  return { log, lines };
}
