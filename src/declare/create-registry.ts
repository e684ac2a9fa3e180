import { HandlerRegistry } from "../registry.ts";
import { type CommandOn, createCommandOn } from "./command-on.ts";
import { createOn, type On } from "./on.ts";
import { createReOn, type ReOn } from "./re-on.ts";
import { createTimeOn, type TimeOn } from "./time-on.ts";

/** A registry with its own declaring functions. */
export class Registry extends HandlerRegistry {
  readonly on: On = createOn(this);
  readonly timeOn: TimeOn = createTimeOn(this);
  readonly commandOn: CommandOn = createCommandOn(this);
  readonly reOn: ReOn = createReOn(this);
}

/**
 * Makes a registry that shares nothing with any other.
 * @example
 * const registry = createRegistry();
 * registry.on("ping").execute(() => "pong");
 * const app = createApp({ registry, engine: "memory:" });
 */
export function createRegistry(): Registry {
  return new Registry();
}
