import type { Services } from "./context.ts";
import { LifecycleError } from "./errors.ts";
import type { Logger } from "./log.ts";

/** How a service is made, and how it is ended where it cannot be told from the service itself. */
export type ServiceFactory<T = unknown> =
  | (() => T | Promise<T>)
  | { readonly start: () => T | Promise<T>; readonly stop: (service: T) => unknown };

/** The services that an app was given, by name. */
export type ServiceFactories = {
  readonly [Name in keyof Services]?: ServiceFactory<Services[Name]>;
} & { readonly [name: string]: ServiceFactory };

/** A factory as it is called: each service is ended by the factory that made it. */
interface Stoppable {
  readonly stop: (service: unknown) => unknown;
}

interface Started {
  readonly name: string;
  readonly stop: () => unknown;
}

/**
 * Starts an app's services in the order in which they are listed, and ends them in reverse. A service ends by its
 * factory's `stop`, or else by its own `[Symbol.asyncDispose]`, `[Symbol.dispose]`, `close` or `end`.
 */
export class ServiceSet {
  readonly #factories: ServiceFactories;
  readonly #log: Logger;
  readonly #started: Started[] = [];

  constructor(factories: ServiceFactories, log: Logger) {
    this.#factories = factories;
    this.#log = log;
  }

  /**
   * @returns the services by name.
   * @throws {LifecycleError} `SERVICE_FAILED` when one could not be started; those before it have been ended again.
   */
  async start(): Promise<Services> {
    const services: Record<string, unknown> = {};
    for (const [name, factory] of Object.entries(this.#factories)) {
      const start = typeof factory === "function" ? factory : factory.start;
      try {
        const service = (services[name] = await start());
        const stop =
          typeof factory === "function" ? ender(service) : () => (factory as Stoppable).stop(service);
        if (stop) this.#started.push({ name, stop });
      } catch (cause) {
        await this.stop();
        throw new LifecycleError(
          "SERVICE_FAILED",
          `The service "${name}" could not be started: ${String(cause)}`,
          { cause },
        );
      }
    }
    return services as unknown as Services; // each was made by the factory of its name
  }

  /** One that fails to end does not keep the others from ending. */
  async stop(): Promise<void> {
    for (let service = this.#started.pop(); service; service = this.#started.pop()) {
      try {
        await service.stop();
      } catch (error) {
        this.#log.error({ err: error, service: service.name }, "a service did not end well");
      }
    }
  }
}

function ender(service: unknown): (() => unknown) | undefined {
  if (typeof service !== "object" || service === null) return undefined;
  for (const key of [Symbol.asyncDispose, Symbol.dispose, "close", "end"]) {
    const end: unknown = Reflect.get(service, key);
    if (typeof end === "function") return () => end.call(service) as unknown;
  }
  return undefined;
}
