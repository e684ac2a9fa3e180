import { strict as assert } from "node:assert";
import type { AttemptError, Claim, DeadReason, Engine, NewMessage, Settlement } from "../../engine.ts";

/*
 * What a worker does, in short words, so that a case reads as a story.
 */

/** A message that may be claimed at once. */
export function message(engine: Engine, event: string, fields: Partial<NewMessage> = {}): NewMessage {
  return { event, payload: "{}", priority: 100, due: engine.now(), ...fields };
}

/** Publishes one message and answers its id. */
export async function publish(
  engine: Engine,
  event: string,
  fields: Partial<NewMessage> = {},
): Promise<string> {
  const [published] = await engine.queue.publish([message(engine, event, fields)]);
  assert.ok(published, "publish answers once for each message");
  return published.id;
}

/** Publishes one message for each payload, in one call. */
export async function publishEach(
  engine: Engine,
  event: string,
  payloads: readonly string[],
  fields: Partial<NewMessage> = {},
): Promise<void> {
  await engine.queue.publish(payloads.map((payload) => message(engine, event, { ...fields, payload })));
}

/** Payloads `"0"`, `"1"`, … */
export function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}

/** Claims what is ready for one handler. */
export async function claim(engine: Engine, handler: string, limit = 1_000): Promise<readonly Claim[]> {
  return (await engine.queue.claim([{ handler, limit }])).claims;
}

/** Claims one, which must be there. */
export async function claimOne(engine: Engine, handler: string): Promise<Claim> {
  const [found] = await claim(engine, handler, 1);
  assert.ok(found, `a delivery is ready for "${handler}"`);
  return found;
}

/** The payloads of what is ready for one handler, which is claimed. */
export async function claimPayloads(engine: Engine, handler: string, limit?: number): Promise<string[]> {
  return (await claim(engine, handler, limit)).map(({ payload }) => payload);
}

/** Ends one attempt; answers whether it was still this engine's to settle. */
export async function settle(engine: Engine, settlement: Settlement): Promise<boolean> {
  const [settled] = await engine.queue.settle([settlement]);
  assert.ok(settled !== undefined, "settle answers once for each settlement");
  return settled;
}

export function done(engine: Engine, ended: Claim): Promise<boolean> {
  return settle(engine, { claim: ended, kind: "done" });
}

export function release(engine: Engine, ended: Claim): Promise<boolean> {
  return settle(engine, { claim: ended, kind: "release" });
}

export function snooze(engine: Engine, ended: Claim, wait: number): Promise<boolean> {
  return settle(engine, { claim: ended, kind: "snooze", at: engine.now() + wait });
}

/** Ends an attempt as failed; the next comes `wait` ms from now. */
export function retry(engine: Engine, ended: Claim, wait: number, text = "failed"): Promise<boolean> {
  return settle(engine, {
    claim: ended,
    kind: "retry",
    at: engine.now() + wait,
    error: failure(engine, ended, text),
  });
}

/** Ends an attempt as failed for good. */
export function bury(
  engine: Engine,
  ended: Claim,
  reason: DeadReason = "fatal",
  text = "dead",
): Promise<boolean> {
  return settle(engine, { claim: ended, kind: "dead", reason, error: failure(engine, ended, text) });
}

/** Publishes a message, claims it for its handler and lets it die. */
export async function die(
  engine: Engine,
  event: string,
  handler: string,
  fields: Partial<NewMessage> = {},
): Promise<string> {
  const id = await publish(engine, event, fields);
  await bury(engine, await claimOne(engine, handler));
  return id;
}

/** The messages of a history, oldest first. */
export function messagesOf(errors: string | undefined): string[] {
  return historyOf(errors).map((error) => error.message);
}

/** A history, read. */
export function historyOf(errors: string | undefined): AttemptError[] {
  // What the engine stored is what `failure` made, or the case fails on the comparison that follows.
  return JSON.parse(errors ?? "[]") as AttemptError[];
}

function failure(engine: Engine, { attempt }: Claim, text: string): AttemptError {
  return { attempt, at: engine.now(), name: "Error", message: text, code: "TEST", stack: `Error: ${text}` };
}
