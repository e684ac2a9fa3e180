import { type Clock, systemClock } from "../clock.ts";
import type { Middleware, Publish, Services } from "../context.ts";
import type { Limits, State } from "../engine.ts";
import { LifecycleError } from "../errors.ts";
import { errorLogger, type Logger } from "../log.ts";

/** What all runs of one app share. The app fills it in as it starts. */
export interface Environment {
  clock: Clock;
  log: Logger;
  middleware: readonly Middleware[];
  services: Services;
  publish: Publish;
  /** Absent where no engine runs: limits cannot be kept then. */
  limits: Limits | undefined;
  /** The same: what is remembered is remembered by this process alone. */
  state: State | undefined;
  /** Between 0 and 1: what spreads retries. Tests give one that repeats itself. */
  random: () => number;
  /** The runs under way whose signal somebody asked for. */
  readonly live: Set<{ abort(reason: Error): void }>;
}

/** An environment for dispatchers that are used on their own, without an app. */
export function bareEnvironment(): Environment {
  return {
    clock: systemClock,
    log: errorLogger,
    middleware: [],
    services: {} as Services, // an app's author may have augmented it; a dispatcher on its own has none
    publish: () =>
      Promise.reject(
        new LifecycleError("APP_NOT_STARTED", "publish needs an app: createApp(), then await app.start()."),
      ),
    limits: undefined,
    state: undefined,
    random: Math.random,
    live: new Set(),
  };
}
