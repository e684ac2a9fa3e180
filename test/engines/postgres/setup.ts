import { postgresEngine } from "../../../src/engines/postgres/engine.ts";
import type { ConformanceOptions } from "../../../src/testing/conformance/index.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { clearSchema, dropSchema, newSchema, urlOf } from "./server.ts";

/** To make a schema takes the server a quarter of a second, to empty one some milliseconds. */
const empty: string[] = [];
const made = new Set<string>();

/** How the conformance suite is run on this engine: all of it applies. */
export const postgres = onServer("postgres", (schema) =>
  urlOf(schema, { connections: "2", synchronous: "off" }),
);

/** The same by another way to the server. @param wayTo The URL for a schema. */
export function onServer(
  name: string,
  wayTo: (schema: string) => string,
): Omit<ConformanceOptions, "runner"> {
  return {
    name,
    create: async () => {
      const schema = empty.pop() ?? newSchema();
      made.add(schema);
      const clock = new VirtualClock();
      return {
        clock,
        engine: () => postgresEngine(wayTo(schema), { time: clock }),
        dispose: async () => {
          await clearSchema(schema);
          empty.push(schema);
        },
      };
    },
  };
}

/** Drops all that were made, when all cases have run. */
export async function dropSchemas(): Promise<void> {
  for (const schema of made) await dropSchema(schema);
}
