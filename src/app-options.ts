import type { App } from "./app.ts";
import type { ChatAdapter } from "./chat/adapter.ts";
import type { CommandSettings } from "./commands/command-dispatcher.ts";
import type { Clock } from "./clock.ts";
import type { Middleware } from "./context.ts";
import type { HandlerClass } from "./declare/class-handlers.ts";
import { type Config, readConfig } from "./config.ts";
import { type Duration, toMs } from "./duration.ts";
import type { Engine } from "./engine.ts";
import { type Logger, type LogLevel, silentLogger } from "./log.ts";
import type { HandlerRegistry } from "./registry.ts";
import type { ServiceFactories } from "./services.ts";
import type { FileFollowerOptions } from "./sources/file-follower.ts";

/** A file to follow. */
export type FollowOptions = Pick<FileFollowerOptions, "file" | "fromStart" | "name" | "maxLine">;

/** What one start is for. Everything is on unless told. */
export interface StartOptions {
  /** In place of the app's own option; `true` opens a port unless the app's own option says otherwise. */
  readonly http?: AppOptions["http"];
  /** In place of the app's own option. */
  readonly log?: AppOptions["log"];
  /** `false`: only to trigger, publish and look; claims nothing, fires no timer, follows no file. @default true */
  readonly consume?: boolean;
}

/** Extends an app before it starts: adds middleware, declares handlers, … */
export type Plugin = (app: App) => void;

/** What `createApp` takes. What is left out comes from the environment, and has a default there: see `decorator-framework config`. */
export interface AppOptions {
  /** A URL, or an engine of your own. @default ENGINE_URL, or `"sqlite:data/app.db"` */
  readonly engine?: string | Engine;
  /** `"strict"` refuses to start on an engine that may lose an acknowledged message in a power cut. */
  readonly durability?: "strict";
  /** Whose handlers the app runs. @default the registry of the module-level `on`, `timeOn`, `commandOn` and `reOn` */
  readonly registry?: HandlerRegistry;
  /** Classes with decorated methods, or objects of such classes. A class is made with `new Class(services)`. */
  readonly handlers?: readonly HandlerClass[];
  /** Made before the first handler runs, ended after the last one has. */
  readonly services?: ServiceFactories;
  /** Code around each run of each handler, outermost first. */
  readonly use?: readonly Middleware[];
  readonly plugins?: readonly Plugin[];
  /** How commands are written and answered: their prefix, the sentences of replies. */
  readonly commands?: CommandSettings;
  /** Chats whose messages are commands: `[webSocketChat({ authenticate })]` of `decorator-framework/chat`. */
  readonly adapters?: readonly ChatAdapter[];
  /** Declares `/handlers`, `/tasks`, `/dead`, `/cancel`, `/subscriptions`, `/instances` and `/health`, for the role `operate`. @default false */
  readonly operationCommands?: boolean;
  /** Opens a port: `true` for PORT and HOST, or the ones given. @default no port */
  readonly http?: boolean | { readonly port?: number; readonly host?: string };
  /** Log files, globs of them (or options of one) whose new lines are matched against the patterns; each goes on where the last run stopped. */
  readonly follow?: readonly (string | FollowOptions)[];
  /** A level, `"silent"`, or a logger of your own. @default LOG_LEVEL, or `"info"` */
  readonly log?: LogLevel | "silent" | Logger;
  /** Whether timers fire. @default SCHEDULER_ENABLED, or `true` */
  readonly scheduler?: boolean;
  /** How long a process that gives no sign of life keeps what it runs. @default LEASE, or `"30s"` */
  readonly lease?: Duration;
  /** How long `stop` waits for running handlers before it aborts them. @default SHUTDOWN_TIMEOUT, or `"30s"` */
  readonly shutdownTimeout?: Duration;
  /** Where all time comes from. @default the machine's clock */
  readonly clock?: Clock;
  /** Draws numbers from 0 to 1, for the waits between retries. @default Math.random */
  readonly random?: () => number;
  /** Instead of the process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** The environment's configuration, with what the options say in its place. @throws {ConfigError} with every mistake. */
export function configOf({
  env = process.env,
  engine,
  scheduler,
  lease,
  shutdownTimeout,
}: AppOptions): Config {
  return {
    ...readConfig(env),
    ...(typeof engine === "string" && { engineUrl: engine }),
    ...(scheduler !== undefined && { schedulerEnabled: scheduler }),
    ...(lease !== undefined && { lease: toMs(lease, "lease") }),
    ...(shutdownTimeout !== undefined && { shutdownTimeout: toMs(shutdownTimeout, "shutdownTimeout") }),
  };
}

/** The log that the options ask for, and how it is closed. */
export async function openLog(
  log: AppOptions["log"],
  { logLevel, logDir, logFormat }: Config,
): Promise<{ readonly log: Logger; readonly close: () => Promise<void> }> {
  if (typeof log === "object") return { log, close: async () => {} };
  if (log === "silent") return { log: silentLogger, close: async () => {} };
  const { createLogger } = await import("./observe/logs.ts");
  return createLogger({ level: log ?? logLevel, dir: logDir, format: logFormat });
}
