import { createCommandOn } from "../declare/command-on.ts";
import { declareDeadLetterCommands } from "./dead-letter-commands.ts";
import type { OperatedApp } from "./operated-app.ts";
import { declareStateCommands } from "./state-commands.ts";
import { declareTaskCommands } from "./task-commands.ts";

/**
 * Declares the framework's own operations as commands of an app: `/handlers`, `/tasks`, `/dead`, `/cancel`,
 * `/subscriptions`, `/instances`, `/health`. Their callers need the role `operate`.
 *
 * @throws {DeclarationError} `COMMAND_DUPLICATE` where the app has taken one of these words.
 */
export function declareOperationCommands(app: OperatedApp): void {
  const commandOn = createCommandOn(app.registry);
  declareStateCommands(app, commandOn);
  declareTaskCommands(app, commandOn);
  declareDeadLetterCommands(app, commandOn);
}
