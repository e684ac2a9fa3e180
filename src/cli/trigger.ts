import type { Command } from "commander";
import { alike } from "../alike.ts";
import type { App } from "../app.ts";
import { HandlersFailedError, UnknownEventError } from "../errors.ts";
import {
  needArguments,
  outputOf,
  splitFile,
  type TargetOptions,
  withTargetOptions,
} from "./command-options.ts";
import { jsonArgument } from "./json-argument.ts";
import { withApp } from "./one-shot.ts";
import { type Output, showValue } from "./output.ts";
import { Remote } from "./remote.ts";

/** `trigger`: runs the handlers of an event now. */
export function addTrigger(program: Command): void {
  withTargetOptions(program.command("trigger"))
    .summary("run the handlers of an event now, and print what they return")
    .description(
      "Runs the handlers of an event in this process (or, with --url, in the running app), and prints what they return.\n" +
        "Nothing is stored: an event that must not be lost is published.",
    )
    .usage("[options] <FILE | --url URL> EVENT [JSON]")
    .argument(
      "[words...]",
      "the file, the event's name, and its payload as JSON; - reads the payload from standard input",
    )
    .addHelpText("after", EXAMPLES)
    .action(run);
}

const EXAMPLES = `
Examples:
  decorator-framework trigger src/app.ts user.registered '{"email":"ann@example.com"}'
  decorator-framework trigger src/app.ts ping --json
  decorator-framework trigger --url http://localhost:8080 user.registered - < payload.json
`;

async function run(words: readonly string[], options: TargetOptions, command: Command): Promise<void> {
  const output = outputOf(command);
  const { file, args } = splitFile(words, options, "EVENT [JSON]");
  const [event = "", json] = needArguments(args, ["EVENT", "JSON"], 1);
  const payload = await jsonArgument(json);
  const results =
    file === undefined
      ? await triggerRemotely(new Remote(options.url ?? "", options), event, payload)
      : await withApp(file, output, (app) => triggerHere(app, event, payload, output));
  await show(results, output);
}

async function triggerRemotely(remote: Remote, event: string, payload: unknown): Promise<readonly unknown[]> {
  const path = `/events/${encodeURIComponent(event)}`;
  const query = new URLSearchParams({ wait: "true" });
  const reply = await remote.ask(path, { body: { value: payload }, query });
  return (reply as { results: readonly unknown[] }).results; // what the app promises
}

async function triggerHere(
  app: App,
  event: string,
  payload: unknown,
  output: Output,
): Promise<readonly unknown[]> {
  try {
    const results = await app.trigger(event, payload);
    if (results.length === 0) refuseUnknown(app, event);
    return results;
  } catch (error) {
    if (error instanceof HandlersFailedError) await show(error.results, output);
    throw error;
  }
}

/** An event without handlers is legal in code; whoever writes its name by hand has made a slip. */
function refuseUnknown(app: App, event: string): void {
  if (app.events.handlersOf(event).length > 0) return;
  const names = app.registry.list().flatMap((handler) => (handler.kind === "event" ? [handler.topic] : []));
  throw new UnknownEventError(event, alike(event, names));
}

async function show(results: readonly unknown[], output: Output): Promise<void> {
  if (output.json) return output.data({ results: results.map((result) => result ?? null) });
  for (const result of results) await output.line(showValue(result));
}
