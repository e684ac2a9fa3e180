/*
 * The production example of the original guide, made real. `npm start` runs it:
 *
 *   npm start                                            follows its own log
 *   npm start -- --follow /var/log/auth.log              follows another one, from its end
 *   npm start -- --follow /var/log/auth.log --from-start or from its beginning; the next start goes on where this one stopped
 *
 * Then: curl localhost:8080/health, and see the requests in the README.
 */

import { parseArgs } from "node:util";
import { cached, commandOn, createApp, defineEvent, httpPool, on, timeOn } from "decorator-framework";
import type { HttpPool } from "decorator-framework";
import { z } from "zod";
import { tally } from "./production/log-watch.ts";

declare module "decorator-framework" {
  interface Services {
    http: HttpPool;
  }
}

// --- Events -----------------------------------------------------------------------------------------------------------

export const UserRegistered = defineEvent("user.registered", z.object({ email: z.email() }));
export const UserLogin = defineEvent(
  "user.login",
  z.object({ username: z.string().min(1), userId: z.string().optional() }),
);
export const UserAction = defineEvent("user.action", z.record(z.string(), z.unknown()));
export const BackupRequested = defineEvent(
  "backup.requested",
  z.object({ mode: z.enum(["full", "incremental"]) }),
);
export const PageRequested = defineEvent(
  "page.requested",
  z.object({ url: z.url({ protocol: /^https?$/ }) }),
);

on(UserRegistered).execute(async function welcome(user, ctx) {
  ctx.log.info({ email: user.email }, "user registered");
  return `welcome ${user.email}`;
});

on(UserLogin).execute(async function login(user, ctx) {
  ctx.log.info({ username: user.username }, "user logged in");
  return `welcome back, ${user.username}`;
});

on(UserAction).execute(async function trackUserAction(action, ctx) {
  ctx.log.info({ action }, "user action");
  return "recorded";
});

on(PageRequested, { timeout: "10s", retry: 3 }).execute(async function fetchPage({ url }, ctx) {
  const response = await ctx.services.http.fetch(url, { signal: ctx.signal });
  if (response.status >= 500) throw new Error(`${url} answered ${response.status}`);
  return { status: response.status, length: (await response.text()).length };
});

on(BackupRequested, { concurrency: 1, retry: { attempts: 3, delay: "2s" } }).execute(async function runBackup(
  { mode },
  ctx,
) {
  ctx.log.info({ mode }, "backup done");
  return `${mode} backup done`;
});

// What failed for good, whichever handler it was.
on("dead_letter").execute(async function reportFailure(
  failure: { id: string; handler: string; error?: string },
  ctx,
) {
  ctx.log.error(
    { failed: failure.id, by: failure.handler, because: failure.error },
    "a message is among the dead letters",
  );
});

// --- Timers -----------------------------------------------------------------------------------------------------------

timeOn("system_monitor", { every: "3s", priority: 1 }).execute(async (_, ctx) => {
  const { heapUsed, rss } = process.memoryUsage();
  ctx.log.debug({ heapUsed, rss, uptime: Math.round(process.uptime()) }, "system monitor: running normally");
  return "running normally";
});

timeOn("heartbeat", { every: "30s", scope: "instance" }).execute(async (tick, ctx) => {
  ctx.log.debug({ scheduled: tick.scheduled }, "heartbeat");
});

timeOn("hourly_backup", {
  cron: "0 * * * *",
  retry: { attempts: 3, delay: "2s", backoff: "linear" },
}).execute(async (_, ctx) => {
  await ctx.publish(BackupRequested, { mode: "incremental" });
});

// --- Commands ---------------------------------------------------------------------------------------------------------

commandOn("health_check", "/health", { description: "Whether the framework runs." }).execute(
  async () => "health check: everything is fine, the framework is running",
);

commandOn("backup", "/backup [mode:full|incremental]", { description: "Asks for a backup now." }).execute(
  async ({ mode = "incremental" }, ctx) =>
    `${mode} backup asked for: ${await ctx.publish(BackupRequested, { mode })}`,
);

commandOn("user_command", "/user <id> <action:show|ban|unban>", {
  description: "Does something with a user.",
  schema: z.object({
    id: z.string().regex(/^[a-zA-Z0-9_-]{3,}$/, "at least three letters, digits, _ or -"),
    action: z.enum(["show", "ban", "unban"]),
  }),
}).execute(async ({ id, action }) => `${action} ${id}: done`);

commandOn("api_call", "/api", {
  description: "May be used once a minute by each user.",
  cooldown: { per: "60s", scope: "user" },
}).execute(async () => "API call done");

const calculate = cached(async (key: string) => ({ key, calculatedAt: new Date().toISOString() }), {
  max: 128,
  ttl: "5m",
});

commandOn("cache", "/cache <key>", {
  description: "The result for a key, from the cache if it is there.",
}).execute(async ({ key }) => calculate(key));

commandOn("findings", "/findings", {
  description: "What the log watcher has found since the start.",
}).execute(async () => tally());

// --- The app ----------------------------------------------------------------------------------------------------------

const { values } = parseArgs({
  options: { follow: { type: "string", multiple: true }, "from-start": { type: "boolean", default: false } },
  strict: false,
});
const logDir = process.env["LOG_DIR"] ?? "logs";
const files = (values.follow as string[] | undefined) ?? [`${logDir}/app.log`];

export const app = createApp({
  // Its own log is a file unless the deployment says otherwise: it is what the watcher follows.
  env: { LOG_DIR: logDir, ...process.env },
  services: { http: httpPool({ connections: 100 }) },
  follow: files.map((file) => ({ file, fromStart: values["from-start"] === true })),
});
