/*
 * The guide, 监控与告警 2: 日志监控, `track_user_action`; with the error detector of 核心功能 4 set on a log file.
 *
 *   node examples/guide/log-monitoring.ts [FILE]
 *
 * With a file it follows that one until Ctrl-C: what is added to it, across rotation. Without one it follows a file of its
 * own making, and ends.
 */

import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp, defineEvent, on, reOn } from "decorator-framework";
import { z } from "zod";

/** 跟踪用户行为 */
on("user_action").execute(async function trackUserAction(actionData: Record<string, unknown>, ctx) {
  ctx.log.info({ action: actionData }, `用户行为: ${JSON.stringify(actionData)}`);
  return "行为已记录";
});

export const Alert = defineEvent("log.alert", z.object({ source: z.string(), text: z.string() }));

/** Counts at once; fires when one source has failed three times within a minute, over all replicas. */
reOn("error_detector", "content", /ERROR (?<source>\w+):.*/, {
  threshold: { count: 3, within: "1m", by: (match) => match.groups.source },
}).execute(async (match, ctx) => {
  const { source = "" } = match.groups;
  // Published, not just logged: the alert survives a crash, is retried, and is sent once an hour at the most.
  await ctx.publish(
    Alert,
    { source, text: `检测到错误: ${match.text}` },
    { dedupe: { key: `alert:${source}`, within: "1h" } },
  );
});

on(Alert).execute(async function raiseAlert(alert, ctx) {
  ctx.log.warn({ source: alert.source }, alert.text);
});

if (import.meta.main) {
  const [file] = process.argv.slice(2);
  await (file === undefined ? demo() : watch(file));
}

async function watch(file: string): Promise<void> {
  const app = createApp({ engine: "memory:", follow: [file] });
  await app.start();
  process.once("SIGINT", () => void app.stop());
}

async function demo(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "guide-log-"));
  const file = join(dir, "app.log");
  const app = createApp({ engine: "memory:" });
  await app.start();
  console.log(await app.trigger("user_action", { user: "alice", page: "/orders" }));
  const follower = await app.follow({ file, fromStart: true });
  await appendFile(file, "INFO web: ready\nERROR db: refused\nERROR db: refused\nERROR db: refused\n");
  await follower.caughtUp();
  await app.stop();
  await rm(dir, { recursive: true });
}
