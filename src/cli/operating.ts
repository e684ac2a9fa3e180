import { hostname } from "node:os";
import type { Command } from "commander";
import type { App } from "../app.ts";
import type { ServedOperations } from "../http/served-app.ts";
import type { Operations } from "../operations.ts";
import { CliError } from "./cli-error.ts";
import { needArguments, outputOf, splitFile, type TargetOptions } from "./command-options.ts";
import { EXIT } from "./exit-codes.ts";
import { withApp } from "./one-shot.ts";
import type { Output } from "./output.ts";
import { Remote } from "./remote.ts";
import { RemoteOperating } from "./remote-operating.ts";

/** A timer as lists show it. */
export type TaskRow = Awaited<ReturnType<App["scheduler"]["tasks"]>>[number];

/** All that is known of a timer. */
export type TaskDetail = Awaited<ReturnType<App["scheduler"]["task"]>>;

/** A replica that is alive. */
export type InstanceRow = Awaited<ReturnType<Operations["instances"]>>[number];

/** What operators do, on an app's engine or, with `--url`, on a running app: each {@link Operations} has it. */
export interface Operating extends ServedOperations {
  tasks(): Promise<readonly TaskRow[]>;
  /** @param ticks How many of its next ticks. @default 5 */
  task(task: string, ticks?: number): Promise<TaskDetail>;
  /** Resolves with the id of the message, or of the run. */
  runTask(task: string): Promise<string>;
  pauseTask(task: string, paused: boolean): Promise<void>;
}

/** The words of a command line that stand behind FILE: their names as the help shows them, and how many may be missing. */
export interface Words {
  readonly names: readonly string[];
  readonly optional?: number;
}

/** What a command that operates is given. */
export interface Operation {
  readonly operating: Operating;
  readonly output: Output;
  /** What stood behind FILE. */
  readonly args: readonly string[];
}

/** Does one thing with the app that a command line names: the one of FILE, or the running one of `--url`. */
export async function operate(
  given: readonly string[],
  options: TargetOptions,
  command: Command,
  { names, optional = 0 }: Words,
  use: (operation: Operation) => Promise<void>,
): Promise<void> {
  const output = outputOf(command);
  const shown = names.map((name, at) => (at < names.length - optional ? name : `[${name}]`)).join(" ");
  const { file, args } = splitFile(given, options, shown);
  needArguments(args, names, optional);
  if (file === undefined) {
    return use({ operating: new RemoteOperating(new Remote(options.url ?? "", options)), output, args });
  }
  await withApp(file, output, (app) => {
    refuseUnshared(app);
    return use({ operating: localOperating(app), output, args });
  });
}

/** The operations of an app in this process. */
export function localOperating(app: App): Operating {
  const { operations, scheduler } = app;
  return {
    deadLetters: (filter) => operations.deadLetters(filter),
    countDeadLetters: (filter) => operations.countDeadLetters(filter),
    replay: (filter, options) => operations.replay(filter, options),
    discard: (filter) => operations.discard(filter),
    messages: (filter) => operations.messages(filter),
    message: (id) => operations.message(id),
    cancel: (id, handler) => operations.cancel(id, handler),
    subscriptions: () => operations.subscriptions(),
    unsubscribe: (handler) => operations.unsubscribe(handler),
    instances: async () => (await operations.instances()).filter((instance) => !isThisProcess(instance)),
    problems: () => operations.problems(),
    tasks: () => scheduler.tasks(),
    task: (task, ticks) => scheduler.task(task, ticks),
    runTask: (task) => scheduler.runNow(task),
    pauseTask: (task, paused) => (paused ? scheduler.pause(task) : scheduler.resume(task)),
  };
}

/** This process has joined the others only to look at them. */
function isThisProcess({ pid, host }: InstanceRow): boolean {
  return pid === process.pid && host === hostname();
}

/** In an engine that keeps all to its own process there is nothing to look at, and nobody to act on. */
function refuseUnshared({ engine }: App): void {
  if (engine.capabilities.durable || engine.capabilities.shared) return;
  throw new CliError(
    EXIT.usage,
    "ENGINE_NOT_SHARED",
    `The ${engine.name} engine keeps everything in its own process, and this is another one than the app's. ` +
      `Ask the running app with --url, or use an engine that is shared (ENGINE_URL=sqlite:data/app.db).`,
  );
}
