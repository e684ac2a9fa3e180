import { formatMs } from "./duration.ts";

/** What is longer is cut in a cell of a table. */
const WIDEST = 60;
const DAY_MS = 86_400_000;

/** A length of time at a glance, in its largest unit: `3m`. */
export function roughly(ms: number): string {
  if (ms < 1_000) return "0s";
  return /^\d+[a-z]+/.exec(formatMs(ms >= DAY_MS ? ms : Math.floor(ms / 1_000) * 1_000))?.[0] ?? "";
}

/** How long ago a moment was, or how long it is still to come: `3m ago`, `in 2h`; `-` where there is none. */
export function ago(moment: number | undefined, now = Date.now()): string {
  if (moment === undefined) return "-";
  return moment > now ? `in ${roughly(moment - now)}` : `${roughly(now - moment)} ago`;
}

/** A moment in full, with its age. */
export function momentOf(moment: number, now = Date.now()): string {
  return `${new Date(moment).toISOString()} (${ago(moment, now)})`;
}

/** A text from elsewhere on one line of a table. */
export function cell(text: string | number | undefined): string {
  const line = harmless(String(text ?? ""))
    .replaceAll(/\s+/g, " ")
    .trim();
  if (line === "") return "-";
  return line.length > WIDEST ? `${line.slice(0, WIDEST - 1)}…` : line;
}

/** A text from elsewhere, without what would steer the terminal. */
export function harmless(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are the ones
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd");
}

/** `1 dead letter`, `2 dead letters`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
