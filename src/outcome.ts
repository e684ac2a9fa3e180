import { type Duration, toMs } from "./duration.ts";

/** What a handler may return instead of a value to say what becomes of its message. See {@link snooze}, {@link cancel}. */
export class Outcome {
  readonly kind: "snooze" | "cancel";
  readonly wait: number;
  readonly reason: string;

  /** @internal Handlers use {@link snooze} and {@link cancel}. */
  constructor(kind: "snooze" | "cancel", wait: number, reason: string) {
    this.kind = kind;
    this.wait = wait;
    this.reason = reason;
  }
}

/**
 * Returned by a handler: not now, run me again after this long; no attempt is spent.
 * @example
 * on("report.requested").execute(() => snooze("5m"));
 */
export function snooze(wait: Duration): Outcome {
  return new Outcome("snooze", toMs(wait, "snooze"), "");
}

/**
 * Returned by a handler: the message has become pointless; it is done, and counted as cancelled, not as failed.
 * @example
 * on("mail.requested").execute(() => cancel("the user has unsubscribed"));
 */
export function cancel(reason: string): Outcome {
  return new Outcome("cancel", 0, reason);
}
