/** The levels of a log line, from the least to the most severe. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal";

/**
 * Where the framework and its handlers write their log lines: the part of pino's interface that we use, so that a
 * pino logger, a child of one, or a few lines of your own all fit.
 */
export interface Logger {
  trace(fields: object, message?: string): void;
  debug(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  error(fields: object, message?: string): void;
  fatal(fields: object, message?: string): void;
  /** A logger that adds these fields to each of its lines. */
  child(fields: object): Logger;
}

const nothing = (): void => {};

/** Writes nothing; what `log: "silent"` gives. */
export const silentLogger: Logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  child: () => silentLogger,
};

/** Writes what went wrong to the standard error, and nothing else: for dispatchers that are used without an app. */
export const errorLogger: Logger = {
  ...silentLogger,
  warn: (fields, message) => write("warn", fields, message),
  error: (fields, message) => write("error", fields, message),
  fatal: (fields, message) => write("fatal", fields, message),
  child: (added) => ({
    ...errorLogger,
    warn: (fields, message) => write("warn", { ...added, ...fields }, message),
    error: (fields, message) => write("error", { ...added, ...fields }, message),
    fatal: (fields, message) => write("fatal", { ...added, ...fields }, message),
  }),
};

function write(level: LogLevel, fields: object, message = ""): void {
  console.error(`${level}: ${message}`, fields);
}
