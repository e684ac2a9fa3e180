import type { DeadLetterView, DeliveryView } from "../operations.ts";
import { type Output, paint, showValue } from "./output.ts";
import { harmless, momentOf } from "../text-for-people.ts";

type Shown = DeliveryView | DeadLetterView;

/** The message of the last failure; empty where there was none. */
export function lastError({ errors }: Shown): string {
  return errors.at(-1)?.message ?? "";
}

/** Prints all that is known of a message: payload and headers once, then how it stands with each of its handlers. */
export async function showMessage(id: string, all: readonly Shown[], output: Output): Promise<void> {
  const [first] = all;
  if (!first) return;
  const { event, publishedAt, priority, key, payload, headers } = first;
  await section(output, "message", id);
  await facts(output, {
    event,
    published: momentOf(publishedAt),
    priority: priority === 0 ? undefined : String(priority),
    key,
  });
  await section(output, "payload", "");
  await block(output, JSON.stringify(payload, undefined, 2) ?? showValue(payload));
  if (Object.keys(headers).length > 0) {
    await section(output, "headers", "");
    await facts(output, headers);
  }
  for (const each of all) await showOne(each, output);
}

async function showOne(each: Shown, output: Output): Promise<void> {
  await output.line("");
  const name = each.handler === "" ? "nobody" : each.handler;
  await section(output, "for", name);
  if ("diedAt" in each) {
    await facts(output, { state: `dead: ${each.reason}`, died: momentOf(each.diedAt), ...attempts(each) });
  } else {
    await facts(output, {
      state: each.state,
      due: each.state === "waiting" ? momentOf(each.due) : undefined,
      expires: each.expires === undefined ? undefined : momentOf(each.expires),
      holder: each.holder,
      ...attempts(each),
    });
  }
  for (const [step, result] of Object.entries(each.steps)) {
    await section(output, "step", step);
    await block(output, JSON.stringify(result, undefined, 2) ?? showValue(result));
  }
  for (const { attempt, at, name: kind, message, stack } of each.errors) {
    await section(output, `attempt ${attempt}`, `failed ${momentOf(at)}`);
    await block(output, stack ?? `${kind}: ${message}`);
  }
}

function attempts({ attempt }: Shown): { readonly attempts: string | undefined } {
  return { attempts: attempt === 0 ? undefined : String(attempt) };
}

function section(output: Output, name: string, value: string): Promise<void> {
  return output.line(`${paint("bold", name)} ${harmless(value)}`.trimEnd());
}

async function facts(output: Output, all: Readonly<Record<string, string | undefined>>): Promise<void> {
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  const width = Math.max(...given.map(([name]) => name.length));
  for (const [name, value = ""] of given)
    await output.line(`  ${harmless(name).padEnd(width)}  ${harmless(value)}`);
}

async function block(output: Output, text: string): Promise<void> {
  for (const line of text.split("\n")) await output.line(`  ${harmless(line)}`);
}
