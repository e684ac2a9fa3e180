import type { App } from "./app.ts";
import type { FollowOptions } from "./app-options.ts";
import { type Clock, delay } from "./clock.ts";
import type { Engine } from "./engine.ts";
import { EngineError } from "./errors.ts";
import type { PatternResult } from "./patterns/pattern-dispatcher.ts";
import type { Following } from "./sources/glob-follower.ts";
import { follow } from "./sources/follow.ts";

/** How long the last line of a file may wait for its end before it is taken as it is. */
const LAST_LINE_MS = 1_000;

/** Feeds the lines of a file to an app's patterns; where it stopped is kept in the engine. The follower has been started. */
export async function followInto(
  app: App,
  options: string | FollowOptions,
  engine: Engine,
  clock: Clock,
): Promise<Following> {
  const { file, ...reading }: FollowOptions = typeof options === "string" ? { file: options } : options;
  const follower = await follow(file, {
    ...reading,
    state: engine.state,
    clock,
    log: app.log,
    onLine: async (line) => failOnEngine(await app.match(line)),
  });
  if (reading.fromStart) finish(follower, app, clock);
  return follower;
}

/** A file that is read from its start may have been written to its end long ago, its last line without an end. */
function finish(follower: Following, { log }: App, clock: Clock): void {
  follower
    .caughtUp()
    .then(() => delay(clock, LAST_LINE_MS))
    .then(() => follower.caughtUp({ unfinished: true }))
    .then(() => log.info({ file: follower.file }, "read to its end; following"))
    .catch((error: unknown) => log.debug({ err: error }, "stopped before the file was read to its end"));
}

/** A line whose handler could not reach the engine must come again, or what it would have published is lost. */
function failOnEngine(results: readonly PatternResult[]): void {
  for (const { error } of results) if (error instanceof EngineError) throw error;
}
