import { describe, test } from "vitest";
import { CommandDispatcher } from "../../src/commands/command-dispatcher.ts";
import { silentLogger } from "../../src/log.ts";
import { HandlerRegistry } from "../../src/registry.ts";
import { declareTranscriptCommands, readTranscript, runTranscript } from "./transcript.ts";

describe("the dispatcher answers as written in", () => {
  test.each(["basics", "limits", "chinese"])("%s", async (name) => {
    const registry = new HandlerRegistry();
    declareTranscriptCommands(registry);
    const commands = new CommandDispatcher({ registry, log: silentLogger });
    await runTranscript(readTranscript(name), (text, from) => commands.handle(text, from));
  });
});
