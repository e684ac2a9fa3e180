import { CommanderError } from "commander";
import {
  BackupError,
  ConfigError,
  DeclarationError,
  EngineError,
  FrameworkError,
  LifecycleError,
  PayloadError,
  UnknownEventError,
} from "../errors.ts";
import { HttpProblem } from "../http/problem.ts";
import { CliError } from "./cli-error.ts";

/** What the exit codes of the program mean. */
export const EXIT = {
  /** It is done. */
  ok: 0,
  /** The work failed: a handler failed, or a command's reply is not ok. */
  failed: 1,
  /** Wrong use: an unknown option, bad JSON, a payload that does not fit, an unknown event, command, message or task. */
  usage: 2,
  /** It cannot start: configuration, engine, port or file. */
  start: 3,
  /** The running app cannot be reached, or does not let us in. */
  remote: 4,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The table as `--help` shows it. */
export const EXIT_CODES_HELP = `
Exit codes:
  0    done
  1    the work failed: a handler failed, or a command's reply is not ok
  2    wrong use: an unknown option, bad JSON, a payload that does not fit, an unknown event, command, message or task
  3    it cannot start: configuration, engine, port or file
  4    the running app cannot be reached, or does not let us in
  130  ended at once by a second Ctrl-C (SIGINT); 143 by a second SIGTERM
`;

/** Codes whose class alone does not say it: names that the command line got wrong, and what may not be done to them. */
const EXIT_OF_CODE: Readonly<Record<string, ExitCode>> = {
  TASK_UNKNOWN: EXIT.usage,
  SUBSCRIPTION_IN_USE: EXIT.usage,
  SCHEDULER_NOT_RUNNING: EXIT.usage,
};

/** The exit code that an error stands for. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CliError) return error.exit;
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof HttpProblem) return EXIT.usage;
  const exit = error instanceof FrameworkError ? EXIT_OF_CODE[error.code] : undefined;
  if (exit !== undefined) return exit;
  // Names of events, durations and payloads come from the command line: what files declare is checked while they load.
  if (
    error instanceof PayloadError ||
    error instanceof UnknownEventError ||
    error instanceof DeclarationError
  ) {
    return EXIT.usage;
  }
  if (
    error instanceof BackupError ||
    error instanceof ConfigError ||
    error instanceof EngineError ||
    error instanceof LifecycleError
  ) {
    return EXIT.start;
  }
  return EXIT.failed;
}
