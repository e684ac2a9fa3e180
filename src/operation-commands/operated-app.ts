import type { App } from "../app.ts";
import type { CommandOptions } from "../handler.ts";

/** What the commands do it with: the app's public face. */
export type OperatedApp = Pick<App, "registry" | "operations" | "scheduler" | "handlers" | "health">;

/** Only operators, and every call with all that was written stands in the log. */
export const OPERATE = { roles: ["operate"], audit: "text" } as const satisfies CommandOptions;
