import type { Command } from "commander";
import type { App } from "../app.ts";
import { readEventRequest } from "../http/publish-options.ts";
import { CliError } from "./cli-error.ts";
import {
  needArguments,
  outputOf,
  splitFile,
  type TargetOptions,
  withTargetOptions,
} from "./command-options.ts";
import { EXIT } from "./exit-codes.ts";
import { jsonArgument } from "./json-argument.ts";
import { withApp } from "./one-shot.ts";
import { Remote } from "./remote.ts";

interface PublishFlags extends TargetOptions {
  readonly delay?: string;
  readonly at?: string;
  readonly priority?: string;
  readonly key?: string;
  readonly dedupe?: string;
  readonly dedupeWithin?: string;
  readonly expires?: string;
  readonly header?: readonly string[];
}

/** `publish`: stores an event. */
export function addPublish(program: Command): void {
  withTargetOptions(program.command("publish"))
    .summary("store an event; running apps deliver it")
    .description(
      "Stores an event in the engine, from where running apps deliver it, and prints the message's id.",
    )
    .usage("[options] <FILE | --url URL> EVENT [JSON]")
    .argument(
      "[words...]",
      "the file, the event's name, and its payload as JSON; - reads the payload from standard input",
    )
    .option("--delay <duration>", "deliver it not before this long from now: 30s, 5m, 1h30m")
    .option("--at <moment>", "deliver it not before this moment: 2026-11-22T08:00:00Z")
    .option("--priority <number>", "smaller numbers are delivered first")
    .option("--key <key>", "messages of one key run one at a time, in order")
    .option("--dedupe <key>", "a second message with this key is not stored")
    .option("--dedupe-within <duration>", "for how long --dedupe counts (otherwise a day)")
    .option("--expires <when>", "a duration or a moment after which it is not worth delivering")
    .option("--header <name=value>", "a header of the message; may be given several times", collect, [])
    .addHelpText("after", EXAMPLES)
    .action(run);
}

const EXAMPLES = `
Examples:
  decorator-framework publish src/app.ts user.registered '{"email":"ann@example.com"}'
  decorator-framework publish src/app.ts report.due --delay 1h --dedupe report-2026-11-22
  decorator-framework publish --url http://localhost:8080 order.paid '{"id":7}' --key order-7 --header tenant=acme
`;

async function run(words: readonly string[], flags: PublishFlags, command: Command): Promise<void> {
  const output = outputOf(command);
  const { file, args } = splitFile(words, flags, "EVENT [JSON]");
  const [event = "", json] = needArguments(args, ["EVENT", "JSON"], 1);
  const request = { query: queryOf(flags), headers: headersOf(flags) };
  // Read here too, so that mistakes are found before anything is loaded or sent.
  const asked = new Request(`http://localhost/?${request.query.toString()}`, { headers: request.headers });
  const { options } = readEventRequest(asked);
  const payload = await jsonArgument(json);
  const id =
    file === undefined
      ? await publishRemotely(new Remote(flags.url ?? "", flags), event, payload, request)
      : await withApp(file, output, (app) => {
          refuseLoss(app);
          return app.publish(event, payload, options);
        });
  await (output.json ? output.data({ id }) : output.line(id));
}

async function publishRemotely(
  remote: Remote,
  event: string,
  payload: unknown,
  request: { readonly query: URLSearchParams; readonly headers: Record<string, string> },
): Promise<string> {
  const reply = await remote.ask(`/events/${encodeURIComponent(event)}`, {
    body: { value: payload },
    ...request,
  });
  return (reply as { id: string }).id; // what the app promises
}

/** What a process keeps to itself ends with it, and nobody would ever get the event. */
function refuseLoss({ engine }: App): void {
  if (engine.capabilities.durable || engine.capabilities.shared) return;
  throw new CliError(
    EXIT.usage,
    "ENGINE_NOT_SHARED",
    `The ${engine.name} engine keeps messages in its own process, and this one ends now: the event would be lost. ` +
      `Publish to the running app with --url, use an engine that is shared (ENGINE_URL=sqlite:data/app.db), or use trigger.`,
  );
}

function queryOf(flags: PublishFlags): URLSearchParams {
  const { delay, at, priority, key, dedupe, dedupeWithin, expires } = flags;
  const given = { delay, at, priority, key, dedupe, "dedupe-within": dedupeWithin, expires };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(given)) if (value !== undefined) query.set(name, value);
  return query;
}

function headersOf({ header = [] }: PublishFlags): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const written of header) {
    const [, name, value] = /^([\w.-]+)=(.*)$/s.exec(written) ?? [];
    if (name === undefined || value === undefined) {
      throw new CliError(
        EXIT.usage,
        "HEADER_INVALID",
        `--header ${JSON.stringify(written)} is not name=value, such as --header tenant=acme.`,
      );
    }
    headers[`x-event-header-${name.toLowerCase()}`] = value;
  }
  return headers;
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
