/*
 * Patterns over a log: what is found is counted at once, and what matters is published as a durable alert, so that a
 * crash between the line and the mail to the administrator loses nothing.
 */

import { defineEvent, on, reOn } from "decorator-framework";
import type { PatternMatch } from "decorator-framework";
import { z } from "zod";

export const Alert = defineEvent(
  "security.alert",
  z.object({ kind: z.string(), address: z.string(), detail: z.string() }),
);

const counts = { failed_password: 0, invalid_user: 0, break_in_attempt: 0, error_line: 0 };
const alerts: string[] = [];

/** What has been found since the start. */
export function tally() {
  return { ...counts, alerts };
}

const ADDRESS = String.raw`(?<ip>[0-9a-fA-F.:]+)`;

// The colon before the text keeps out lines that only quote it: "message repeated 5 times: [ Failed password …". What is
// counted here and below are lines that report a failure of their own, as the ground truth of the test's log counts them.
reOn(
  "failed_password",
  "content",
  new RegExp(
    String.raw`\bsshd\[\d+\]: Failed password for (?:invalid user )?.{0,256} from ${ADDRESS} port \d+`,
  ),
).execute(() => void counts.failed_password++);

reOn(
  "invalid_user",
  "content",
  new RegExp(String.raw`\bsshd\[\d+\]: Invalid user .{0,256} from ${ADDRESS}`),
).execute(() => void counts.invalid_user++);

reOn(
  "break_in_attempt",
  "content",
  new RegExp(String.raw`\[${ADDRESS}\] failed - POSSIBLE BREAK-IN ATTEMPT!`),
).execute(() => void counts.break_in_attempt++);

reOn("error_line", "content", /"level":"(?:error|fatal)"|\bERROR\b/).execute((match) => {
  counts.error_line++;
  return `error number ${counts.error_line}: ${match.message["content"]?.slice(0, 80)}`;
});

// One alert for each address with more than five failures: the threshold fires at the sixth, the dedupe key keeps the
// same address quiet for a day, also after a restart.
reOn(
  "password_guessing",
  "content",
  new RegExp(String.raw`\bsshd\[\d+\]: Failed password for .{0,270} from ${ADDRESS} port`),
  {
    threshold: { count: 6, within: "1h", by: (match) => match.groups["ip"] },
  },
).execute(async (match: PatternMatch, ctx) => {
  const address = match.groups["ip"] ?? "unknown";
  await ctx.publish(
    Alert,
    { kind: "password_guessing", address, detail: "more than 5 failed passwords" },
    { dedupe: { key: `password_guessing:${address}`, within: "1d" } },
  );
});

on(Alert, { retry: { attempts: 5, delay: "1s" } }).execute(async function raiseAlert(alert, ctx) {
  alerts.push(alert.address);
  ctx.log.warn({ kind: alert.kind, address: alert.address, detail: alert.detail }, "ALERT");
});
