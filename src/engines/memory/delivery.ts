import type { AttemptError, Claim, DeliveryInfo } from "../../engine.ts";
import type { Backlog } from "./backlog.ts";

/** What was published, once for all its subscriptions. */
export interface Message {
  readonly id: string;
  /** The order of publishing in the whole store. */
  readonly seq: number;
  readonly event: string;
  readonly payload: string;
  readonly headers: string | undefined;
  readonly priority: number;
  readonly key: string | undefined;
  readonly publishedAt: number;
  readonly due: number;
  readonly expires: number | undefined;
  readonly to: string | undefined;
}

/** Where a delivery is: `blocked` is behind another of its key. */
export type Place = "ready" | "waiting" | "blocked" | "running";

/** One message for one subscription. */
export class Delivery {
  /** Its place in the heap that holds it. */
  slot = -1;
  readonly message: Message;
  readonly backlog: Backlog;
  place: Place = "blocked";
  /** Not to be claimed before; moves with each retry. */
  due: number;
  attempt = 0;
  token = 0;
  holder: string | undefined = undefined;
  /** JSON of an object. */
  steps: string | undefined = undefined;
  /** JSON of an array. */
  errors: string | undefined = undefined;

  constructor(message: Message, backlog: Backlog) {
    this.message = message;
    this.backlog = backlog;
    this.due = message.due;
  }

  get handler(): string {
    return this.backlog.handler;
  }

  addError(error: AttemptError): void {
    const text = JSON.stringify(error);
    this.errors = this.errors === undefined ? `[${text}]` : `${this.errors.slice(0, -1)},${text}]`;
  }

  /** A step stored again comes later in the text, and the last one counts. */
  addStep(name: string, result: string): void {
    const text = `${JSON.stringify(name)}:${result}`;
    this.steps = this.steps === undefined ? `{${text}}` : `${this.steps.slice(0, -1)},${text}}`;
  }

  toClaim(): Claim {
    const { id, seq, event, payload, headers, priority, key, publishedAt, due, expires } = this.message;
    const { handler, token, attempt, steps, errors } = this;
    // prettier-ignore
    return { id, handler, seq, token, event, payload, headers, attempt, priority, key, publishedAt, due, expires, steps, errors };
  }

  toInfo(now: number): DeliveryInfo {
    const { id, event, payload, headers, priority, key, publishedAt, expires } = this.message;
    const { handler, attempt, due, holder, steps, errors } = this;
    const state = this.stateAt(now);
    // prettier-ignore
    return { id, handler, event, state, payload, headers, attempt, priority, key, publishedAt, due, expires, holder, steps, errors };
  }

  stateAt(now: number): DeliveryInfo["state"] {
    if (this.place === "running") return "running";
    return this.place !== "blocked" && this.due <= now ? "ready" : "waiting";
  }
}

/** Smaller priority first, then in the order published. */
export function byPriority(a: Delivery, b: Delivery): boolean {
  return (
    a.message.priority < b.message.priority || (a.message.priority === b.message.priority && bySeq(a, b))
  );
}

/** In the order published. */
export function bySeq(a: Delivery, b: Delivery): boolean {
  return a.message.seq < b.message.seq;
}

/** Due first; in the order published when due together. */
export function byDue(a: Delivery, b: Delivery): boolean {
  return a.due < b.due || (a.due === b.due && bySeq(a, b));
}
